/** Remembers how fast this machine writes with each model, over restarts of the app. Losing it costs nothing. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as v from 'valibot';
import type { Log } from '../log/log.ts';
import type { DecodeRates } from './guard.ts';

const stored = v.record(v.string(), v.array(v.pipe(v.number(), v.finite(), v.minValue(0))));

export function openDecodeRates(file: string, log: Log): DecodeRates {
  let rates: Record<string, readonly number[]> = {};
  try {
    const parsed = v.safeParse(stored, JSON.parse(readFileSync(file, 'utf8')));
    if (parsed.success) rates = parsed.output;
  } catch {
    // Not there yet, or damaged: it is learned anew.
  }
  return {
    read: (modelKey) => (Object.hasOwn(rates, modelKey) ? (rates[modelKey] ?? []) : []),
    write(modelKey, list) {
      rates = { ...rates, [modelKey]: list };
      try {
        writeFileSync(`${file}.new`, JSON.stringify(rates), { mode: 0o600 });
        renameSync(`${file}.new`, file);
      } catch (error) {
        log('warn', `the usual rates could not be saved: ${String(error)}`);
      }
    },
  };
}
