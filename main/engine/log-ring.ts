/**
 * The engine's last output lines. A terminal delivers arbitrary pieces with escapes, carriage returns and, from a
 * process gone wrong, megabytes without a newline: nothing here grows with the output.
 */
import { stripVTControlCharacters } from 'node:util';

export const MAX_LINES = 200;
/** UTF-16 units kept of a line. */
export const MAX_LINE_LENGTH = 2_000;

export interface LogRing {
  /** Takes a piece of output; returns the lines it completed, cleaned, empty ones left out. */
  write(piece: string): string[];
  /** The process has ended: an unfinished last line counts as a line. */
  end(): string[];
  /** Oldest first. */
  tail(): readonly string[];
}

export function createLogRing(): LogRing {
  let lines: string[] = [];
  let partial = '';

  const keep = (completed: readonly string[]): string[] => {
    const cleaned = completed.map((line) => cleanLine(bounded(line))).filter((line) => line !== '');
    if (cleaned.length > 0) lines = [...lines, ...cleaned].slice(-MAX_LINES);
    return cleaned;
  };

  return {
    write(piece) {
      const pieces = piece.split('\n');
      const last = pieces.pop() ?? '';
      if (pieces.length === 0) {
        partial = bounded(partial + last);
        return [];
      }
      const completed = [partial + (pieces[0] ?? ''), ...pieces.slice(1)];
      partial = bounded(last);
      return keep(completed);
    },
    end() {
      const rest = partial;
      partial = '';
      return keep([rest]);
    },
    tail: () => lines,
  };
}

/** Longest raw piece kept of an unfinished line: room for escapes that will be stripped. */
const MAX_PARTIAL_LENGTH = 4 * MAX_LINE_LENGTH;

function bounded(partial: string): string {
  if (partial.length <= MAX_PARTIAL_LENGTH) return partial;
  // A progress bar rewrites its line after a carriage return: only what follows the last one would be seen.
  return partial.slice(partial.lastIndexOf('\r', partial.length - 2) + 1).slice(0, MAX_PARTIAL_LENGTH);
}

/** One line as a person would have seen it: escapes gone, only what the last carriage return left. */
function cleanLine(raw: string): string {
  const shown = stripVTControlCharacters(raw)
    .split('\r')
    .filter((part) => part !== '')
    .at(-1);
  const text = (shown ?? '').replace(/(?!\t)\p{Cc}/gu, '').trimEnd();
  return text.length > MAX_LINE_LENGTH ? `${text.slice(0, MAX_LINE_LENGTH)} …` : text;
}

export interface LineBudget {
  /** How many lines were left out since the last admitted one, or null when this one is to be left out. */
  admit(nowMs: number): number | null;
}

/** Keeps a flooding child from filling the log file: at most `perSecond` lines a second are written. */
export function createLineBudget(perSecond: number): LineBudget {
  let windowStartMs = Number.NEGATIVE_INFINITY;
  let used = 0;
  let skipped = 0;
  return {
    admit(nowMs) {
      if (nowMs - windowStartMs >= 1_000 || nowMs < windowStartMs) {
        windowStartMs = nowMs;
        used = 0;
      }
      if (used >= perSecond) {
        skipped += 1;
        return null;
      }
      used += 1;
      const before = skipped;
      skipped = 0;
      return before;
    },
  };
}
