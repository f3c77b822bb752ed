import { expect, test } from 'vitest';
import { processOf, readLinuxMemory, readLinuxProcesses } from './linux-files.ts';

const status = 'Name:\tMainThread\nPid:\t12\nPPid:\t7\nVmPeak:\t  900 kB\nVmRSS:\t    2048 kB\n';

test.each([
  ['/usr/bin/node\0main/headless.ts\0', 'node'],
  ['nginx: worker process', 'nginx:'],
  ['', 'MainThread'],
  [null, 'MainThread'],
])('%j is called %s', (commandLine, command) => {
  expect(processOf(12, status, commandLine)).toEqual({ pid: 12, parentPid: 7, bytes: 2_097_152, command });
});

test('a kernel thread has no memory of its own, and one that ended meanwhile is none', () => {
  expect(processOf(2, 'Name:\tkthreadd\nPPid:\t0\n', '')).toBeNull();
  expect(processOf(2, null, null)).toBeNull();
});

if (process.platform !== 'linux') console.log('Skipped: reading this machine: it has no /proc');
test.runIf(process.platform === 'linux')('this machine can be read, and this process is in its list', async () => {
  const reading = await readLinuxMemory();
  expect(reading?.source).toBe('linux');
  expect(reading?.availableBytes).toBeGreaterThan(0);
  const ours = (await readLinuxProcesses()).find(({ pid }) => pid === process.pid);
  expect(ours?.bytes).toBeGreaterThan(1_000_000);
});
