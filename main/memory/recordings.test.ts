/** Every recording of a Mac's command through the parser that reads it. The first line of each file names its source. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseByteSize } from './byte-size.ts';
import { parseFootprint } from './footprint.ts';
import { parseIoreg } from './ioreg.ts';
import { parseMemoryPressure } from './memory-pressure.ts';
import { parsePmsetTherm } from './pmset.ts';
import { macNeedle } from './pressure.ts';
import { macReading } from './reading.ts';
import { parseSwapUsage } from './swap-usage.ts';
import { parseSwVers } from './sw-vers.ts';
import { parseSysctl } from './sysctl.ts';
import { parseVmStat } from './vm-stat.ts';

const folder = new URL('../../test/macos/recordings/', import.meta.url);
const recording = (name: string): string => {
  const text = readFileSync(new URL(`${name}.txt`, folder), 'utf8');
  return text.slice(text.indexOf('\n') + 1);
};
const MIB = 2 ** 20;

const vmStats: Record<string, { pageBytes: number; wired: bigint; swapouts: bigint; availableShare: number }> = {
  'vm_stat_macos13.2_x86_4k': { pageBytes: 4096, wired: 620_324n, swapouts: 6_656n, availableShare: 0.99 },
  'vm_stat_macos15.7.5_m1pro_16gb': { pageBytes: 16384, wired: 159_117n, swapouts: 929_703n, availableShare: 0.464 },
  'vm_stat_macos26.5_m4_24gb': { pageBytes: 16384, wired: 218_103n, swapouts: 73_343_490n, availableShare: 0.449 },
  vm_stat_macos26_m5pro_48gb_mte: { pageBytes: 16384, wired: 291_583n, swapouts: 77_484_917n, availableShare: 0.912 },
};

test.each(Object.entries(vmStats))('%s', (name, expected) => {
  const parsed = parseVmStat(recording(name));
  expect(parsed?.pageBytes).toBe(expected.pageBytes);
  expect(parsed?.counts.get('Pages wired down')).toBe(expected.wired);
  expect(parsed?.counts.get('Swapouts')).toBe(expected.swapouts);
  expect(parsed?.counts.has('Translation faults')).toBe(true);
  const pages = (label: string) => Number(parsed?.counts.get(label));
  const available = pages('Pages free') + pages('Pages speculative') + pages('Pages active') + pages('Pages inactive');
  const needle = macNeedle({ available, compressor: pages('Pages occupied by compressor') });
  expect(1 - needle).toBeCloseTo(expected.availableShare, 2);
});

/** What each says, by name, and the names this macOS does not know. */
const sysctls: Record<string, { values: Record<string, string>; unknown?: string[]; denied?: string[] }> = {
  sysctl_brand_m2pro: { values: { 'machdep.cpu.brand_string': 'Apple M2 Pro' } },
  sysctl_debug_iogpu_legacy: { values: { 'debug.iogpu.wired_limit': '0' } },
  sysctl_hw_m1pro_full: { values: { 'hw.perflevel0.physicalcpu': '8', 'machdep.cpu.brand_string': 'Apple M1 Pro' } },
  'sysctl_hw_m2max_macos26.6.2': { values: { 'hw.memsize': '68719476736', 'kern.osproductversion': '26.6.2' } },
  sysctl_hw_m2pro_16gb: {
    values: {
      'hw.memsize': '17179869184',
      'vm.swapusage': 'total = 23552.00M  used = 23181.62M  free = 370.38M  (encrypted)',
    },
    unknown: ['hw.cpufrequency_max'],
  },
  sysctl_hw_m2pro_32gb: { values: { 'hw.memsize': '34359738368', 'hw.optional.arm.FEAT_I8MM': '0' } },
  sysctl_iogpu_all_fixture: { values: { 'iogpu.wired_limit_mb': '36864', 'iogpu.dynamic_lwm': '1' } },
  'sysctl_iogpu_default_macos15.5_m2max': { values: { 'iogpu.wired_limit_mb': '0', 'hw.memsize': '68719476736' } },
  sysctl_iogpu_set_16gb_m1: { values: { 'iogpu.wired_limit_mb': '14000' } },
  sysctl_iogpu_set_launchdaemon_log: { values: { 'iogpu.wired_limit_mb': '114688' } },
  sysctl_iogpu_set_not_root_DERIVED: {
    values: { 'iogpu.wired_limit_mb': '0' },
    denied: ['iogpu.wired_limit_mb=12800'],
  },
  sysctl_iogpu_set_same: { values: { 'iogpu.wired_limit_mb': '26000' } },
  // Printed with -n: without names there is nothing to tell the lines apart by.
  'sysctl_n_hw_macos15.7.5_m1pro_16gb': { values: {} },
  sysctl_perflevel_names: { values: { 'hw.perflevel0.name': 'Performance', 'hw.perflevel1.name': 'Efficiency' } },
  sysctl_pressure_18core_48gb_loaded: {
    values: { 'kern.memorystatus_vm_pressure_level': '2', 'vm.loadavg': '{ 21.53 26.57 41.30 }' },
  },
  'sysctl_pressure_macos26.5_m4_24gb': {
    values: { 'kern.memorystatus_vm_pressure_level': '2', 'kern.memorystatus_level': '38' },
  },
  'sysctl_pressure_macos26.5_m4_24gb_later': {
    values: { 'kern.memorystatus_vm_pressure_level': '2', 'kern.memorystatus_level': '40' },
  },
  'sysctl_pressure_osx10.10_critical': { values: { 'kern.memorystatus_vm_pressure_level': '4' } },
  'sysctl_pressure_osx10.10_normal': { values: { 'kern.memorystatus_vm_pressure_level': '1' } },
  'sysctl_swapusage_macos15.7.5_m1pro_16gb': {
    values: { 'vm.swapusage': 'total = 2048.00M  used = 1470.06M  free = 577.94M  (encrypted)' },
  },
  sysctl_swapusage_more: {
    values: { 'vm.swapusage': 'total = 1024.00M  used = 1.81M  free = 1022.19M  (encrypted)' },
  },
  sysctl_unknown_oid: { values: {}, unknown: ['hw.cpufrequency_max'] },
};

test.each(Object.entries(sysctls))('%s', (name, expected) => {
  const parsed = parseSysctl(recording(name));
  expect(Object.fromEntries(parsed.values)).toMatchObject(expected.values);
  if (Object.keys(expected.values).length === 0) expect(parsed.values.size).toBe(0);
  expect(parsed.unknown).toEqual(expected.unknown ?? []);
  expect(parsed.denied).toEqual(expected.denied ?? []);
});

test.each([
  ['sysctl_swapusage_macos15.7.5_m1pro_16gb', [1470.06]],
  ['sysctl_swapusage_frCA_decimal_comma', [12.5]],
  ['sysctl_swapusage_more', [21_626.25, 1017.5, 1.81]],
  ['sysctl_hw_m2pro_16gb', [23_181.62]],
  ['sysctl_pressure_18core_48gb_loaded', [11_625.69]],
  ['sysctl_pressure_macos26.5_m4_24gb', [13_262.06]],
  ['sysctl_pressure_macos26.5_m4_24gb_later', [13_238.06]],
])('swap in use, %s', (name, usedMiB) => {
  const lines = recording(name)
    .split('\n')
    .filter((line) => line.includes('used ='));
  expect(lines.map((line) => parseSwapUsage(line)?.usedBytes)).toEqual(usedMiB.map((mib) => Math.round(mib * MIB)));
});

test.each([
  ['memory_pressure_macos15.7.5_m1pro_16gb', 38, 16_384],
  ['memory_pressure_Q_16gb_a', 66, 16_384],
  ['memory_pressure_Q_darwin24.6_4k', 60, 4_096],
  ['memory_pressure_Q_16gb_frCA', 71, 16_384],
])('%s', (name, freePercent, pageBytes) => {
  expect(parseMemoryPressure(recording(name))).toEqual({ totalBytes: 17_179_869_184, pageBytes, freePercent });
});

test.each([
  ['ioreg_m2pro', 830_029_824, 42],
  ['ioreg_m4_a', 351_141_888, 21],
  ['ioreg_m4_b', 550_649_856, 3],
  ['ioreg_m5_llm_busy', 28_367_667_200, 99],
  ['ioreg_m2', 696_860_672, 40],
])('%s', (name, inUseBytes, devicePercent) => {
  expect(parseIoreg(recording(name))).toMatchObject({ inUseBytes, devicePercent });
});

test.each([
  ['footprint_macos26.5_mlx_python', 5154 * MIB, 9215 * MIB],
  ['footprint_bytes', 15_517_760, 15_616_064],
  ['footprint_gb', 92 * 1024 * MIB, 99 * 1024 * MIB],
  ['footprint_rube', 13 * MIB, 13 * MIB],
])('%s', (name, bytes, peakBytes) => {
  expect(parseFootprint(recording(name))).toEqual({ bytes, peakBytes });
});

test.each([
  ['sw_vers_26.5.1', { major: 26, minor: 5, text: '26.5.1', build: '25F80' }],
  ['sw_vers_14.6.1', { major: 14, minor: 6, text: '14.6.1', build: '23G93' }],
  ['sw_vers_14.4.1_rsr', { major: 14, minor: 4, text: '14.4.1', build: '23E224' }],
])('%s', (name, version) => {
  expect(parseSwVers(recording(name))).toEqual(version);
});

test.each([['pmset_g_therm_nominal'], ['pmset_g_therm_limits_100']])('%s', (name) => {
  expect(parsePmsetTherm(recording(name))).toEqual({ cpuSpeedPercent: 100, schedulerPercent: 100 });
});

test('a throttled Mac, as macos prints it', () => {
  expect(parsePmsetTherm('\tCPU_Scheduler_Limit \t= 90\n\tCPU_Speed_Limit \t= 62\n')).toEqual({
    cpuSpeedPercent: 62,
    schedulerPercent: 90,
  });
});

test('top_physmem: its sizes', () => {
  const sizes = recording('top_physmem_macos15.7.5_m1pro_16gb').match(/\b\d+[BKMGT]\b/g) ?? [];
  expect(sizes.map(parseByteSize)).toEqual([
    15 * 1024 * MIB,
    2497 * MIB,
    7090 * MIB,
    103 * MIB,
    268 * 2 ** 40,
    5702 * MIB,
  ]);
});

test('a whole reading: the M1 Pro with 16 GB', () => {
  const sysctl = [
    'kern.memorystatus_vm_pressure_level: 2',
    'hw.memsize: 17179869184',
    recording('sysctl_swapusage_macos15.7.5_m1pro_16gb').trim(),
    'iogpu.wired_limit_mb: 0',
    'kern.bootsessionuuid: 6F1E2B7C-3A51-4C56-9D0E-2B9A35C8E1F4',
    'kern.boottime: { sec = 1779900000, usec = 250000 } Wed May 27 16:40:00 2026',
  ].join('\n');
  expect(macReading(sysctl, recording('vm_stat_macos15.7.5_m1pro_16gb'))).toEqual({
    source: 'macos',
    level: 'warning',
    needle: expect.closeTo(0.5358, 3),
    totalBytes: 17_179_869_184,
    availableBytes: (4_518 + 630 + 141_843) * 16_384,
    wiredBytes: 159_117 * 16_384,
    compressedBytes: 454_496 * 16_384,
    swapUsedBytes: Math.round(1470.06 * MIB),
    swapOutBytes: 929_703n * 16_384n,
    wiredLimitMiB: 0,
    boot: { id: '6F1E2B7C-3A51-4C56-9D0E-2B9A35C8E1F4', startedAtMs: 1_779_900_000_250 },
  });
});

/** Read by others than these parsers: the engine's failures and the wired limit have tests of their own. */
const readElsewhere = new Set([
  'launchdaemon_wired_limit.plist',
  'metal_log_working_set',
  'mlx_device_info_m2_16gb_macos26.json',
  'mlx_errors',
  'osascript_cancel_and_errors',
  'panic_strings',
]);

test('no recording is left out', () => {
  const source = readFileSync(new URL(import.meta.url), 'utf8');
  const names = readdirSync(folder).map((file) => file.replace(/\.txt$/, ''));
  expect(names.filter((name) => !readElsewhere.has(name) && !source.includes(name))).toEqual([]);
});
