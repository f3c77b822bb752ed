/** Asking another app to quit, the way its own menu does: it may refuse, and it may ask about unsaved work. */
import type { QuitOutcome } from '../../preload/contract.ts';
import type { CommandResult, Commands } from './commands.ts';

/** The script itself waits ten seconds; until it gets there, macOS may be asking the user for consent. */
const QUIT_TIMEOUT_MS = 15_000;

/**
 * Arguments: process id, name. The name is checked, because a number may have been given to another program since.
 * Whether the process lives is asked of the kernel: the workspace's list is refreshed by a run loop this script lacks.
 */
const QUIT_SCRIPT = `ObjC.import('AppKit');
ObjC.bindFunction('kill', ['int', ['int', 'int']]);
function run(argv) {
  const pid = Number(argv[0]);
  const app = $.NSRunningApplication.runningApplicationWithProcessIdentifier(pid);
  if (app.isNil() || ObjC.unwrap(app.localizedName) !== argv[1]) return 'gone';
  Application(pid).quit();
  for (let i = 0; i < 50; i += 1) {
    if ($.kill(pid, 0) !== 0) return 'quit';
    delay(0.2);
  }
  return 'running';
}`;

export interface QuitAnswer {
  readonly outcome: QuitOutcome;
  readonly message: string;
}

export async function quitApp(commands: Commands, app: { pid: number; name: string }): Promise<QuitAnswer> {
  const args = ['-l', 'JavaScript', '-e', QUIT_SCRIPT, String(app.pid), app.name];
  const outcome = quitOutcome(await commands.run('osascript', args, { timeoutMs: QUIT_TIMEOUT_MS }));
  return { outcome, message: quitWords(outcome, app.name) };
}

/** By the number in brackets: the text before it is in the user's language. */
export function quitOutcome({ code, stdout, stderr }: CommandResult): QuitOutcome {
  if (code === 0) {
    const said = stdout.trim();
    return said === 'quit' ? 'asked' : said === 'gone' ? 'gone' : 'refused';
  }
  const [, number] = /\((-\d{1,6})\)\s*$/.exec(stderr) ?? [];
  switch (number) {
    case '-1743': // errAEEventNotPermitted
    case '-1744': // errAEEventWouldRequireUserConsent
      return 'denied';
    case '-600': // procNotFound
    case '-609': // connectionInvalid: it ended while it answered
      return 'gone';
    default:
      // -128: cancelled in the app's own dialog. -1712: it did not answer in time. None: we stopped waiting.
      return 'refused';
  }
}

function quitWords(outcome: QuitOutcome, name: string): string {
  switch (outcome) {
    case 'asked':
      return `${name} has quit.`;
    case 'denied':
      return `macOS did not let Headroom ask ${name}. Allow it in System Settings, Privacy & Security, Automation, or quit ${name} yourself.`;
    case 'refused':
      return `${name} is still open. It may be asking about unsaved work: look at its window.`;
    case 'gone':
      return `${name} was not running any more.`;
  }
}
