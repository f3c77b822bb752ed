/**
 * Colours code, apart from the window: the first lines of a language cost hundreds of milliseconds while its patterns are
 * compiled. It is ended when nobody needs it, which gives its memory back.
 */
import { createHighlighterCore, type GrammarState, type ThemeRegistrationRaw } from 'shiki/core';
import { createJavaScriptRegexEngine } from 'shiki/engine/javascript';
import { CODE_KINDS, type CodeKind, type ColourAnswer, type ColouredLine, type ColourRequest } from './code-colours.ts';
import type { Grammar } from './languages.ts';

/** What grammars call things, by what they are coloured as; later ones and longer ones win, as in every editor. */
const SCOPES: Readonly<Record<Exclude<CodeKind, 'plain'>, readonly string[]>> = {
  comment: [
    'comment',
    'punctuation.definition.comment',
    'string.quoted.docstring',
    'string.quoted.docstring punctuation.definition.string',
  ],
  keyword: [
    'keyword',
    'storage',
    'constant.language',
    'variable.language',
    'punctuation.definition.keyword',
    'keyword.operator.expression',
    'keyword.operator.new',
    'keyword.operator.logical.python',
    'entity.name.tag',
    'meta.preprocessor',
  ],
  string: ['string', 'punctuation.definition.string', 'constant.character', 'markup.inline.raw', 'string.regexp'],
  number: ['constant.numeric', 'constant.other', 'keyword.other.unit', 'support.constant'],
  function: ['entity.name.function', 'support.function', 'meta.function-call.generic', 'variable.function'],
  type: [
    'entity.name.type',
    'entity.name.class',
    'entity.other.inherited-class',
    'support.type',
    'support.class',
    'entity.name.namespace',
    'storage.type.java',
    'storage.type.primitive',
  ],
  attribute: [
    'entity.other.attribute-name',
    'meta.attribute',
    'variable.parameter.keyword',
    'support.type.property-name',
    'entity.name.section',
    'entity.name.tag.yaml',
    'meta.decorator',
    'variable.other.normal.shell',
  ],
  inserted: ['markup.inserted', 'punctuation.definition.inserted'],
  deleted: ['markup.deleted', 'punctuation.definition.deleted'],
};

/** The theme's colours are the kinds' numbers: what they look like is the style sheet's to say. */
const numbered = (kind: CodeKind): string => `#0000${CODE_KINDS.indexOf(kind).toString(16).padStart(2, '0')}`;

const THEME = 'kinds';
const theme: ThemeRegistrationRaw = {
  name: THEME,
  type: 'light',
  fg: numbered('plain'),
  bg: '#ffffff',
  settings: [
    { settings: { foreground: numbered('plain'), background: '#ffffff' } },
    ...Object.entries(SCOPES).map(([kind, scope]) => ({
      scope: [...scope],
      settings: { foreground: numbered(kind as CodeKind) },
    })),
    // Operators, and inside of a string what is code again.
    {
      scope: [
        'punctuation',
        'keyword.operator',
        'meta.brace',
        'storage.type.function.arrow',
        'meta.embedded',
        'meta.template.expression',
        'source.embedded',
      ],
      settings: { foreground: numbered('plain') },
    },
  ],
};

const grammars: Readonly<Record<Grammar, () => Promise<{ readonly default: object[] }>>> = {
  c: () => import('@shikijs/langs/c'),
  cpp: () => import('@shikijs/langs/cpp'),
  css: () => import('@shikijs/langs/css'),
  diff: () => import('@shikijs/langs/diff'),
  go: () => import('@shikijs/langs/go'),
  html: () => import('@shikijs/langs/html'),
  java: () => import('@shikijs/langs/java'),
  javascript: () => import('@shikijs/langs/javascript'),
  json: () => import('@shikijs/langs/json'),
  kotlin: () => import('@shikijs/langs/kotlin'),
  python: () => import('@shikijs/langs/python'),
  ruby: () => import('@shikijs/langs/ruby'),
  rust: () => import('@shikijs/langs/rust'),
  shellscript: () => import('@shikijs/langs/shellscript'),
  sql: () => import('@shikijs/langs/sql'),
  swift: () => import('@shikijs/langs/swift'),
  toml: () => import('@shikijs/langs/toml'),
  tsx: () => import('@shikijs/langs/tsx'),
  typescript: () => import('@shikijs/langs/typescript'),
  xml: () => import('@shikijs/langs/xml'),
  yaml: () => import('@shikijs/langs/yaml'),
};

/** Longer lines are data, not code. */
const MAX_LINE_LENGTH = 2_000;
/** The first line of a language waits for its patterns, on a busy machine for long. */
const MAX_LINE_MS = 2_000;
/** Answers come at least this often, so that the first lines of a long block need not wait for its last. */
const LINES_AN_ANSWER = 40;

const highlighter = createHighlighterCore({
  langs: [],
  themes: [theme],
  engine: createJavaScriptRegexEngine({ forgiving: true }),
});
/** Where each block's grammar stands after its last line. */
const states = new Map<number, GrammarState>();
let pending = 0;
let work = Promise.resolve();

async function colour({ block, grammar, from, lines }: ColourRequest): Promise<void> {
  const shiki = await highlighter;
  if (!shiki.getLoadedLanguages().includes(grammar)) await shiki.loadLanguage(grammars[grammar]() as never);
  if (from === 0) states.delete(block);
  for (let start = 0; start < lines.length; start += LINES_AN_ANSWER) {
    const coloured = lines.slice(start, start + LINES_AN_ANSWER).map((line): ColouredLine => {
      const grammarState = states.get(block);
      const tokens = shiki.codeToTokensBase(line, {
        lang: grammar,
        theme: THEME,
        tokenizeMaxLineLength: MAX_LINE_LENGTH,
        tokenizeTimeLimit: MAX_LINE_MS,
        ...(grammarState && { grammarState }),
      });
      const state = shiki.getLastGrammarState(tokens);
      if (state !== undefined) states.set(block, state);
      return runs(tokens[0] ?? []);
    });
    const isLast = start + LINES_AN_ANSWER >= lines.length;
    const answer: ColourAnswer = { block, from: from + start, lines: coloured, isIdle: isLast && pending === 1 };
    postMessage(answer);
  }
}

/** Neighbours of one kind are one run, and so is the white space after them. */
function runs(tokens: readonly { readonly content: string; readonly color?: string }[]): ColouredLine {
  const line: number[] = [];
  for (const { content, color } of tokens) {
    const kind = color === undefined ? 0 : Number.parseInt(color.slice(5, 7), 16);
    const isBlank = content.trim() === '';
    if (line.length > 0 && (isBlank || line.at(-2) === kind))
      line[line.length - 1] = (line.at(-1) ?? 0) + content.length;
    else line.push(isBlank ? 0 : kind, content.length);
  }
  return line;
}

addEventListener('message', ({ data }: MessageEvent<ColourRequest>) => {
  pending += 1;
  work = work
    .then(() => colour(data))
    // A block that cannot be coloured stays plain.
    .catch(() =>
      postMessage({ block: data.block, from: data.from, lines: [], isIdle: pending === 1 } satisfies ColourAnswer),
    )
    .finally(() => (pending -= 1));
});
