import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memoryUsers, parseRunningApps, parseTop } from './apps.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** The header is as recorded (test/macos/recordings/top_physmem…), the table as top's manual lays it out. */
const TOP = `Processes: 512 total, 2 running, 510 sleeping, 2843 threads
PhysMem: 15G used (2497M wired, 7090M compressor), 103M unused.
VM: 268T vsize, 5702M framework vsize, 470789(0) swapins, 929703(0) swapouts.

PID    PPID  MEM    COMMAND
900    1     11G+   Google Chrome
902*   900   3G     Google Chrome He
901    1     1G-    Google Chrome He
880    1     2048M  com.apple.WebKit
300    1     830M   Finder
500    1     100M   Headroom
501    500   11776M python3.12
502    500   200M   Headroom Helper
77     76    50M    zsh
76     1     70M    Terminal
78     77    900M   node
79     1     40M    Google Chromecast
0      0     6144M  kernel_task
1      0     N/A    launchd
garbage
`;
const APPS = [
  { pid: 900, name: 'Google Chrome', bundleId: 'com.google.Chrome' },
  { pid: 76, name: 'Terminal', bundleId: 'com.apple.Terminal' },
  { pid: 300, name: 'Finder', bundleId: 'com.apple.finder' },
];

test('the table is read below the header, with growth marks, and rows without a size are left out', () => {
  const processes = parseTop(TOP);
  expect(processes).toHaveLength(13);
  expect(processes[0]).toEqual({ pid: 900, parentPid: 1, bytes: 11 * GIB, command: 'Google Chrome' });
  expect(processes[1]).toMatchObject({ pid: 902, bytes: 3 * GIB });
});

test('helpers count with their app, by parent and by name, and the biggest is first', () => {
  const users = memoryUsers(parseTop(TOP), APPS, 500);
  expect(users.map(({ name, bytes }) => [name, bytes])).toEqual([
    ['Google Chrome', 15 * GIB],
    ['Headroom', 12_076 * MIB],
    ['kernel_task', 6 * GIB],
    ['Web pages (Safari and others)', 2 * GIB],
    ['Terminal', 1_020 * MIB],
    ['Finder', 830 * MIB],
    ['Google Chromecast', 40 * MIB],
  ]);
});

test('only apps can be asked to quit, and never ourselves or the Finder', () => {
  const users = memoryUsers(parseTop(TOP), [...APPS, { pid: 500, name: 'Headroom', bundleId: 'app.headroom' }], 500);
  expect(users.filter(({ canQuit }) => canQuit).map(({ name }) => name)).toEqual(['Google Chrome', 'Terminal']);
  expect(users.filter(({ isOurs }) => isOurs)).toEqual([
    { name: 'Headroom', pid: 500, bytes: 12_076 * MIB, isOurs: true, canQuit: false },
  ]);
});

test('the list of apps may be damaged, and is then empty', () => {
  expect(parseRunningApps('')).toEqual([]);
  expect(parseRunningApps('[{"pid":1,"name":"launchd","bundleId":null}]')).toEqual([]);
  expect(parseRunningApps('[{"pid":12,"name":"Mail","bundleId":null}]')).toEqual([
    { pid: 12, name: 'Mail', bundleId: null },
  ]);
});

test('an app that is just ending or starting is passed over, not the others', () => {
  const mail = { pid: 12, name: 'Mail', bundleId: 'com.apple.mail' };
  const list = [mail, { pid: -1, name: 'Ended', bundleId: null }, { pid: 13, bundleId: null }, null];
  expect(parseRunningApps(JSON.stringify(list))).toEqual([mail]);
});

test('parents that go round in a circle end, and no byte is lost', () => {
  const process = fc.record({
    pid: fc.integer({ min: 0, max: 12 }),
    parentPid: fc.integer({ min: 0, max: 12 }),
    bytes: fc.integer({ min: 0, max: 1_000 }),
    command: fc.constantFrom('a', 'b', 'Google Chrome He'),
  });
  fc.assert(
    fc.property(fc.uniqueArray(process, { selector: ({ pid }) => pid, maxLength: 12 }), (processes) => {
      const sum = (of: readonly { bytes: number }[]) => of.reduce((total, { bytes }) => total + bytes, 0);
      expect(sum(memoryUsers(processes, APPS, 5))).toBe(sum(processes));
    }),
  );
});

test('whatever is printed, the table parser reads numbers or nothing', () => {
  const cell = fc.constantFrom(
    '1',
    '22',
    '3G',
    '7090M+',
    'N/A',
    'x',
    ' ',
    '\n',
    '\t',
    '99999999999999999999',
    '*',
    '-',
  );
  fc.assert(
    fc.property(fc.array(cell, { maxLength: 40 }), (cells) => {
      for (const { pid, parentPid, bytes } of parseTop(`PID PPID MEM COMMAND\n${cells.join(' ')}`)) {
        expect([pid, parentPid, bytes].every(Number.isSafeInteger)).toBe(true);
      }
    }),
  );
});
