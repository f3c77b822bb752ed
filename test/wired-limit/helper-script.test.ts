/**
 * The helper's script as root, with a stand-in for sysctl that notes what it is asked: whatever comes in, only 0 or an
 * integer from half to 85 % of the memory reaches it. Under dash and under bash's POSIX mode (macOS's sh is either).
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { HELPER_SCRIPT } from '../../main/wired-limit/helper/script.ts';
import { seededRandom } from '../engine/seeded-random.ts';
import { inRootRoom, noRootRoom } from './root-room.ts';

const MEMORY_BYTES = 17_179_869_184;
const LEAST_MIB = 8_192;
const MOST_MIB = 13_926;

const runs = process.env['HEADROOM_FAULTS'] === 'full' ? 10_000 : 300;
const seed = Number(process.env['HEADROOM_FUZZ_SEED'] ?? Date.now() & 0x7fffffff);

/** Each has its own idea of what -p, exported functions and start-up files are. */
const shells = { dash: 'dash -p', bash: 'bash --posix -p' };

/** What a caller could try to bring along; every file and folder named is made below, and leaves a trace when used. */
const hostileEnvironment = (folder: string): string =>
  [
    `PATH='${folder}/evil'`,
    `ENV='${folder}/evil/rc'`,
    `BASH_ENV='${folder}/evil/rc'`,
    `CDPATH='${folder}/evil'`,
    `IFS='0123456789'`,
    `SHELLOPTS=xtrace`,
    `PS4='$(touch ${folder}/evil/ran)'`,
    `LC_ALL=tr_TR.UTF-8`,
    `'BASH_FUNC_printf%%=() { touch ${folder}/evil/ran; }'`,
    `'BASH_FUNC_exec%%=() { touch ${folder}/evil/ran; }'`,
  ].join(' ');

interface Answer {
  readonly output: string;
  /** The arguments of every call of sysctl that is not a reading. */
  readonly written: readonly string[];
}

/** Runs the helper once for each input, in one namespace. */
function answersTo(inputs: readonly Buffer[], shell: string): Answer[] {
  const folder = mkdtempSync(join(tmpdir(), 'helper-'));
  try {
    for (const name of ['in', 'out', 'log', 'evil']) mkdirSync(join(folder, name));
    inputs.forEach((input, index) => writeFileSync(join(folder, 'in', String(index)), input));
    writeFileSync(join(folder, 'helper'), HELPER_SCRIPT);
    writeFileSync(join(folder, 'evil', 'rc'), `/usr/bin/touch ${folder}/evil/ran\n`);
    // It must not depend on anything of its caller either, so it knows its files by absolute names.
    const sysctl = `#!/bin/dash
case "$*" in
  '-n hw.memsize') echo ${MEMORY_BYTES} ;;
  '-n iogpu.wired_limit_mb') read -r value <${folder}/value; echo "$value" ;;
  *) printf '%s\\n' "$*" >>${folder}/written; printf '%s\\n' "\${2#*=}" >${folder}/value ;;
esac
`;
    inRootRoom(`
mount -t tmpfs tmpfs /usr/sbin
cat >/usr/sbin/sysctl <<'STAND_IN'
${sysctl}STAND_IN
chmod 755 /usr/sbin/sysctl
for name in dd sysctl printf; do
  printf '#!/bin/sh\\n/usr/bin/touch ${folder}/evil/ran\\n' >${folder}/evil/$name
  chmod 755 ${folder}/evil/$name
done
index=0
while [ $index -lt ${inputs.length} ]; do
  : >${folder}/written
  /usr/bin/env ${hostileEnvironment(folder)} /usr/bin/${shell} ${folder}/helper \\
    <${folder}/in/$index >${folder}/out/$index 2>/dev/null || :
  mv ${folder}/written ${folder}/log/$index
  index=$((index + 1))
done
`);
    expect(existsSync(join(folder, 'evil', 'ran')), 'something of the caller was run').toBe(false);
    return inputs.map((_, index) => ({
      output: readFileSync(join(folder, 'out', String(index)), 'latin1'),
      written: readFileSync(join(folder, 'log', String(index)), 'latin1')
        .split('\n')
        .slice(0, -1),
    }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What the helper should do, said apart from it. NUL bytes vanish: no shell can hold them. */
function expected(input: Buffer): number | null {
  const line = input.subarray(0, 16).toString('latin1').replaceAll('\0', '');
  const [, digits] = /^(0|[1-9][0-9]{0,6})\n$/.exec(line) ?? [];
  if (digits === undefined) return null;
  const limitMiB = Number(digits);
  return limitMiB === 0 || (limitMiB >= LEAST_MIB && limitMiB <= MOST_MIB) ? limitMiB : null;
}

function expectRight(input: Buffer, { output, written }: Answer): void {
  const limitMiB = expected(input);
  const what = JSON.stringify(input.toString('latin1').slice(0, 60));
  expect(written, what).toEqual(limitMiB === null ? [] : [`-w iogpu.wired_limit_mb=${limitMiB}`]);
  const [greeting, verdict, ...rest] = output.split('\n');
  expect([greeting, ...rest], what).toEqual(['headroom-wired-limit 1', '']);
  if (limitMiB === null) expect(verdict, what).toMatch(/^error [a-z-]+( \d+ \d+)?$/);
  else expect(verdict, what).toBe(`ok ${limitMiB}`);
}

/** By hand: what must pass, what must not, and what has broken such scripts before. */
const known = [
  '0\n',
  '8192\n',
  '12800\n',
  '13312\n',
  '13926\n',
  '8191\n',
  '13927\n',
  '1\n',
  '100\n',
  '99999\n',
  '9999999\n',
  '12345678\n',
  '99999999999999\n',
  '00\n',
  '007\n',
  '012800\n',
  '-1\n',
  '+12800\n',
  '12800',
  '',
  '\n',
  '\n12800\n',
  ' 12800\n',
  '12800 \n',
  '12800\r\n',
  '12800\t\n',
  '12800 99\n',
  '12800\n99\n',
  '12800\n\n',
  '12800;id\n',
  '$(id)\n',
  '`id`\n',
  '*\n',
  '12_800\n',
  '1e4\n',
  '0x3200\n',
  '12800.0\n',
  '10#12800\n',
  'a[$(id)]\n',
  '١٢٨٠٠\n',
  '１２８００\n',
  '1²800\n',
  "12800'\n",
  '12800"\n',
  '12800\\\n',
  'x\n',
  '-n\n',
  '12800\0\n',
  '\u{1b}[2J\n',
  'PATH=/tmp\n',
].map((text) => Buffer.from(text, 'utf8'));

function fuzzed(count: number, random: () => number): Buffer[] {
  const below = (most: number): number => Math.floor(random() * most);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T;
  const number = (): string => String(below(2) === 0 ? LEAST_MIB - 50 + below(6_000) : below(10 ** below(12)));
  const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => below(256)));
  const shapes: (() => Buffer)[] = [
    () => Buffer.from(`${number()}\n`),
    () => Buffer.from(`${number()}${pick(['', '\n\n', '\r\n', ' \n', ';id\n', '\0\n', '\nx', '&\n', '|sh\n'])}`),
    () => Buffer.from(`${pick(['0', '-', '+', ' ', '$', '`', '"', "'", '\\', '(', '\t', '0x'])}${number()}\n`),
    () => bytes(below(40)),
    () => Buffer.concat([bytes(below(4)), Buffer.from(number()), bytes(below(4)), Buffer.from('\n')]),
    () => {
      const near = Buffer.from(`${number()}\n`);
      near[below(near.length)] = below(256);
      return near;
    },
    () => Buffer.from(pick(['9', '1', '0', ' ', '\n']).repeat(below(100_000))),
  ];
  return Array.from({ length: count }, () => pick(shapes)());
}

describe.skipIf(noRootRoom !== null)('the helper as root', () => {
  beforeAll(() => console.log(`helper: ${runs} inputs a shell, HEADROOM_FUZZ_SEED=${seed}`));

  test.each(Object.keys(shells) as (keyof typeof shells)[])('%s: known inputs', (name) => {
    const answers = answersTo(known, shells[name]);
    answers.forEach((answer, index) => expectRight(known[index] as Buffer, answer));
    // The oracle must not refuse everything.
    expect(answers.filter(({ written }) => written.length > 0)).toHaveLength(6);
  });

  test.each(Object.keys(shells) as (keyof typeof shells)[])(
    '%s: fuzzed inputs',
    (name) => {
      const random = seededRandom(seed);
      let accepted = 0;
      for (let left = runs; left > 0; left -= 1_000) {
        const inputs = fuzzed(Math.min(left, 1_000), random);
        answersTo(inputs, shells[name]).forEach((answer, index) => {
          expectRight(inputs[index] as Buffer, answer);
          if (answer.written.length > 0) accepted += 1;
        });
      }
      // Both ways must have been gone often.
      expect(accepted).toBeGreaterThan(runs / 50);
      expect(accepted).toBeLessThan(runs / 2);
    },
    1_200_000,
  );
});
