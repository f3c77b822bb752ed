/** Which run of the system this is: a raised wired limit lasts until the next one. */
export interface Boot {
  /** Another one after every reboot; the same when only the clock is set. */
  readonly id: string;
  /** Moves when the clock is set. Epoch milliseconds. */
  readonly startedAtMs: number | null;
}

const BOOT_TIME = /sec = (\d{1,12}), usec = (\d{1,6})/;

/** From sysctl's `kern.bootsessionuuid` and `kern.boottime`; null when neither can be read. */
export function bootFrom(values: ReadonlyMap<string, string>): Boot | null {
  const [, seconds, micros] = BOOT_TIME.exec(values.get('kern.boottime') ?? '') ?? [];
  const startedAtMs = seconds === undefined ? null : Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  const session = values.get('kern.bootsessionuuid') ?? '';
  if (session !== '') return { id: session, startedAtMs };
  return startedAtMs === null ? null : { id: `boottime-${seconds}`, startedAtMs };
}
