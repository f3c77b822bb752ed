import { Lexer, Marked, type MarkedOptions, type MarkedToken, type Tokens } from 'marked';
import { blockFormula, inlineFormula, nextBlockFormula } from './formulas.ts';

interface FormulaToken {
  readonly type: 'formula';
  readonly raw: string;
  readonly tex: string;
  readonly isDisplay: boolean;
}

/** What a footnote says. */
export interface FootnoteToken {
  readonly type: 'footnote';
  readonly raw: string;
  readonly label: string;
  readonly text: string;
}

/** Where a footnote is referred to. */
interface FootnoteMarkToken {
  readonly type: 'footnote-mark';
  readonly raw: string;
  readonly label: string;
}

export type AnswerToken = MarkedToken | FormulaToken | FootnoteToken | FootnoteMarkToken;

const LABEL = '[A-Za-z0-9][A-Za-z0-9_-]{0,31}';
const FOOTNOTE = new RegExp(
  `^\\[\\^(${LABEL})\\]:[ \\t]*([^\\n]*(?:\\n(?!\\[\\^)[ \\t]*\\S[^\\n]*)*)(?:\\n[ \\t]*)*(?:\\n|$)`,
);
const NEXT_FOOTNOTE = new RegExp(`\\n\\[\\^${LABEL}\\]:`);
const FOOTNOTE_MARK = new RegExp(`^\\[\\^(${LABEL})\\]`);

/** A place in the text before its next empty line, or none. */
function beforeEmptyLine(text: string, mark: RegExp): number | undefined {
  const found = mark.exec(text);
  if (found === null) return undefined;
  const end = /\n[ \t]*\n/.exec(text);
  return end !== null && end.index < found.index ? undefined : found.index + 1;
}

/** GitHub's Markdown, and what models add to it: formulas and footnotes. */
const syntax: MarkedOptions = new Marked({
  gfm: true,
  extensions: [
    {
      name: 'formula',
      level: 'block',
      start: nextBlockFormula,
      tokenizer: (text) => {
        const formula = blockFormula(text);
        return formula && { type: 'formula', ...formula };
      },
    },
    {
      name: 'formula',
      level: 'inline',
      start: (text) => {
        const at = text.search(/\$|\\[([]/);
        return at === -1 ? undefined : at;
      },
      tokenizer: (text) => {
        const formula = inlineFormula(text);
        return formula && { type: 'formula', ...formula };
      },
    },
    {
      name: 'footnote',
      level: 'block',
      start: (text) => beforeEmptyLine(text, NEXT_FOOTNOTE),
      tokenizer: (text) => {
        const match = FOOTNOTE.exec(text);
        if (match?.[1] === undefined) return undefined;
        return { type: 'footnote', raw: match[0], label: match[1], text: (match[2] ?? '').trim() };
      },
    },
    {
      name: 'footnote-mark',
      level: 'inline',
      tokenizer: (text) => {
        const match = FOOTNOTE_MARK.exec(text);
        return match?.[1] === undefined ? undefined : { type: 'footnote-mark', raw: match[0], label: match[1] };
      },
    },
  ],
}).defaults;

/** Where links written as `[text][name]` lead, by name in lower case. */
export type LinkDefinitions = Readonly<Record<string, Pick<Tokens.Link, 'href' | 'title'>>>;

const NO_LINKS: LinkDefinitions = {};

function lexer(links: LinkDefinitions): Lexer {
  const made = new Lexer(syntax);
  made.tokens.links = links;
  return made;
}

/** The blocks of a text. What is inside of their lines is left to `inlineTokens`, where and when it is drawn. */
export const blockTokens = (text: string): AnswerToken[] => lexer(NO_LINKS).blockTokens(text, []) as AnswerToken[];

export const inlineTokens = (text: string, links: LinkDefinitions = NO_LINKS): AnswerToken[] =>
  lexer(links).inlineTokens(text, []) as AnswerToken[];
