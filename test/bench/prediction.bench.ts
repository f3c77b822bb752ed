/** How far predictions are from what the real engine counts, on models with random weights. */
import { compare, table } from '../fit/compare.ts';
import { measured } from '../fit/measured.ts';
import type { Bench, Figure } from './figure.ts';

const bench: Bench = async () => {
  const weights = await measured(['weights', '--scale', '1'], (lines) => compare(lines));
  const args = ['cache', '--step', '128', '--lengths', '127,129,255,257,300'];
  const models = ['--models', 'gpt-oss-20b;Llama 3.1 8B;Gemma 3 4B'];
  const [peaks, guesses] = await measured([...args, ...models], (lines) => [
    compare(lines),
    compare(lines, { isCalibrated: false }),
  ]);
  process.stderr.write(`${table(weights)}\n${table(peaks)}\n`);
  return [
    { ...worst('weights off, worst of nine layouts', weights), baseline: null },
    {
      ...worst('answer’s peak off, worst of fifteen', peaks),
      baseline: { what: 'before a calibration', value: offPercent(guesses) },
    },
  ];
};

const offPercent = (rows: ReturnType<typeof compare>): number =>
  Math.max(...rows.map(({ off }) => Math.abs(off))) * 100;

const worst = (name: string, rows: ReturnType<typeof compare>): Omit<Figure, 'baseline'> => ({
  name,
  unit: '%',
  value: offPercent(rows),
  compare: 'value',
  aim: { at: 'most', value: 3 },
});

export default bench;
