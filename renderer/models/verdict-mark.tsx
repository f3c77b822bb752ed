import { Check, CircleHelp, CircleSlash, KeyRound, Scale } from 'lucide-react';
import type { FitVerdict } from '../../preload/contract.ts';

/** Shapes, not colours: green, amber and red are the kernel's. */
const MARKS = {
  fits: Check,
  'fits-after-raise': KeyRound,
  'works-if': Scale,
  'not-on-this-mac': CircleSlash,
  unknown: CircleHelp,
} as const;

/** Stands before the verdict's words. */
export function VerdictMark({ verdict, size = 12 }: { readonly verdict: FitVerdict; readonly size?: number }) {
  const Mark = MARKS[verdict.kind];
  return <Mark size={size} strokeWidth={2} aria-hidden />;
}
