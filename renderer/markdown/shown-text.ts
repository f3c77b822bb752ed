import { createBlockSplitter, isDrawnPlain, MAX_INLINE_LENGTH } from './blocks.ts';
import { splitPlainText } from './plain-text.ts';
import { createReferenceCollector, type References } from './references.ts';
import { type AnswerToken, blockTokens, inlineTokens } from './syntax.ts';
import { visibleCode, visibleText } from './visible-text.ts';

/** Stands where something is drawn that is not text (a formula): nothing that is looked for reaches across it. */
const GAP = '\0';

/**
 * The words of a Markdown text as the reader sees them, a string for each paragraph, item, cell or line of code, in
 * their order: what can be found in a message that is not drawn at the moment.
 */
export function shownText(text: string): readonly string[] {
  const blocks = createBlockSplitter()(text);
  const references = createReferenceCollector('')(blocks);
  return blocks.flatMap((block) => {
    if (block.trim() === '') return [];
    if (isDrawnPlain(block)) return splitPlainText(visibleText(block));
    try {
      return blockTokens(block).flatMap((token) => ofBlock(token, references));
    } catch {
      return splitPlainText(visibleText(block));
    }
  });
}

function ofBlock(token: AnswerToken, references: References): readonly string[] {
  switch (token.type) {
    case 'paragraph':
      if (token.text.length > MAX_INLINE_LENGTH) return splitPlainText(visibleText(token.text));
      return [inline(token.text, references)];
    case 'heading':
    case 'text':
      return [inline(token.text, references)];
    case 'code':
      return visibleCode(token.text).split('\n');
    case 'footnote':
      return [`${token.label} ${inline(token.text, references)}`];
    case 'blockquote':
      return (token.tokens as AnswerToken[]).flatMap((inside) => ofBlock(inside, references));
    case 'list':
      return token.items.flatMap((item) =>
        (item.tokens as AnswerToken[]).flatMap((inside) => ofBlock(inside, references)),
      );
    case 'table': {
      const { header, rows } = token;
      return [header, ...rows].flat().map((cell) => inline(cell.text, references));
    }
    case 'html':
      return [visibleText(token.raw.trimEnd())];
    default:
      return [];
  }
}

function inline(text: string, references: References): string {
  try {
    return inlineTokens(text, references.links)
      .map((token) => ofInline(token, references))
      .join('');
  } catch {
    return visibleText(text);
  }
}

function ofInline(token: AnswerToken, references: References): string {
  switch (token.type) {
    case 'formula':
      return GAP;
    case 'footnote-mark':
      return references.footnotes.has(token.label) || /^\d+$/.test(token.label) ? token.label : visibleText(token.raw);
    case 'codespan':
      return visibleCode(token.text);
    case 'br':
      return '\n';
    case 'escape':
      return token.text;
    case 'image':
      return token.text === '' ? token.href : visibleText(token.text);
    case 'text':
    case 'strong':
    case 'em':
    case 'del':
    case 'link':
      return token.tokens === undefined
        ? visibleText(token.text)
        : (token.tokens as AnswerToken[]).map((inside) => ofInline(inside, references)).join('');
    case 'html':
      return /^<br\s*\/?>$/i.test(token.raw.trim()) ? '\n' : visibleText(token.raw);
    default:
      return visibleText(token.raw);
  }
}
