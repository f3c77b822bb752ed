import type { MemorySample, MemorySource, PressureLevel } from '../../preload/contract.ts';

/** The kernel's level in a word. */
export const LEVEL_WORDS: Readonly<Record<PressureLevel, string>> = {
  normal: 'Normal',
  warning: 'Warning',
  critical: 'Critical',
};

/** What the level means for the person, in a sentence or two. */
export function levelExplained(level: PressureLevel, source: MemorySource): string {
  switch (level) {
    case 'normal':
      return source === 'macos'
        ? 'There is room. Nothing needs to be done.'
        : 'No program waits for memory. Nothing needs to be done.';
    case 'warning':
      return source === 'macos'
        ? 'macOS compresses memory to make room. Usual with a large model; it matters only if swap grows or answers slow down.'
        : 'Programs wait for memory now and then. Answers may slow down.';
    case 'critical':
      return source === 'macos'
        ? 'macOS is almost out of memory. Quit something large, or turn the model off.'
        : 'Programs wait for memory much of the time. Quit something large, or turn the model off.';
  }
}

/** Where each level begins, by the system's own measure. */
export const LEVEL_BOUNDS: Readonly<Record<MemorySource, Readonly<Record<PressureLevel, string>>>> = {
  macos: {
    normal: 'Less than half of what macOS can move is compressed.',
    warning: 'From half on. macOS has begun to push memory out.',
    critical: 'From two thirds on. macOS may end programs.',
  },
  linux: {
    normal: 'Programs wait for memory less than 10 % of the time.',
    warning: 'From 10 % on.',
    critical: 'From 40 % on. The system may end programs.',
  },
};

/** What a screen reader says for the gauge. */
export const gaugeSpoken = ({ level, needle, source }: Pick<MemorySample, 'level' | 'needle' | 'source'>): string =>
  source === 'macos'
    ? `${LEVEL_WORDS[level]}, ${Math.round(needle * 100)} % of movable memory compressed`
    : LEVEL_WORDS[level];

/** Where the sheet's numbers come from, by what each system calls them. */
export const SOURCES = {
  macos: {
    level: 'The kernel’s verdict: kern.memorystatus_vm_pressure_level',
    needle: 'vm_stat: pages of the compressor, as a share of them and the pages macOS can move',
    swap: 'sysctl vm.swapusage',
    swapRate: 'vm_stat: Swapouts, between two readings',
    wired: 'vm_stat: Pages wired down',
    compressed: 'vm_stat: Pages occupied by compressor',
    available: 'vm_stat: free, purgeable and file-backed pages',
    total: 'sysctl hw.memsize',
    users: 'top: MEM, helpers counted with their app',
  },
  linux: {
    level: '/proc/pressure/memory: some avg10',
    needle: '/proc/pressure/memory: some avg10',
    swap: '/proc/meminfo: SwapTotal less SwapFree',
    swapRate: '/proc/vmstat: pswpout, between two readings',
    wired: 'Not told by Linux',
    compressed: '/proc/meminfo: Zswap',
    available: '/proc/meminfo: MemAvailable',
    total: '/proc/meminfo: MemTotal',
    users: '/proc: VmRSS, children counted with their program',
  },
} as const satisfies Readonly<Record<MemorySource, Readonly<Record<string, string>>>>;

export const ENGINE_SOURCE = 'The engine: MLX’s active memory';
