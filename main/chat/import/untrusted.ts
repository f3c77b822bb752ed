/** Reading from parsed JSON of which nothing is known. */
import { MAX_MESSAGE_LENGTH } from '../../../preload/contract.ts';

export type Fields = Readonly<Record<string, unknown>>;

export const fieldsOf = (value: unknown): Fields | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;

/** Own fields only: `__proto__` and `constructor` are names like any other. */
export const field = (fields: Fields, name: string): unknown =>
  Object.hasOwn(fields, name) ? fields[name] : undefined;

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** SQLite ends a text at NUL in places, and no message is longer than one that can be sent. */
export const plainText = (value: unknown): string | null =>
  typeof value === 'string' && value.length <= MAX_MESSAGE_LENGTH ? value.replaceAll('\0', '').toWellFormed() : null;

export const textWithin = (value: unknown, length: number): string | null => {
  const text = plainText(value);
  return text === null || text.length > length ? null : text;
};

export function titleOf(value: unknown, fallback: string): string {
  const title = plainText(value)?.replace(/\s+/gu, ' ').trim().slice(0, 200) ?? '';
  return title === '' ? fallback : title;
}

const LATEST_MS = Date.UTC(2100, 0, 1);

/** Epoch milliseconds from a number of seconds, milliseconds or nanoseconds. */
export function timeOf(value: unknown): number | null {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) return null;
  // Seconds until the year 2100 are below 4.2e9; the same moment in milliseconds is a thousand times that.
  const ms = value < 1e11 ? value * 1_000 : value < 1e14 ? value : value / 1e6;
  return ms < LATEST_MS ? Math.round(ms) : null;
}

export const wholeNumber = (value: unknown): number | null =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
