import { expect, test } from 'vitest';
import type { CommandResult, Commands } from './commands.ts';
import { quitApp, quitOutcome } from './quit-app.ts';

const ended = (code: number | null, stdout: string, stderr: string): CommandResult => ({ code, stdout, stderr });

test.each([
  ['it quit', ended(0, 'quit\n', ''), 'asked'],
  ['the number belongs to another program by now', ended(0, 'gone\n', ''), 'gone'],
  ['still running after ten seconds', ended(0, 'running\n', ''), 'refused'],
  [
    'macOS forbids it',
    ended(1, '', 'execution error: Error: Not authorized to send Apple events to Mail. (-1743)\n'),
    'denied',
  ],
  ['the same in Spanish', ended(1, '', 'execution error: Error: No autorizado. (-1743)'), 'denied'],
  ['cancelled in the app', ended(1, '', '0:116: execution error: User canceled. (-128)\n'), 'refused'],
  ['it did not answer in time', ended(1, '', 'execution error: Error: AppleEvent timed out. (-1712)'), 'refused'],
  ['it ended before it was asked', ended(1, '', "execution error: Error: Application isn't running. (-600)"), 'gone'],
  ['we stopped waiting', ended(null, '', 'Command failed'), 'refused'],
])('%s', (_, result, outcome) => {
  expect(quitOutcome(result)).toBe(outcome);
});

test('name and number reach the script as arguments, never as part of it', async () => {
  let passed: readonly string[] = [];
  const commands: Commands = {
    run: (_, args) => {
      passed = args;
      return Promise.resolve(ended(0, 'quit', ''));
    },
  };
  const name = `X"; do shell script "id`;
  expect(await quitApp(commands, { pid: 77, name })).toEqual({ outcome: 'asked', message: `${name} has quit.` });
  expect(passed.slice(-2)).toEqual(['77', name]);
  expect(passed.slice(0, -2).join(' ')).not.toContain('shell');
});
