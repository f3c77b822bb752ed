export interface MacVersion {
  readonly major: number;
  readonly minor: number;
  /** As printed, `26.5.1`. */
  readonly text: string;
  readonly build: string | null;
}

const VERSION = /^ProductVersion:\s+((\d{1,4})(?:\.(\d{1,4}))?\S*)\s*$/m;
const BUILD = /^BuildVersion:\s+(\S+)\s*$/m;

/** `sw_vers`; some systems print a line ProductVersionExtra between. */
export function parseSwVers(text: string): MacVersion | null {
  const [, version, major, minor] = VERSION.exec(text) ?? [];
  if (version === undefined || major === undefined) return null;
  return { major: Number(major), minor: Number(minor ?? 0), text: version, build: BUILD.exec(text)?.[1] ?? null };
}
