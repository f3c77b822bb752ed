/** Numbers as people read them. Every number in the window passes through here. */
const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export const count = (value: number): string => whole.format(value);

/** Under ten seconds one second matters; over a minute, minutes do. Never "0 s". */
export function seconds(milliseconds: number): string {
  const total = Math.max(1, Math.round(milliseconds / 1_000));
  return total < 60 ? `${total} s` : `${Math.floor(total / 60)} min ${total % 60} s`;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "just now", "10 minutes ago", "yesterday". */
export function ago(milliseconds: number): string {
  if (milliseconds < 2 * MINUTE) return 'just now';
  if (milliseconds < HOUR) return `${Math.floor(milliseconds / MINUTE)} minutes ago`;
  if (milliseconds < 2 * HOUR) return 'an hour ago';
  if (milliseconds < DAY) return `${Math.floor(milliseconds / HOUR)} hours ago`;
  if (milliseconds < 2 * DAY) return 'yesterday';
  return `${Math.floor(milliseconds / DAY)} days ago`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

const unitOf = (value: number): number =>
  Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));

const inUnit = (value: number, unit: number): string => {
  const scaled = value / 1_000 ** unit;
  return unit >= 3 || (unit === 2 && scaled < 10) ? scaled.toFixed(1) : whole.format(scaled);
};

/** Decimal units, as macOS shows sizes. */
export const bytes = (value: number): string => `${inUnit(value, unitOf(value))} ${UNITS[unitOf(value)]}`;

/** "3.2 of 12.1 GB": both in the unit of the whole. */
export const bytesOf = (done: number, total: number): string =>
  `${inUnit(done, unitOf(total))} of ${inUnit(total, unitOf(total))} ${UNITS[unitOf(total)]}`;

const GIB = 1_073_741_824;
const MIB = 1_048_576;

/** Memory, in 1,024s under the names macOS uses for them: "16 GB" is what a Mac with 16 GB says it has. */
export function memory(value: number): string {
  if (value >= 99.95 * GIB) return `${whole.format(value / GIB)} GB`;
  if (value >= 999.5 * MIB) return `${(value / GIB).toFixed(1).replace(/\.0$/, '')} GB`;
  return `${whole.format(value / MIB)} MB`;
}

/** The same for what the wired limit counts in. May be below nothing. */
export const memoryOfMiB = (mib: number): string => (mib < 0 ? `−${memory(-mib * MIB)}` : memory(mib * MIB));

/** As the system's own setting has it: never rounded. */
export const exactMiB = (mib: number): string => `${whole.format(mib)} MiB`;

/** A size as it is said aloud: "406 megabytes", "1.4 gigabytes". */
export const bytesSpoken = (value: number): string => {
  const [amount = '', unit = ''] = bytes(value).split(' ');
  return `${amount} ${SPOKEN_UNITS[UNITS.findIndex((each) => each === unit)] ?? unit}`;
};

const SPOKEN_UNITS = ['bytes', 'kilobytes', 'megabytes', 'gigabytes', 'terabytes'] as const;
