import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type CommandName, noCommands } from '../memory/commands.ts';
import { macMachine, readMachine } from './machine.ts';

const recording = (name: string): string =>
  readFileSync(new URL(`../../test/macos/recordings/${name}.txt`, import.meta.url), 'utf8');
const fallback = { chip: 'as Node says', memoryBytes: 1 };

test('an M2 Pro as recorded, on a macOS as recorded', () => {
  expect(macMachine(recording('sysctl_hw_m2pro_32gb'), recording('sw_vers_14.6.1'), fallback)).toEqual({
    chip: 'Apple M2 Pro',
    memoryBytes: 34_359_738_368,
    system: 'macOS 14.6.1',
    cannotRun: null,
  });
});

test.each([
  [
    'an Intel Mac',
    'machdep.cpu.brand_string: Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz\nhw.memsize: 17179869184\n',
    'ProductVersion:\t\t15.6\n',
    /Intel processor \(Intel\(R\) Core.*M1 or later/,
  ],
  [
    'macOS 13',
    'machdep.cpu.brand_string: Apple M1\nhw.memsize: 17179869184\nhw.optional.arm64: 1\n',
    'ProductVersion:\t\t13.6.9\n',
    /macOS 13\.6\.9.*needs macOS 14/,
  ],
])('%s cannot run any model and is told why', (_name, sysctl, swVers, words) => {
  const { cannotRun } = macMachine(sysctl, swVers, fallback);
  expect(cannotRun?.message).toMatch(words);
  expect(cannotRun?.nextStep).not.toBe('');
});

test('what cannot be read refuses nothing', async () => {
  expect(macMachine('', '', fallback)).toEqual({ ...fallback, system: 'macOS', cannotRun: null });
  expect(await readMachine('darwin', noCommands)).toMatchObject({ system: 'macOS', cannotRun: null });
});

test('a Mac is asked by two commands, other systems by none', async () => {
  const asked: CommandName[] = [];
  const commands = {
    run: (name: CommandName) => {
      asked.push(name);
      return noCommands.run(name, []);
    },
  };
  expect(await readMachine('linux', commands)).toMatchObject({ system: 'Linux', cannotRun: null });
  expect(asked).toEqual([]);
  await readMachine('darwin', commands);
  expect(asked.sort()).toEqual(['sw_vers', 'sysctl']);
});
