/** The simulated Mac prints what real ones were recorded to print: the same lines, the same columns, other numbers. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseRunningApps, parseTop } from '../../main/memory/apps.ts';
import type { CommandName } from '../../main/memory/commands.ts';
import { parseFootprint } from '../../main/memory/footprint.ts';
import { parseIoreg } from '../../main/memory/ioreg.ts';
import { parseSwVers } from '../../main/memory/sw-vers.ts';
import { answer } from './answers.ts';
import { changed, GIB, type Mac, MIB } from './model.ts';
import { scenarios } from './scenarios.ts';

const recording = (name: string): string => {
  const text = readFileSync(new URL(`recordings/${name}.txt`, import.meta.url), 'utf8');
  return text.slice(text.indexOf('\n') + 1);
};
const sequoia: Mac = scenarios.fits.mac;
const tahoe: Mac = scenarios['macos-26'].mac;
const french: Mac = scenarios['french-locale'].mac;
const engine = { appPid: 5_000, enginePid: 5_001, gpuBytes: 11_516 * MIB };
const print = (mac: Mac, name: CommandName, ...args: string[]): string => answer(mac, name, args).stdout;

/** Digits and the blanks they are padded with become one mark; the length of the line is kept beside. */
const columns = (text: string) => text.split('\n').map((line) => [line.replace(/ *\d+/g, '#'), line.length] as const);
/** Any number is as good as another. */
const shape = (text: string): string => text.replace(/\d+/g, '#');

describe('vm_stat', () => {
  test.each([
    ['vm_stat_macos15.7.5_m1pro_16gb', sequoia],
    ['vm_stat_macos26.5_m4_24gb', tahoe],
  ])('is printed as in %s, column by column', (name, mac) => {
    expect(columns(print(mac, 'vm_stat'))).toEqual(columns(recording(name)));
  });
});

describe('memory_pressure', () => {
  test('in full, with the blanks at the ends of its lines', () => {
    expect(shape(print(sequoia, 'memory_pressure'))).toBe(shape(recording('memory_pressure_macos15.7.5_m1pro_16gb')));
  });
  test('in short', () => {
    expect(shape(print(sequoia, 'memory_pressure', '-Q'))).toBe(shape(recording('memory_pressure_Q_16gb_a')));
  });
});

describe('sysctl', () => {
  const names = ['kern.memorystatus_vm_pressure_level', 'kern.memorystatus_level', 'vm.swapusage'];
  test('the level and the swap', () => {
    const recorded = recording('sysctl_pressure_18core_48gb_loaded').split('\n').slice(0, 3).join('\n');
    expect(shape(print(sequoia, 'sysctl', ...names)).trim()).toBe(shape(recorded));
  });
  test('a decimal comma in French', () => {
    expect(shape(print(french, 'sysctl', '-n', 'vm.swapusage'))).toBe(
      shape(recording('sysctl_swapusage_frCA_decimal_comma')),
    );
  });
  test('an unknown name, alone, among others, and passed over', () => {
    expect(answer(sequoia, 'sysctl', ['hw.cpufrequency_max'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: recording('sysctl_unknown_oid'),
    });
    expect(answer(sequoia, 'sysctl', ['hw.cpufrequency_max', 'hw.memsize'])).toMatchObject({
      code: 1,
      stdout: 'hw.memsize: 17179869184\n',
    });
    expect(answer(sequoia, 'sysctl', ['-i', 'hw.cpufrequency_max', 'hw.memsize'])).toMatchObject({
      code: 0,
      stderr: '',
    });
  });
  test('writing it as nobody, and as root', () => {
    const refused = answer(changed(sequoia, { kind: 'set-limit', limitMiB: 0 }), 'sysctl', [
      'iogpu.wired_limit_mb=12800',
    ]);
    expect(refused.code).toBe(1);
    expect(refused.changes).toEqual([]);
    expect(`${refused.stdout}${refused.stderr}`).toBe(recording('sysctl_iogpu_set_not_root_DERIVED'));
    const done = answer(sequoia, 'sysctl', ['-w', 'iogpu.wired_limit_mb=14000'], true);
    expect(shape(done.stdout)).toBe(shape(recording('sysctl_iogpu_set_16gb_m1')));
    expect(done.changes).toEqual([{ kind: 'set-limit', limitMiB: 14_000 }]);
  });
});

describe('the others', () => {
  test('sw_vers', () => {
    const mac = { ...sequoia, version: '26.5.1', build: '25F80' };
    expect(print(mac, 'sw_vers')).toBe(recording('sw_vers_26.5.1'));
    expect(parseSwVers(print(sequoia, 'sw_vers'))?.major).toBe(15);
  });
  test('pmset', () => {
    expect(print(sequoia, 'pmset', '-g', 'therm')).toBe(recording('pmset_g_therm_nominal'));
  });
  test('footprint of the engine', () => {
    const text = print(changed(sequoia, { kind: 'engine', engine }), 'footprint', '-p', '5001');
    expect(shape(text.split('\n').slice(1).join('\n'))).toBe(
      shape(recording('footprint_rube').split('\n').slice(1).join('\n')),
    );
    expect(parseFootprint(text)?.bytes).toBe(engine.gpuBytes + 250 * MIB);
  });
  test('ioreg', () => {
    const text = print(
      changed(sequoia, { kind: 'engine', engine }),
      'ioreg',
      '-r',
      '-d',
      '1',
      '-w',
      '0',
      '-c',
      'IOAccelerator',
    );
    expect(parseIoreg(text)?.inUseBytes).toBe(engine.gpuBytes);
    const keys = (of: string) => new Set([...of.matchAll(/"([^"]+)"=/g)].map(([, key]) => key));
    expect([...keys(recording('ioreg_m4_a'))]).toEqual(expect.arrayContaining([...keys(text)]));
  });
  test('top: its memory line, and the table with the engine below the app', () => {
    const text = print(changed(sequoia, { kind: 'engine', engine }), 'top', '-l', '1', '-o', 'mem');
    const recorded = shape(recording('top_physmem_macos15.7.5_m1pro_16gb')).trim().split('\n');
    expect(shape(text).split('\n')).toEqual(expect.arrayContaining(recorded));
    const [first] = parseTop(text);
    expect(first).toMatchObject({ pid: 5_001, parentPid: 5_000, command: 'python3.12' });
    // Above 10,000 MB top has no decimals left.
    expect((first?.bytes ?? 0) / GIB).toBe(11);
    expect(parseTop(text)).toHaveLength(sequoia.processes.length + 2);
  });
  test('osascript: a cancelled and a wrong password, in the recorded words', () => {
    const script = [
      '-e',
      'do shell script (item 1 of argv) with administrator privileges',
      '/usr/sbin/sysctl -w iogpu.wired_limit_mb=12800',
      'why it is asked for',
    ];
    const [cancelled = '', , , , wrong = ''] = recording('osascript_cancel_and_errors').split('\n');
    expect(answer({ ...sequoia, prompt: 'cancelled' }, 'osascript', script).stderr.trim()).toBe(cancelled);
    expect(answer({ ...sequoia, prompt: 'wrong-password' }, 'osascript', script).stderr).toContain(wrong);
    expect(answer(sequoia, 'osascript', script).changes).toEqual([{ kind: 'set-limit', limitMiB: 12_800 }]);
  });
  test('osascript: the list of apps', () => {
    const apps = parseRunningApps(print(sequoia, 'osascript', '-l', 'JavaScript', '-e', '…runningApplications…'));
    expect(apps.map(({ name }) => name)).toContain('Google Chrome');
  });
});
