/** The one command that changes the limit: constants and one integer. */

/** MiB; 0 is macOS's own choice. Reset by every boot. */
export const KNOB = 'iogpu.wired_limit_mb';
/** Its name on macOS 12 and 13, where it counts bytes. Shown, never written: MLX does not run there. */
export const OLDER_KNOB = 'debug.iogpu.wired_limit';

/** No 16 TiB Mac exists. The range that makes sense is for the plan; this is for what may reach a shell at all. */
const MOST_MIB = 16_777_216;

/** Throws on anything but a whole number of MiB. */
export function sysctlCommand(limitMiB: number): string {
  if (!Number.isSafeInteger(limitMiB) || limitMiB < 0 || limitMiB > MOST_MIB) {
    throw new RangeError(`not a wired limit: ${limitMiB}`);
  }
  return `/usr/sbin/sysctl -w ${KNOB}=${limitMiB}`;
}

/** For the user to run. */
export const commandToRun = (limitMiB: number): string => `sudo ${sysctlCommand(limitMiB)}`;
