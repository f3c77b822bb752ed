/** Processes in a terminal, without an engine. */
import { expect, it } from 'vitest';
import { type Child, type ChildExit, terminalSpawner } from '../../main/engine/spawner.ts';
import { isAlive, until } from './harness.ts';

const PATH = process.env['PATH'] ?? '';

function shell(
  script: string,
  onOutput: (piece: string) => void = () => undefined,
): { child: Child; exit: Promise<ChildExit> } {
  const { promise: exit, resolve } = Promise.withResolvers<ChildExit>();
  const command = { file: '/bin/sh', args: ['-c', script], env: { PATH, MINE: 'yes' }, folder: '/' };
  return { child: terminalSpawner.spawn(command, { onOutput, onExit: resolve }), exit };
}

it('tells output, exit code and signal', async () => {
  let output = '';
  const { exit } = shell('echo "$MINE $HOME $(pwd)"; echo oops >&2; exit 7', (piece) => (output += piece));
  expect(await exit).toEqual({ exitCode: 7, signal: 0 });
  expect(output.replaceAll('\r\n', '|')).toBe('yes  /|oops|');
  const killed = shell('kill -KILL $$');
  expect(await killed.exit).toMatchObject({ signal: 9 });
});

it('reaches a process that has only just been forked', async () => {
  for (let round = 0; round < 20; round += 1) {
    const { child, exit } = shell('exec sleep 60');
    child.signalGroup('SIGTERM');
    expect(await exit).toMatchObject({ signal: 15 });
  }
}, 20_000);

it('takes along what a process leaves behind, even what ignores hang-ups', async () => {
  let output = '';
  const { exit } = shell('trap "" HUP TERM; sh -c "echo left \\$\\$; sleep 60; true" & sleep 0.3; exit 0', (piece) => {
    output += piece;
  });
  await until(() => /left \d+/.test(output));
  const left = Number(/left (\d+)/.exec(output)?.[1]);
  expect(isAlive(left)).toBe(true);
  await exit;
  await until(() => !isAlive(left), 5_000);
});

it('makes a flood wait instead of the app', async () => {
  let received = 0;
  const { child, exit } = shell('yes "a flood of output"', (piece) => (received += piece.length));
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  child.signalGroup('SIGKILL');
  await exit;
  expect(received).toBeGreaterThan(100_000);
  expect(received).toBeLessThan(4_000_000);
});
