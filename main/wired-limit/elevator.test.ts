import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { CommandResult, Commands } from '../memory/commands.ts';
import { sysctlCommand } from './command.ts';
import {
  type ElevationOutcome,
  type Elevator,
  type SudoExec,
  inTurn,
  osascriptElevator,
  osascriptOutcome,
  sudoPromptElevator,
} from './elevator.ts';

const never = new AbortController().signal;
const failing = (stderr: string): CommandResult => ({ code: 1, stdout: '', stderr });

describe('what osascript says', () => {
  const recording = join(import.meta.dirname, '../../test/macos/recordings/osascript_cancel_and_errors.txt');
  const lines = readFileSync(recording, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

  test('every recorded line is understood, in every language', () => {
    expect(lines.map((line) => osascriptOutcome(failing(`${line}\n`), true).kind)).toEqual([
      'cancelled',
      'cancelled',
      'cancelled',
      'cancelled',
      'wrong-password',
    ]);
  });

  test.each([
    [{ code: 0, stdout: 'iogpu.wired_limit_mb: 0 -> 12800\r', stderr: '' }, true, { kind: 'done' }],
    [
      failing('0:99: execution error: The administrator user name or password was incorrect. (-60007)\n'),
      false,
      { kind: 'not-admin' },
    ],
    [failing('execution error: … (-60005)\n'), true, { kind: 'not-admin' }],
    [
      failing('0:99: execution error: sysctl: iogpu.wired_limit_mb=12800: Operation not permitted (1)\n'),
      true,
      { kind: 'refused', detail: 'sysctl: iogpu.wired_limit_mb=12800: Operation not permitted (1)' },
    ],
    [
      failing('0:9: execution error: No user interaction allowed. (-1713)'),
      true,
      { kind: 'unavailable', detail: '0:9: execution error: No user interaction allowed. (-1713)' },
    ],
    [{ code: null, stdout: '', stderr: 'spawn ENOENT' }, true, { kind: 'unavailable', detail: 'spawn ENOENT' }],
  ] as [CommandResult, boolean, ElevationOutcome][])('%j, admin %s', (result, isAdmin, outcome) => {
    expect(osascriptOutcome(result, isAdmin)).toEqual(outcome);
  });

  test('no text makes it throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (stderr, isAdmin) => {
        expect(osascriptOutcome(failing(stderr), isAdmin).kind).not.toBe('done');
      }),
    );
  });
});

function recorded(answer: CommandResult = { code: 0, stdout: '', stderr: '' }) {
  const calls: { name: string; args: readonly string[]; timeoutMs: number | undefined }[] = [];
  const commands: Commands = {
    run: (name, args, options) => {
      calls.push({ name, args, timeoutMs: options?.timeoutMs });
      return Promise.resolve(answer);
    },
  };
  return { calls, commands };
}

describe('osascript', () => {
  test('gets constants as script and everything else as arguments, and waits as long as it takes', async () => {
    const { calls, commands } = recorded();
    const elevator = osascriptElevator({ commands, hasScreen: () => true, isAdmin: () => true });
    expect(await elevator.setLimitMiB(12_800, never)).toEqual({ kind: 'done' });
    await elevator.setLimitMiB(0, never);
    expect(calls[0]).toMatchObject({ name: 'osascript', timeoutMs: 0 });
    const [first, second] = calls.map((call) => call.args);
    expect(first?.slice(0, 6)).toEqual([
      '-e',
      'on run argv',
      '-e',
      'do shell script (item 1 of argv) with prompt (item 2 of argv) with administrator privileges',
      '-e',
      'end run',
    ]);
    expect(second?.slice(0, 6)).toEqual(first?.slice(0, 6));
    expect(first?.[6]).toBe('/usr/sbin/sysctl -w iogpu.wired_limit_mb=12800');
    expect(second?.[6]).toBe('/usr/sbin/sysctl -w iogpu.wired_limit_mb=0');
  });

  test('over SSH nothing is tried', async () => {
    const { calls, commands } = recorded();
    const elevator = osascriptElevator({ commands, hasScreen: () => false, isAdmin: () => true });
    expect((await elevator.setLimitMiB(12_800, never)).kind).toBe('unavailable');
    expect(calls).toEqual([]);
  });

  test('taken away by the app is a cancel', async () => {
    const ending = new AbortController();
    const commands: Commands = {
      run: () => {
        ending.abort();
        return Promise.resolve({ code: null, stdout: '', stderr: 'The operation was aborted' });
      },
    };
    const elevator = osascriptElevator({ commands, hasScreen: () => true, isAdmin: () => true });
    expect(await elevator.setLimitMiB(12_800, ending.signal)).toEqual({ kind: 'cancelled' });
  });
});

test('nothing but a whole number of MiB becomes a command', () => {
  fc.assert(
    fc.property(fc.oneof(fc.double(), fc.integer(), fc.string(), fc.constant(null)), (value) => {
      const good = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= 16_777_216;
      if (good) expect(sysctlCommand(value)).toMatch(/^\/usr\/sbin\/sysctl -w iogpu\.wired_limit_mb=\d+$/);
      else expect(() => sysctlCommand(value as number)).toThrow(RangeError);
    }),
  );
});

describe('sudo-prompt', () => {
  const here = { hasScreen: () => true };
  const answering =
    (error?: Error, stderr = '', seen?: (command: string) => void): (() => Promise<SudoExec>) =>
    () =>
      Promise.resolve((command, _options, callback) => {
        seen?.(command);
        callback(error, '', stderr);
      });

  test('runs in /, as the user the system knows, and leaves both as they were', async () => {
    vi.stubEnv('USER', 'nobody victim');
    const folder = process.cwd();
    const seen: unknown[] = [];
    const elevator = sudoPromptElevator(
      here,
      answering(undefined, '', (command) => seen.push(command, process.cwd(), process.env['USER'])),
    );
    expect(await elevator.setLimitMiB(12_800, never)).toEqual({ kind: 'done' });
    expect(seen).toEqual(['/usr/sbin/sysctl -w iogpu.wired_limit_mb=12800', '/', userInfo().username]);
    expect([process.cwd(), process.env['USER']]).toEqual([folder, 'nobody victim']);
    vi.unstubAllEnvs();
  });

  test.each([
    [new Error('User did not grant permission.'), '', { kind: 'cancelled' }],
    [
      new Error('Command failed: /usr/sbin/sysctl -w iogpu.wired_limit_mb=12800\n'),
      'sysctl: Operation not permitted\n',
      { kind: 'refused', detail: 'sysctl: Operation not permitted' },
    ],
    [new Error('unzip: no'), '', { kind: 'unavailable', detail: 'unzip: no' }],
  ] as const)('%s', async (error, stderr, outcome) => {
    expect(await sudoPromptElevator(here, answering(error, stderr)).setLimitMiB(12_800, never)).toEqual(outcome);
  });

  test('the package has the call that is made, and needs no name but ours', async () => {
    const { exec } = await import('sudo-prompt');
    const error = await new Promise<Error | undefined>((resolve) => exec('sudo x', { name: 'Headroom' }, resolve));
    // It refuses this command itself, before it does anything.
    expect(error?.message).toContain('should not be prefixed');
  });
});

describe('in turn', () => {
  const giving = (kind: 'done' | 'unavailable' | 'cancelled', tried: string[]): Elevator => ({
    setLimitMiB: () => {
      tried.push(kind);
      return Promise.resolve(kind === 'unavailable' ? { kind, detail: 'not here' } : { kind });
    },
  });

  test('the next way is tried only where one does not exist', async () => {
    const tried: string[] = [];
    const all = [giving('unavailable', tried), giving('cancelled', tried), giving('done', tried)];
    expect((await inTurn(all).setLimitMiB(12_800, never)).kind).toBe('cancelled');
    expect(tried).toEqual(['unavailable', 'cancelled']);
    expect(await inTurn([giving('unavailable', tried)]).setLimitMiB(1, never)).toEqual({
      kind: 'unavailable',
      detail: 'not here',
    });
  });

  test('two calls make two dialogs one after the other', async () => {
    let open = 0;
    let most = 0;
    const slow: Elevator = {
      setLimitMiB: async () => {
        most = Math.max(most, (open += 1));
        await new Promise((resolve) => setTimeout(resolve, 5));
        open -= 1;
        return { kind: 'done' };
      },
    };
    const elevator = inTurn([slow]);
    await Promise.all([elevator.setLimitMiB(1, never), elevator.setLimitMiB(2, never)]);
    expect(most).toBe(1);
  });
});
