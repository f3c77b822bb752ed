/** A formula found at the beginning of a text. `raw` is all of it with its marks. */
export interface FormulaMatch {
  readonly raw: string;
  readonly tex: string;
  readonly isDisplay: boolean;
}

/** TeX has no empty line inside a formula: that bounds every search, and keeps a block's end where it was. */
const BLOCK =
  /^ {0,3}(?:\\\[((?:(?!\n[ \t]*\n)[\s\S])*?)\\\]|\$\$((?:(?!\n[ \t]*\n)[\s\S])+?)\$\$)[ \t]*(?:\n[ \t]*)*(?:\n|$)/;
const INLINE =
  /^(?:\\\[((?:(?!\n[ \t]*\n)[\s\S])+?)\\\]|\$\$((?:(?!\n[ \t]*\n)[\s\S])+?)\$\$|\\\(((?:(?!\n[ \t]*\n)[\s\S])+?)\\\))/;
const DOLLAR = /^\$([^\s$](?:[^$\n]{0,300}?[^\s$\\])?)\$(?![\w$])/;

/** A formula that stands on lines of its own. */
export function blockFormula(text: string): FormulaMatch | undefined {
  const match = BLOCK.exec(text);
  const tex = (match?.[1] ?? match?.[2])?.trim();
  return match === null || tex === undefined || tex === '' ? undefined : { raw: match[0], tex, isDisplay: true };
}

/** Where in a text the next formula on its own line may begin; only up to the next empty line. */
export function nextBlockFormula(text: string): number | undefined {
  const mark = /\n {0,3}(?:\\\[|\$\$)/.exec(text);
  if (mark === null) return undefined;
  const end = /\n[ \t]*\n/.exec(text);
  return end !== null && end.index < mark.index ? undefined : mark.index + 1;
}

/** A formula inside a line of text: `\(…\)`, `\[…\]`, `$$…$$`, and `$…$` where it cannot be money. */
export function inlineFormula(text: string): FormulaMatch | undefined {
  const match = INLINE.exec(text);
  if (match !== null) {
    const tex = (match[1] ?? match[2] ?? match[3] ?? '').trim();
    return tex === '' ? undefined : { raw: match[0], tex, isDisplay: match[3] === undefined };
  }
  const dollar = DOLLAR.exec(text);
  if (dollar?.[1] === undefined || !readsAsFormula(dollar[1])) return undefined;
  return { raw: dollar[0], tex: dollar[1], isDisplay: false };
}

/**
 * Whether what stands between two dollar signs is meant as a formula. Prices, paths and shell variables are far more
 * frequent in answers, so doubt means text.
 */
export function readsAsFormula(content: string): boolean {
  if (/^[A-Za-z](?:'|_\w|\^\w)?$/.test(content)) return true;
  // Two words in a row are prose: "5 for the small one and ".
  if (/[A-Za-z]{2,}\s+[A-Za-z]{2,}/.test(content.replace(/\\[A-Za-z]+(?:\{[^{}]*\})?/g, ' '))) return false;
  if (/\\[A-Za-z]+|[\^_]/.test(content)) return true;
  if (/^[\d.,\s]*$/.test(content)) return false;
  // An operator between operands: "a + b", "n = 3", "x < y"; not a path or an option.
  return /[A-Za-z0-9)\]]\s*[=+<>*-]\s*[A-Za-z0-9([-]/.test(content) && !/[/"`]|[A-Z_]{3,}|[a-z]{4,}/.test(content);
}

/** Where a formula at the end of a growing text began and has not ended yet; -1 when none is open. */
export function openFormula(text: string): number {
  let from = 0;
  for (;;) {
    const rest = text.slice(from);
    const start = rest.search(/\\[([]|\$\$/);
    if (start === -1) return -1;
    const formula = inlineFormula(rest.slice(start));
    if (formula === undefined) return /\n[ \t]*\n/.test(rest.slice(start)) ? -1 : from + start;
    from += start + formula.raw.length;
  }
}
