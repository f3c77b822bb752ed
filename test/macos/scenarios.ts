/** What may happen on a Mac while Headroom runs, as data. */
import { type Change, GIB, type Mac, type MacProcess, MIB } from './model.ts';

export interface Step {
  /** Seconds of simulated time after this first came true. */
  readonly after: 'start' | 'loaded' | 'generating';
  readonly seconds: number;
  readonly change: Change;
}

export interface Scenario {
  /** What a person sees happen. */
  readonly story: string;
  readonly mac: Mac;
  readonly steps: readonly Step[];
}

const BOOTED_AT_MS = Date.UTC(2026, 4, 27, 8, 0, 0);

const finder: MacProcess = {
  pid: 300,
  parentPid: 1,
  command: 'Finder',
  bytes: 60 * MIB,
  app: { name: 'Finder', bundleId: 'com.apple.finder', whenAsked: 'quits' },
};
const mail: MacProcess = {
  pid: 410,
  parentPid: 1,
  command: 'Mail',
  bytes: 180 * MIB,
  app: { name: 'Mail', bundleId: 'com.apple.mail', whenAsked: 'quits' },
};
const browser: readonly MacProcess[] = [
  {
    pid: 900,
    parentPid: 1,
    command: 'Google Chrome',
    bytes: 380 * MIB,
    app: { name: 'Google Chrome', bundleId: 'com.google.Chrome', whenAsked: 'quits' },
  },
  { pid: 901, parentPid: 900, command: 'Google Chrome He', bytes: 180 * MIB },
  { pid: 902, parentPid: 900, command: 'Google Chrome He', bytes: 120 * MIB },
];
const writer: MacProcess = {
  pid: 620,
  parentPid: 1,
  command: 'Pages',
  bytes: 140 * MIB,
  app: { name: 'Pages', bundleId: 'com.apple.iWork.Pages', whenAsked: 'asks-about-unsaved-work' },
};
const editor: MacProcess = {
  pid: 640,
  parentPid: 1,
  command: 'Final Cut Pro',
  bytes: 90 * MIB,
  app: { name: 'Final Cut Pro', bundleId: 'com.apple.FinalCut', whenAsked: 'hangs' },
};
const notes: MacProcess = {
  pid: 660,
  parentPid: 1,
  command: 'Notes',
  bytes: 70 * MIB,
  app: { name: 'Notes', bundleId: 'com.apple.Notes', whenAsked: 'macos-denies' },
};
const system: readonly MacProcess[] = [
  { pid: 150, parentPid: 1, command: 'WindowServer', bytes: 420 * MIB },
  { pid: 200, parentPid: 1, command: 'mds_stores', bytes: 110 * MIB },
];

/** A quiet 16 GB Mac: 1.7 GiB of programs over 2.43 GiB of system memory. */
const quiet: Mac = {
  totalBytes: 16 * GIB,
  version: '15.7.5',
  build: '24G624',
  chip: 'Apple M2 Pro',
  decimalMark: '.',
  nowMs: BOOTED_AT_MS + 3_600_000,
  bootedAtMs: BOOTED_AT_MS,
  bootId: '6F1E2B7C-3A51-4C56-9D0E-2B9A35C80001',
  systemWiredBytes: 159_117 * 16_384,
  leakedWiredBytes: 0,
  leaksWhenUnloaded: 0,
  processes: [...system, finder, mail, ...browser, writer, editor, notes],
  engine: null,
  wiredLimitMiB: 0,
  prompt: 'allowed',
  daemons: { loaded: [], switchedOff: [] },
  churnBytesPerSecond: 0,
  growths: [],
  compressedBytes: 0,
  swappedBytes: 0,
  counters: { compressions: 2_000_000, decompressions: 900_000, swapOuts: 0, swapIns: 0 },
  level: 1,
};
const tahoe = { version: '26.5.1', build: '25F80' } as const;

const grow = (command: string, gib: number, overSeconds: number): Change => ({
  kind: 'grow',
  command,
  bytes: gib * GIB,
  overSeconds,
});

export const scenarios = {
  fits: {
    story: 'The limit allows the model, and there is room for it: green throughout.',
    mac: { ...quiet, wiredLimitMiB: 13_312 },
    steps: [],
  },
  'fits-after-a-raise': {
    story: 'macOS lets the GPU keep 10.7 GiB; the model needs more, and the user allows it.',
    mac: quiet,
    steps: [],
  },
  'browser-eats-4-gb': {
    story: 'While an answer is being written, the browser opens page after page.',
    mac: { ...quiet, wiredLimitMiB: 13_312 },
    steps: [
      { after: 'loaded', seconds: 0, change: grow('Google Chrome', 1, 1) },
      { after: 'generating', seconds: 1, change: grow('Google Chrome', 4, 4) },
    ],
  },
  'memory-needed-elsewhere': {
    story: 'The model is loaded and idle; another program needs 11 GB.',
    mac: { ...quiet, wiredLimitMiB: 13_312 },
    steps: [{ after: 'loaded', seconds: 5, change: grow('Final Cut Pro', 11, 8) }],
  },
  'yellow-but-calm': {
    story: 'The level is yellow for hours, but nothing is swapped: the normal state with a large model.',
    mac: { ...quiet, wiredLimitMiB: 13_312 },
    steps: [{ after: 'loaded', seconds: 2, change: grow('Google Chrome', 2.1, 4) }],
  },
  'swap-storm': {
    story: 'More is in use than there is memory, and everything in use is touched again and again.',
    mac: { ...quiet, wiredLimitMiB: 13_312 },
    steps: [
      { after: 'loaded', seconds: 3, change: grow('Google Chrome', 6, 5) },
      { after: 'loaded', seconds: 5, change: { kind: 'churn', bytesPerSecond: 900 * MIB } },
    ],
  },
  'cancelled-prompt': {
    story: 'The model needs a raised limit; the user closes the password dialog.',
    mac: { ...quiet, prompt: 'cancelled' },
    steps: [],
  },
  'panic-and-reboot': {
    story: 'The Mac panics while an answer is being written and starts again: the limit is macOS’s own.',
    mac: quiet,
    steps: [{ after: 'generating', seconds: 2, change: { kind: 'reboot' } }],
  },
  'leaked-wired-memory': {
    story: 'The model is unloaded, but 6 GiB stay wired: only a restart of the Mac gives them back.',
    mac: { ...quiet, wiredLimitMiB: 13_312, leaksWhenUnloaded: 6 * GIB },
    steps: [],
  },
  'french-locale': {
    story: 'Numbers have a decimal comma, and some memory is swapped already.',
    mac: { ...quiet, wiredLimitMiB: 13_312, decimalMark: ',', swappedBytes: 900 * MIB },
    steps: [],
  },
  'macos-26': {
    story: 'macOS 26: other columns, another default limit.',
    mac: { ...quiet, ...tahoe },
    steps: [],
  },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof scenarios;
