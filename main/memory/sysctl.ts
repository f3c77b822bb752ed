/**
 * What `sysctl NAME…` prints. One call may succeed for some names and fail for others: the exit status is the count of
 * failures, the answers that came are good all the same (system_cmds, sysctl.c).
 */

export interface SysctlAnswers {
  /** Value text by name. After a write, `NAME: OLD -> NEW`, the new one. */
  readonly values: ReadonlyMap<string, string>;
  /** Names this macOS does not have. */
  readonly unknown: readonly string[];
  /** Writes that were not permitted, as `name=value`. */
  readonly denied: readonly string[];
}

const ANSWER = /^([A-Za-z_][\w.]*): ?(.*)$/;
const UNKNOWN = /^sysctl: unknown oid '([^']+)'/;
const DENIED = /^sysctl: (\S+): Operation not permitted$/;

/** stdout, or stdout and stderr together. Lines that are neither answer nor complaint are passed over. */
export function parseSysctl(text: string): SysctlAnswers {
  const values = new Map<string, string>();
  const unknown: string[] = [];
  const denied: string[] = [];
  for (const line of text.split(/\r\n|\r|\n/)) {
    const [, unknownName] = UNKNOWN.exec(line) ?? [];
    const [, refusedWrite] = DENIED.exec(line) ?? [];
    const [, name, value] = ANSWER.exec(line) ?? [];
    if (unknownName !== undefined) unknown.push(unknownName);
    else if (refusedWrite !== undefined) denied.push(refusedWrite);
    else if (name !== undefined && value !== undefined && name !== 'sysctl') {
      values.set(name, (value.split(' -> ').at(-1) ?? value).trim());
    }
  }
  return { values, unknown, denied };
}
