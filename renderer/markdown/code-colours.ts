import type { Grammar } from './languages.ts';

/**
 * What a piece of code is, in the order in which the worker numbers them. Punctuation and operators are plain: of all the
 * pieces they are the most, and a colour of their own tells nothing.
 */
export const CODE_KINDS = [
  'plain',
  'comment',
  'keyword',
  'string',
  'number',
  'function',
  'type',
  'attribute',
  'inserted',
  'deleted',
] as const;

export type CodeKind = (typeof CODE_KINDS)[number];

/** A line as kind, length, kind, length…; what it does not reach is plain. */
export type ColouredLine = readonly number[];

/** From the window to the worker: lines of a block, from the given one on. Earlier ones were sent before. */
export interface ColourRequest {
  readonly block: number;
  readonly grammar: Grammar;
  readonly from: number;
  readonly lines: readonly string[];
}

export interface ColourAnswer {
  readonly block: number;
  readonly from: number;
  readonly lines: readonly ColouredLine[];
  /** All that was asked for is answered. */
  readonly isIdle: boolean;
}
