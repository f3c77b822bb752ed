/** What the wired limit's states mean, in words for people. Pure. */
import type { FailureCause, WiredLimitNote, WiredLimitPlan } from '../../preload/contract.ts';
import { commandToRun } from './command.ts';
import type { LimitRefusal } from './plan.ts';

export type TroubleCode =
  | 'cancelled'
  | 'wrong-password'
  | 'not-admin'
  | 'refused'
  | 'not-taken'
  | 'unavailable'
  | 'changed-meanwhile'
  | 'unreadable'
  | 'journal-unwritable'
  | 'journal-damaged'
  | 'journal-damaged-harmless';

interface Trouble {
  readonly during: 'raise' | 'restore' | 'look';
  readonly code: TroubleCode;
  readonly detail: string;
  readonly settingMiB: number;
  readonly originalMiB: number | null;
  readonly wantedMiB: number | null;
}

const BY_HAND = 'Choose “I’ll run it myself”: the command below goes into Terminal, and Headroom sees when it has run.';
const AGAIN_OR_BY_HAND = 'Try again, or choose “I’ll run it myself” and put the command below into Terminal.';

/** `runByHand`: the exact command belongs beside these words. */
export function troubleOf(trouble: Trouble): { readonly cause: FailureCause; readonly runByHand: boolean } {
  const { code, detail, settingMiB, originalMiB } = trouble;
  const cause = (message: string, nextStep: string): FailureCause => ({
    code: `wired-limit-${code}`,
    message,
    nextStep,
  });
  const now = limitInWords(settingMiB);
  switch (code) {
    case 'cancelled':
      return { cause: cause(`You cancelled. The limit is still ${now}.`, AGAIN_OR_BY_HAND), runByHand: true };
    case 'wrong-password':
      return {
        cause: cause(`macOS did not accept the password. The limit is still ${now}.`, AGAIN_OR_BY_HAND),
        runByHand: true,
      };
    case 'not-admin':
      return {
        cause: cause(
          `Only an administrator of this Mac may change the limit. It is still ${now}.`,
          'Try again with an administrator’s name and password, or ask one to run the command below.',
        ),
        runByHand: true,
      };
    case 'refused':
      return {
        cause: cause(`macOS refused the new limit (${detail}). It is still ${now}.`, BY_HAND),
        runByHand: true,
      };
    case 'not-taken':
      return {
        cause: cause(
          `The command ran, but the limit is still ${now}.`,
          'Another tool may hold it there, or this macOS does not allow it. Quit such tools and try again.',
        ),
        runByHand: true,
      };
    case 'unavailable':
      return {
        cause: cause(`macOS cannot ask for a password here (${detail}).`, BY_HAND),
        runByHand: true,
      };
    case 'changed-meanwhile':
      return {
        cause: cause(
          `Another tool has changed the limit: it is ${now} now.`,
          originalMiB === null
            ? 'Nothing needs to be put back.'
            : `Keep it, or put back what was there before Headroom: ${limitInWords(originalMiB)}.`,
        ),
        runByHand: false,
      };
    case 'unreadable':
      return {
        cause: cause(
          `The limit could not be read (${detail}).`,
          originalMiB === null
            ? 'Try again. A restart of the Mac gives the limit back to macOS in any case.'
            : 'Try again. What was there before is kept; a restart of the Mac gives the limit back to macOS in any case.',
        ),
        runByHand: false,
      };
    case 'journal-unwritable':
      return {
        cause: cause(
          `Headroom could not note what the limit is (${detail}), so it changed nothing.`,
          'Make room on the disk, then try again.',
        ),
        runByHand: false,
      };
    case 'journal-damaged':
      return {
        cause: cause(
          `The note of what the limit was before could not be read (kept as ${detail}). The limit is ${now}.`,
          'Put it back to macOS’s own choice, or leave it: it lasts until the Mac restarts.',
        ),
        runByHand: false,
      };
    case 'journal-damaged-harmless':
      return {
        cause: cause(
          `The note of what the limit was before could not be read (kept as ${detail}).`,
          'Nothing needs to be done: the limit is macOS’s own choice.',
        ),
        runByHand: false,
      };
  }
}

export function noteOf(code: WiredLimitNote['code'], settingMiB: number): WiredLimitNote {
  switch (code) {
    case 'restored':
      return { code, message: `Everything is put back: the limit is ${limitInWords(settingMiB)}.` };
    case 'reset-by-reboot':
      return { code, message: 'Restarting the Mac has given the limit back to macOS.' };
    case 'set-at-boot':
      return { code, message: `The limit was set when the Mac started: it is ${limitInWords(settingMiB)}.` };
    case 'kept-other-value':
      return { code, message: `The limit stays as the other tool set it: ${limitInWords(settingMiB)}.` };
  }
}

const limitInWords = (limitMiB: number): string =>
  limitMiB === 0 ? 'macOS’s own choice' : `${limitMiB.toLocaleString('en-US')} MiB`;

/** Why the model was not started. `command`: what the user is to run, null while macOS's dialog is open. */
export function causeOfChange(during: 'raise' | 'restore', command: string | null): FailureCause {
  const code = 'wired-limit-being-changed';
  return during === 'raise'
    ? {
        code,
        message: 'The model waits for the GPU’s higher memory limit.',
        nextStep:
          command === null
            ? 'Answer the macOS dialog: the model starts then.'
            : `Run “${command}” in a shell on the Mac: Headroom sees it and starts the model.`,
      }
    : {
        code,
        message: 'The GPU’s memory limit is just being put back.',
        nextStep:
          command === null
            ? 'Answer the macOS dialog or cancel it, then turn the model on.'
            : `Run “${command}” in a shell on the Mac, or stop watching for it, then turn the model on.`,
      };
}

/** Why the model was not started. `canAsk`: a dialog could appear here. */
export function causeOfPlan(plan: WiredLimitPlan, { canAsk }: { readonly canAsk: boolean }): FailureCause {
  const { verdict, needMiB, peakMiB, limitMiB, memoryMiB } = plan;
  const size = (MiB: number): string => `${MiB.toLocaleString('en-US')} MiB`;
  switch (verdict.kind) {
    case 'ram-too-small':
      return {
        code: 'memory-too-small',
        message: `The model takes ${size(peakMiB)} at its peak; of this Mac’s ${size(memoryMiB)} no more than ${size(verdict.mostMiB)} can safely be the GPU’s.`,
        nextStep: 'Choose a smaller model or a shorter context.',
      };
    case 'macos-too-old':
      return {
        code: 'macos-too-old',
        message: `MLX needs macOS 14 or newer. (The older limit, ${verdict.knob} in ${verdict.knobUnit}, would not help.)`,
        nextStep: 'Update macOS.',
      };
    default: {
      const raise = verdict.kind === 'raise' || verdict.kind === 'capped' ? commandToRun(verdict.toMiB) : null;
      const byHand =
        canAsk || raise === null
          ? null
          : `Run “${raise}” in a shell on the Mac: Headroom sees it and starts the model.`;
      return {
        code: 'wired-limit-needed',
        message: `The GPU may keep ${size(limitMiB)} in place; this model needs ${size(needMiB)}.`,
        nextStep:
          byHand !== null
            ? byHand
            : plan.canStartAnyway
              ? 'Raise the limit in Headroom’s window, or start without: it will be slow.'
              : 'Raise the limit in Headroom’s window. It lasts until the Mac restarts, and one click puts it back.',
      };
    }
  }
}

/** Message and next step for a limit that is not set. */
export function refusalInWords(
  refusal: LimitRefusal,
  bounds: { readonly leastMiB: number; readonly mostMiB: number; readonly settingMiB: number },
): [message: string, nextStep: string] {
  const range = `Choose from ${limitInWords(bounds.leastMiB)} to ${limitInWords(bounds.mostMiB)}.`;
  switch (refusal) {
    case 'not-an-integer':
      return ['The limit is a whole number of MiB.', range];
    case 'below-half':
      return ['A limit below half of the memory would starve the screen itself.', range];
    case 'above-85-percent':
      return ['A limit above 85 % of the memory leaves too little for the Mac itself.', range];
    case 'would-lower':
      return [
        `The limit is higher already: ${limitInWords(bounds.settingMiB)}.`,
        'Headroom never lowers what another tool has set.',
      ];
  }
}
