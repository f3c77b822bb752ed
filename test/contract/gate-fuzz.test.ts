import { expect, it } from 'vitest';
import { createGate } from '../../main/host/gate.ts';
import { answeringHandlers } from './answering-handlers.ts';
import { fuzzGate } from './fuzz-suite.ts';

it('answers 10,000 hostile payloads handed straight to the gate', async () => {
  const { handlers, handled } = answeringHandlers();
  const lines: string[] = [];
  const gate = createGate({ handlers, log: (_level, message) => lines.push(message) });
  await fuzzGate({ call: (message) => gate({ trusted: true }, message), handled, carries: 'structured-clone' });
  expect(lines).toEqual([]);
});
