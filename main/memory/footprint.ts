import { parseByteSize } from './byte-size.ts';

export interface Footprint {
  /** What macOS holds the process to account for; the resident size leaves out what is swapped. */
  readonly bytes: number;
  readonly peakBytes: number | null;
}

/** `footprint -p PID`, with or without `-f bytes`. Null when it says something else, such as that it must run as root. */
export function parseFootprint(text: string): Footprint | null {
  const bytes = sizeAfter(text, 'phys_footprint');
  return bytes === null ? null : { bytes, peakBytes: sizeAfter(text, 'phys_footprint_peak') };
}

function sizeAfter(text: string, key: 'phys_footprint' | 'phys_footprint_peak'): number | null {
  const [, size] = new RegExp(`^\\s*${key}:\\s+(.+)$`, 'm').exec(text) ?? [];
  return size === undefined ? null : parseByteSize(size);
}
