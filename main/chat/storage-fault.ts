/** What SQLite says when the disk or the file is at fault, in words for people. Pure. */
import { AppFault } from '../fault.ts';

const textOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : '');

/** The file itself is broken: trying again will not help. */
export const isDamage = (thrown: unknown): boolean =>
  /not a database|malformed|corrupt|vtable constructor failed/i.test(textOf(thrown));

/** Null: the fault lies elsewhere. */
export function storageFault(thrown: unknown): AppFault | null {
  const options = { cause: thrown };
  if (isDamage(thrown))
    return new AppFault(
      'internal',
      'The file with the conversations is damaged.',
      'Quit Headroom and open it again: it takes over what can be read, and keeps the damaged file.',
      options,
    );
  const text = textOf(thrown);
  if (/database or disk is full/i.test(text))
    return new AppFault(
      'refused',
      'The disk is full, so nothing more can be kept.',
      'Free some space, then try again.',
      options,
    );
  if (/disk I\/O error|readonly database|unable to open database/i.test(text))
    return new AppFault(
      'refused',
      'The conversations cannot be written to the disk.',
      'Look whether the disk is there, has room and may be written to, then try again.',
      options,
    );
  return null;
}
