/**
 * Where no dialog can be shown, over SSH: the command is printed once, with what it is for, and the value is watched.
 * Running it in another shell is the user's consent; nothing here opens or changes anything.
 */
import type { WiredLimitState } from '../../preload/contract.ts';
import { commandToRun } from './command.ts';
import type { WiredLimit } from './session.ts';

/** Returns what ends it. */
export function watchOverSsh(ports: {
  readonly wiredLimit: Pick<WiredLimit, 'subscribe' | 'watchByHand'>;
  /** One paragraph for the person at the other end. */
  readonly say: (text: string) => void;
}): () => void {
  const { wiredLimit, say } = ports;
  /** Told and not yet run: the same request again is not told again. */
  let told: string | null = null;

  const watch = async (words: (command: string) => string): Promise<void> => {
    const command = await wiredLimit.watchByHand();
    if (command === null || command === told) return;
    told = command;
    say(words(command));
  };

  const hear = (state: WiredLimitState): void => {
    switch (state.kind) {
      case 'asking':
        void watch((command) => askWords(state, command));
        return;
      case 'raised':
        if (told !== null) say(raisedWords(state));
        told = null;
        return;
      case 'trouble':
        if (told === null || state.during !== 'raise') return;
        told = null;
        // Another value than the one asked for: the mistake is said, and the watch goes on.
        if (state.cause.code === 'wired-limit-changed-meanwhile') {
          void watch((command) => otherValueWords(state.settingMiB, command));
        } else say(`${state.cause.message} ${state.cause.nextStep}`);
        return;
      case 'not-needed':
      case 'idle':
      case 'raising':
      case 'verifying':
      case 'restoring':
    }
  };
  return wiredLimit.subscribe(hear);
}

const size = (MiB: number): string => `${MiB.toLocaleString('en-US')} MiB`;

function askWords({ plan, settingMiB }: Extract<WiredLimitState, { kind: 'asking' }>, command: string): string {
  return [
    `The model needs ${size(plan.needMiB)} for the GPU, which may keep ${size(plan.limitMiB)} in place.`,
    'No dialog can be shown over SSH. To raise the limit until the Mac restarts, run this in another shell:',
    '',
    `  ${command}`,
    '',
    'Headroom changes nothing itself: it looks every two seconds, and starts the model once the limit is there.',
    `To put it back later: ${commandToRun(settingMiB)}`,
  ].join('\n');
}

const raisedWords = ({ settingMiB, originalMiB }: Extract<WiredLimitState, { kind: 'raised' }>): string =>
  `The limit is ${size(settingMiB)} now, and the model starts. To put it back: ${commandToRun(originalMiB)}`;

const otherValueWords = (settingMiB: number, command: string): string =>
  `The limit is ${size(settingMiB)} now; that is not what the model needs. Run this:\n\n  ${command}\n`;
