/** Runs every `*.bench.ts` here, one after the other, and reports. Arguments pick benches by a part of their name. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Bench, BenchUnavailable, compared, type Figure, isMet } from './figure.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.bench.ts'))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)));

const figures: Figure[] = [];
const unavailable: { bench: string; reason: string }[] = [];
for (const name of files) {
  process.stderr.write(`headroom: measuring ${name}\n`);
  try {
    const { default: bench } = (await import(new URL(name, import.meta.url).href)) as { default: Bench };
    figures.push(...(await bench()));
  } catch (error) {
    if (!(error instanceof BenchUnavailable)) throw error;
    unavailable.push({ bench: name, reason: error.message });
  }
}

const round = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));
const rows = figures.map((figure) => [
  figure.name,
  `${round(figure.value)} ${figure.unit}`,
  figure.baseline === null ? '' : `${round(figure.baseline.value)} ${figure.unit} (${figure.baseline.what})`,
  figure.compare === 'ratio' ? `× ${round(compared(figure))}` : `${round(compared(figure))} ${figure.unit}`,
  figure.aim === null ? '' : `${figure.aim.at === 'most' ? '≤' : '≥'} ${figure.aim.value}`,
  { true: 'met', false: 'MISSED', null: '' }[String(isMet(figure))] ?? '',
]);
const header = ['figure', 'measured', 'baseline', 'compared', 'aim', ''];
const widths = header.map((_, i) => Math.max(...[header, ...rows].map((row) => row[i]?.length ?? 0)));
for (const row of [header, ...rows]) {
  process.stdout.write(`${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}\n`);
}
for (const { bench, reason } of unavailable) process.stdout.write(`not measured: ${bench}: ${reason}\n`);

mkdirSync('test-results', { recursive: true });
writeFileSync(
  'test-results/bench.json',
  `${JSON.stringify(
    {
      machine: { cpus: cpus().length, cpu: cpus()[0]?.model, memoryBytes: totalmem(), node: process.version },
      figures: figures.map((figure) => ({ ...figure, compared: compared(figure), met: isMet(figure) })),
      unavailable,
    },
    null,
    2,
  )}\n`,
);
