/**
 * The ways to set `iogpu.wired_limit_mb`, which takes an administrator. Root runs constants and one integer, nothing
 * else: no file that the user can write, no text from the window.
 */
import { userInfo } from 'node:os';
import type { CommandResult, Commands } from '../memory/commands.ts';
import { sysctlCommand } from './command.ts';

export type ElevationOutcome =
  /** The command ran and said nothing wrong; whether the value was taken, reading it back says. */
  | { readonly kind: 'done' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'wrong-password' }
  /** The account may not do this, and no administrator's name and password were given. */
  | { readonly kind: 'not-admin' }
  /** sysctl (or the helper) said no. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** This way does not exist here (over SSH, scripting forbidden): the next one is tried, or the user runs it. */
  | { readonly kind: 'unavailable'; readonly detail: string };

export interface Elevator {
  /** Sets the limit; 0 gives it back to macOS. Never rejects. Aborting takes the dialog away where that is possible. */
  setLimitMiB(limitMiB: number, signal: AbortSignal): Promise<ElevationOutcome>;
}

/** Runs a shell text as root after one dialog: for installing the helper. Never rejects. */
export interface RootShell {
  run(script: string, prompt: string): Promise<ElevationOutcome>;
}

// ── osascript ─────────────────────────────────────────────────────────────────────────────────────

/** Constant: what varies is an argument, which AppleScript hands on as a string, never as code. */
const ELEVATE_SCRIPT = [
  'on run argv',
  'do shell script (item 1 of argv) with prompt (item 2 of argv) with administrator privileges',
  'end run',
] as const;

export interface ScriptingPorts {
  readonly commands: Commands;
  /** False over SSH and without a login window: no dialog could appear. */
  readonly hasScreen: () => boolean;
  /** Member of the group `admin`. Others may still type an administrator's name. */
  readonly isAdmin: () => boolean;
}

export function osascriptElevator(ports: ScriptingPorts): Elevator & RootShell & Pick<ScriptingPorts, 'hasScreen'> {
  const elevate = async (script: string, prompt: string, signal?: AbortSignal): Promise<ElevationOutcome> => {
    if (!ports.hasScreen()) return { kind: 'unavailable', detail: 'no dialog can be shown here' };
    const result = await ports.commands.run(
      'osascript',
      [...ELEVATE_SCRIPT.flatMap((line) => ['-e', line]), script, prompt],
      // People take as long as they take.
      { timeoutMs: 0, ...(signal && { signal }) },
    );
    if (signal?.aborted) return { kind: 'cancelled' };
    return osascriptOutcome(result, ports.isAdmin());
  };
  return {
    hasScreen: ports.hasScreen,
    run: (script, prompt) => elevate(script, prompt),
    setLimitMiB: (limitMiB, signal) => elevate(sysctlCommand(limitMiB), promptFor(limitMiB), signal),
  };
}

const promptFor = (limitMiB: number): string =>
  limitMiB === 0
    ? `Headroom gives the GPU's wired limit back to macOS. It runs: ${sysctlCommand(0)}`
    : `Headroom lets the GPU keep up to ${limitMiB} MiB of memory in place until the next restart. It runs: ${sysctlCommand(limitMiB)}`;

/** The text is in the user's language; the number at its end is not. */
const ERROR_NUMBER = /\((-?\d{1,9})\)\s*$/;

export function osascriptOutcome({ code, stderr }: CommandResult, isAdmin: boolean): ElevationOutcome {
  if (code === 0) return { kind: 'done' };
  const detail = stderr.trim();
  const number = Number(ERROR_NUMBER.exec(detail)?.[1] ?? Number.NaN);
  switch (number) {
    case -128: // userCanceledErr
    case -60_006: // errAuthorizationCanceled
      return { kind: 'cancelled' };
    case -60_007: // as AppleScript says it: name or password incorrect
      return { kind: isAdmin ? 'wrong-password' : 'not-admin' };
    case -60_005: // errAuthorizationDenied
      return { kind: 'not-admin' };
    default:
      // A positive number is the exit status of the shell command, so the password was right and sysctl said no.
      return number > 0 ? { kind: 'refused', detail: withoutPosition(detail) } : { kind: 'unavailable', detail };
  }
}

const withoutPosition = (detail: string): string => detail.replace(/^(\d+:\d+: )?execution error: /, '');

// ── sudo-prompt ───────────────────────────────────────────────────────────────────────────────────

/** The part of sudo-prompt that is used. */
export type SudoExec = (
  command: string,
  options: { name: string },
  callback: (error?: Error, stdout?: string | Buffer, stderr?: string | Buffer) => void,
) => void;

/** Loaded when it is first needed: it carries an applet of some 100 KB. */
const loadSudoPrompt = async (): Promise<SudoExec> => (await import('sudo-prompt')).exec;

/**
 * Second choice, where osascript is forbidden: sudo-prompt's applet runs a file in the user's own folder as root, which
 * a process of the same user could replace while the dialog is open. Hence never for installing the helper.
 */
export function sudoPromptElevator(
  ports: Pick<ScriptingPorts, 'hasScreen'>,
  load: () => Promise<SudoExec> = loadSudoPrompt,
): Elevator {
  return {
    // Its dialog cannot be taken away, so the signal has no use here.
    async setLimitMiB(limitMiB) {
      if (!ports.hasScreen()) return { kind: 'unavailable', detail: 'no dialog can be shown here' };
      const command = sysctlCommand(limitMiB);
      try {
        const exec = await load();
        return await atRoot(
          () =>
            new Promise<ElevationOutcome>((resolve) =>
              exec(command, { name: 'Headroom' }, (error, _stdout, stderr) =>
                resolve(sudoPromptOutcome(error, String(stderr ?? ''))),
              ),
            ),
        );
      } catch (error) {
        return { kind: 'unavailable', detail: String(error) };
      }
    },
  };
}

/**
 * sudo-prompt writes the working folder into a root shell's script with only double quotes escaped, and its applet uses
 * $USER unquoted as root: both must be beyond doubt while it runs.
 */
async function atRoot<T>(run: () => Promise<T>): Promise<T> {
  const folder = process.cwd();
  const user = process.env['USER'];
  process.chdir('/');
  process.env['USER'] = userInfo().username;
  try {
    return await run();
  } finally {
    process.chdir(folder);
    if (user === undefined) delete process.env['USER'];
    else process.env['USER'] = user;
  }
}

function sudoPromptOutcome(error: Error | undefined, stderr: string): ElevationOutcome {
  if (error === undefined) return { kind: 'done' };
  // Its two messages; everything else comes from the file system or from starting the applet.
  if (error.message.includes('did not grant permission')) return { kind: 'cancelled' };
  if (error.message.startsWith('Command failed: /usr/sbin/sysctl')) {
    return { kind: 'refused', detail: stderr.trim() || error.message };
  }
  return { kind: 'unavailable', detail: error.message };
}

// ── Together ──────────────────────────────────────────────────────────────────────────────────────

/** One dialog at a time; the next way is tried only where the one before does not exist. */
export function inTurn(elevators: readonly Elevator[]): Elevator {
  let before: Promise<unknown> = Promise.resolve();
  const tryAll = async (limitMiB: number, signal: AbortSignal): Promise<ElevationOutcome> => {
    const details: string[] = [];
    for (const elevator of elevators) {
      if (signal.aborted) return { kind: 'cancelled' };
      const outcome = await elevator.setLimitMiB(limitMiB, signal);
      if (outcome.kind !== 'unavailable') return outcome;
      details.push(outcome.detail);
    }
    return { kind: 'unavailable', detail: details.join('; ') };
  };
  return {
    setLimitMiB(limitMiB, signal) {
      const mine = before.then(() => tryAll(limitMiB, signal));
      before = mine.catch(() => {});
      return mine;
    },
  };
}
