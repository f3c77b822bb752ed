/** What a file is, by its name and its text. Pure. */

/** Code languages by shiki's names. What is not here is shown as plain text. */
const LANGUAGES: Readonly<Record<string, string>> = {
  bash: 'bash',
  c: 'c',
  cc: 'cpp',
  cfg: 'ini',
  cpp: 'cpp',
  cs: 'csharp',
  css: 'css',
  diff: 'diff',
  go: 'go',
  h: 'c',
  hpp: 'cpp',
  html: 'html',
  ini: 'ini',
  java: 'java',
  js: 'javascript',
  json: 'json',
  jsonl: 'json',
  jsx: 'jsx',
  kt: 'kotlin',
  lua: 'lua',
  m: 'objective-c',
  markdown: 'markdown',
  md: 'markdown',
  mjs: 'javascript',
  patch: 'diff',
  php: 'php',
  pl: 'perl',
  py: 'python',
  r: 'r',
  rb: 'ruby',
  rs: 'rust',
  scala: 'scala',
  sh: 'bash',
  sql: 'sql',
  swift: 'swift',
  tex: 'latex',
  toml: 'toml',
  ts: 'typescript',
  tsx: 'tsx',
  vue: 'vue',
  xml: 'xml',
  yaml: 'yaml',
  yml: 'yaml',
  zsh: 'bash',
};

export function languageOf(name: string): string | null {
  const lower = name.toLowerCase();
  if (lower === 'dockerfile') return 'docker';
  if (lower === 'makefile') return 'make';
  const ending = lower.includes('.') ? lower.slice(lower.lastIndexOf('.') + 1) : '';
  return Object.hasOwn(LANGUAGES, ending) ? (LANGUAGES[ending] ?? null) : null;
}

/** The last part of a path, without what could pass for something else in a prompt or a list. */
export function attachmentName(given: string | null): string {
  const last = (given ?? '').split(/[/\\]/).at(-1) ?? '';
  // Control characters and the marks that turn the writing direction around.
  const plain = last.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '').trim();
  return plain === '' ? 'Pasted text' : plain.slice(0, 120);
}

/** Why a text cannot be taken in, as a sentence; null when it can. */
export function notText(text: string): string | null {
  if (text.trim() === '') return 'There is nothing in it.';
  if (text.includes('\0')) return 'It is not a text file.';
  // What was decoded as UTF-8 and is none comes with replacement characters.
  const broken = text.slice(0, 65_536).match(/\ufffd/gu)?.length ?? 0;
  if (broken > 8 && broken > Math.min(text.length, 65_536) / 100) return 'It is not a text file, or not one in UTF-8.';
  return null;
}
