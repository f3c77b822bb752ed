/** Talks to the installed helper: one number, two lines back. A way to raise the limit that needs no dialog. */
import { createConnection } from 'node:net';
import type { ElevationOutcome, Elevator } from '../elevator.ts';
import { GREETING, HELPER_SOCKET, HELPER_VERSION } from './script.ts';

const ANSWER_TIMEOUT_MS = 5_000;
/** Two short lines; whatever sends more is not our helper. */
const MOST_ANSWER_BYTES = 256;

/** `unavailable` when it is not installed, switched off, somebody else's or another version: a dialog does as well. */
export function helperElevator(socketPath: string = HELPER_SOCKET): Elevator {
  return {
    setLimitMiB: (limitMiB, signal) =>
      new Promise((resolve) => {
        let answer = '';
        const socket = createConnection(socketPath);
        const end = (outcome: ElevationOutcome): void => {
          socket.destroy();
          resolve(outcome);
        };
        socket.setEncoding('utf8');
        socket.setTimeout(ANSWER_TIMEOUT_MS, () => end({ kind: 'unavailable', detail: 'the helper does not answer' }));
        socket.on('error', (error) => end({ kind: 'unavailable', detail: `the helper: ${error.message}` }));
        socket.on('connect', () => socket.write(`${limitMiB}\n`));
        socket.on('data', (piece: string) => {
          answer += piece;
          if (answer.length > MOST_ANSWER_BYTES) end({ kind: 'unavailable', detail: 'the helper talks nonsense' });
        });
        socket.on('end', () => end(helperOutcome(answer, limitMiB)));
        signal.addEventListener('abort', () => end({ kind: 'cancelled' }), { once: true });
      }),
  };
}

export function helperOutcome(answer: string, limitMiB: number): ElevationOutcome {
  const [greeting, verdict = ''] = answer.split('\n');
  if (greeting !== `${GREETING} ${HELPER_VERSION}`) {
    return { kind: 'unavailable', detail: 'the helper is of another version' };
  }
  if (verdict === `ok ${limitMiB}`) return { kind: 'done' };
  // Tighter than the dialog: what another tool had set may be outside its range, and a dialog can still put it back.
  if (verdict.startsWith('error out-of-range')) return { kind: 'unavailable', detail: `the helper: ${verdict}` };
  return { kind: 'refused', detail: `the helper: ${verdict.slice(0, 100) || 'no answer'}` };
}
