/** Where the normal window was last: one small file, of no consequence when it is lost. */
import * as v from 'valibot';
import { readIfThere, writeDurably } from '../../durable-file.ts';
import type { Rectangle } from './placement.ts';
import { parsedJson } from '../../plain-data.ts';

const length = v.pipe(v.number(), v.finite(), v.minValue(-100_000), v.maxValue(100_000));
const stored = v.object({ x: length, y: length, width: length, height: length });

export interface WindowPlace {
  current(): Rectangle | null;
  keep(bounds: Rectangle): void;
}

export function openWindowPlace(file: string, onTrouble: (message: string) => void): WindowPlace {
  let current = read(file);
  return {
    current: () => current,
    keep(bounds) {
      current = bounds;
      try {
        writeDurably(file, `${JSON.stringify(bounds)}\n`);
      } catch (error) {
        onTrouble(`the window's place could not be kept: ${String(error)}`);
      }
    },
  };
}

function read(file: string): Rectangle | null {
  try {
    return parsedJson(stored, readIfThere(file) ?? '');
  } catch {
    return null;
  }
}
