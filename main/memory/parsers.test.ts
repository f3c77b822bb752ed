/** Whatever a command prints, a parser neither throws nor answers with a number that is none. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bootFrom } from './boot.ts';
import { parseByteSize, parseWhole } from './byte-size.ts';
import { parseFootprint } from './footprint.ts';
import { parseIoreg } from './ioreg.ts';
import { linuxReading } from './linux-reading.ts';
import { parseMemoryPressure } from './memory-pressure.ts';
import { parsePmsetTherm } from './pmset.ts';
import { macReading } from './reading.ts';
import { parseSwapUsage } from './swap-usage.ts';
import { parseSwVers } from './sw-vers.ts';
import { parseSysctl } from './sysctl.ts';
import { parseVmStat } from './vm-stat.ts';

/** Pieces of the real formats, put together at random: noise alone would never get past the first line. */
const piece = fc.constantFrom(
  'Mach Virtual Memory Statistics: (page size of ',
  '16384',
  ' bytes)\n',
  'Pages free: ',
  'Pages speculative: ',
  'Pages active: ',
  'Pages inactive: ',
  'Pages wired down: ',
  'Pages purgeable: ',
  'File-backed pages: ',
  'Pages occupied by compressor: ',
  'Swapouts: ',
  '.\n',
  'kern.memorystatus_vm_pressure_level: ',
  'hw.memsize: ',
  'vm.swapusage: total = ',
  '  used = ',
  '  free = ',
  'kern.boottime: { sec = ',
  ', usec = ',
  ' -> ',
  '"PerformanceStatistics" = {"In use system memory"=',
  ',"Device Utilization %"=',
  '}',
  'phys_footprint: ',
  'ProductVersion:\t\t',
  'CPU_Speed_Limit \t= ',
  'The system has ',
  ' pages with a page size of ',
  'System-wide memory free percentage: ',
  'MemTotal: ',
  'MemAvailable: ',
  'SwapTotal: ',
  ' kB\n',
  'some avg10=',
  'pswpout ',
  '%',
  '\n',
  '\r',
  ' ',
  'M',
  ' MB',
  ',5',
  '.5',
  '-1',
  '0',
  '1',
  '4',
  '99999999999999999999999999',
  '1e999',
  'NaN',
  '9007199254740993',
);
const text = fc.oneof(
  fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary', maxLength: 300 }),
);

function expectNumbers(value: unknown): void {
  if (typeof value === 'number') expect(Number.isFinite(value) && value >= 0).toBe(true);
  else if (value instanceof Map) for (const part of value.values()) expectNumbers(part);
  else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) expectNumbers(part);
}

describe.each<[string, (input: string) => unknown]>([
  ['sizes', parseByteSize],
  ['whole numbers', parseWhole],
  ['sysctl', parseSysctl],
  ['swapusage', parseSwapUsage],
  ['vm_stat', parseVmStat],
  ['memory_pressure', parseMemoryPressure],
  ['ioreg', parseIoreg],
  ['footprint', parseFootprint],
  ['sw_vers', parseSwVers],
  ['pmset', parsePmsetTherm],
  ['boot', (input) => bootFrom(parseSysctl(input).values)],
  ['a Mac reading', (input) => macReading(input, input)],
  [
    'a Linux reading',
    (input) => linuxReading({ meminfo: input, pressure: input, vmstat: input, bootId: input, pageBytes: 4096 }),
  ],
])('%s', (_, parse) => {
  test('never throws, and every number is one', () => {
    fc.assert(
      fc.property(text, (input) => expectNumbers(parse(input))),
      { numRuns: 1_000 },
    );
  });
});

test('counters past 2^53 stay exact in vm_stat and are clamped in a reading', () => {
  const vmStat = [
    'Mach Virtual Memory Statistics: (page size of 16384 bytes)',
    'Pages free: 10.',
    'Pages active: 10.',
    'Pages inactive: 10.',
    'Pages speculative: 10.',
    'Pages wired down: 9007199254740993.',
    'Pages occupied by compressor: 40.',
    'Swapouts: 18446744073709551615.',
  ].join('\n');
  expect(parseVmStat(vmStat)?.counts.get('Pages wired down')).toBe(9_007_199_254_740_993n);
  const reading = macReading('kern.memorystatus_vm_pressure_level: 1\nhw.memsize: 17179869184', vmStat);
  expect(reading?.wiredBytes).toBe(Number.MAX_SAFE_INTEGER);
  expect(reading?.swapOutBytes).toBe(18_446_744_073_709_551_615n * 16_384n);
  expect(reading?.needle).toBe(0.5);
});

test('a level the kernel does not use is no reading', () => {
  expect(macReading('kern.memorystatus_vm_pressure_level: 3\nhw.memsize: 17179869184', '')).toBeNull();
});

test('Linux: what the files of a machine under pressure say', () => {
  const reading = linuxReading({
    meminfo:
      'MemTotal:       16000000 kB\nMemAvailable:    1200000 kB\nSwapTotal:       2000000 kB\nSwapFree:        500000 kB\n',
    pressure: 'some avg10=25.00 avg60=1.00 avg300=0.20 total=9\nfull avg10=3.00 avg60=0.10 avg300=0.00 total=3\n',
    vmstat: 'pswpin 5\npswpout 1000\n',
    bootId: '0e2f\n',
    pageBytes: 4096,
  });
  expect(reading).toEqual({
    source: 'linux',
    level: 'warning',
    needle: expect.closeTo(0.5785, 3),
    totalBytes: 16_384_000_000,
    availableBytes: 1_228_800_000,
    wiredBytes: null,
    compressedBytes: null,
    swapUsedBytes: 1_536_000_000,
    swapOutBytes: 4_096_000n,
    wiredLimitMiB: null,
    boot: { id: '0e2f', startedAtMs: null },
  });
});

test.each([
  [8_000, 'normal'],
  [1_500, 'warning'],
  [700, 'critical'],
])('Linux without pressure files: %i of 16,000 left is %s', (availableMiB, level) => {
  const meminfo = `MemTotal: ${16_000 * 1024} kB\nMemAvailable: ${availableMiB * 1024} kB\n`;
  expect(linuxReading({ meminfo, pressure: null, vmstat: null, bootId: null, pageBytes: 4096 })?.level).toBe(level);
});
