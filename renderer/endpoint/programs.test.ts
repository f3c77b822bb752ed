import { expect, it } from 'vitest';
import { PROGRAMS } from './programs.ts';

const connection = { url: 'http://127.0.0.1:8080/v1', key: "hr-k'y", model: 'org/model', contextTokens: 4_096 };
const shells = ['Open WebUI', 'Claude Code', 'Codex', 'aider', 'llm', 'curl'];

it.each(PROGRAMS.map((program) => [program.name, program] as const))('%s', (name, program) => {
  const text = program.text(connection);
  expect(text).toMatch(/(127\.0\.0\.1|host\.docker\.internal):8080/);
  // What goes into a shell is quoted there, whatever it is.
  expect(text).toContain(shells.includes(name) ? "hr-k'\\''y" : "hr-k'y");
});
