/** A language that can be coloured: its grammar's name and its own. */
const NAMES = {
  c: 'C',
  cpp: 'C++',
  css: 'CSS',
  diff: 'Diff',
  go: 'Go',
  html: 'HTML',
  java: 'Java',
  javascript: 'JavaScript',
  json: 'JSON',
  kotlin: 'Kotlin',
  python: 'Python',
  ruby: 'Ruby',
  rust: 'Rust',
  shellscript: 'Shell',
  sql: 'SQL',
  swift: 'Swift',
  toml: 'TOML',
  tsx: 'TSX',
  typescript: 'TypeScript',
  xml: 'XML',
  yaml: 'YAML',
} as const;

export type Grammar = keyof typeof NAMES;

/** What fences say instead of a grammar's own name. */
const ALIASES: Readonly<Record<string, Grammar>> = {
  bash: 'shellscript',
  'c++': 'cpp',
  cc: 'cpp',
  console: 'shellscript',
  golang: 'go',
  h: 'c',
  hpp: 'cpp',
  htm: 'html',
  js: 'javascript',
  json5: 'json',
  jsonc: 'json',
  jsx: 'tsx',
  kt: 'kotlin',
  mjs: 'javascript',
  patch: 'diff',
  plist: 'xml',
  postgresql: 'sql',
  py: 'python',
  python3: 'python',
  rb: 'ruby',
  rs: 'rust',
  sh: 'shellscript',
  shell: 'shellscript',
  sqlite: 'sql',
  svg: 'xml',
  ts: 'typescript',
  yml: 'yaml',
  zsh: 'shellscript',
};

export interface CodeLanguage {
  /** Null for a language that stays plain. */
  readonly grammar: Grammar | null;
  /** As people write it; empty when the fence says none. */
  readonly name: string;
}

const isGrammar = (word: string): word is Grammar => Object.hasOwn(NAMES, word);

/** Only what a fence's first word can be: it is shown and never interpreted. */
export function languageOf(info: string): CodeLanguage {
  const word = /^[\w+#.-]{1,24}/.exec(info.trim())?.[0] ?? '';
  const lower = word.toLowerCase();
  const grammar = isGrammar(lower) ? lower : Object.hasOwn(ALIASES, lower) ? (ALIASES[lower] ?? null) : null;
  if (grammar === null) return { grammar, name: word };
  return { grammar, name: lower === 'jsx' ? 'JSX' : NAMES[grammar] };
}
