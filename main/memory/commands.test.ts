import { expect, test } from 'vitest';
import { type CommandName, commandsAt } from './commands.ts';

const sh = commandsAt(
  Object.fromEntries(
    (
      [
        'sysctl',
        'vm_stat',
        'memory_pressure',
        'ioreg',
        'footprint',
        'top',
        'sw_vers',
        'pmset',
        'osascript',
        'launchctl',
        'lsof',
      ] as const
    ).map((name) => [name, name === 'ioreg' ? '/nowhere/ioreg' : '/bin/sh']),
  ) as Record<CommandName, string>,
);

test('a command answers with its exit status and both outputs', async () => {
  expect(await sh.run('sysctl', ['-c', 'echo out; echo err >&2; exit 3'])).toEqual({
    code: 3,
    stdout: 'out\n',
    stderr: 'err\n',
  });
});

test('numbers come in the C locale, AppleScript gets UTF-8', async () => {
  expect((await sh.run('sysctl', ['-c', 'echo $LC_ALL'])).stdout).toBe('C\n');
  expect((await sh.run('osascript', ['-c', 'echo $LC_ALL'])).stdout).toBe('en_US.UTF-8\n');
});

test('input reaches stdin, and one that never reads it does no harm', async () => {
  expect((await sh.run('sysctl', ['-c', 'cat'], { input: 'twelve' })).stdout).toBe('twelve');
  expect((await sh.run('sysctl', ['-c', 'exit 0'], { input: 'x'.repeat(500_000) })).code).toBe(0);
});

test('a missing, a slow, a talkative and an aborted command end without a code', async () => {
  expect(await sh.run('ioreg', [])).toMatchObject({ code: null, stderr: expect.stringContaining('ENOENT') });
  expect((await sh.run('sysctl', ['-c', 'exec sleep 30'], { timeoutMs: 50 })).code).toBeNull();
  expect((await sh.run('sysctl', ['-c', 'exec yes'])).code).toBeNull();
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 20);
  expect((await sh.run('sysctl', ['-c', 'exec sleep 30'], { signal: abort.signal })).code).toBeNull();
  expect((await sh.run('sysctl', ['-c', 'exit 0'], { signal: abort.signal })).code).toBeNull();
});

test('an argument with a NUL byte is refused, not thrown', async () => {
  expect((await sh.run('sysctl', ['a\0b'])).code).toBeNull();
});
