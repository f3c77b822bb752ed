import type { WiredLimitHelperState, WiredLimitPlan, WiredLimitState } from '../../preload/contract.ts';
import { exactMiB } from '../ui/numbers.ts';

/** 0 is how the system's setting says that it decides itself. */
export const limitIs = (settingMiB: number): string => (settingMiB === 0 ? 'macOS’s own choice' : exactMiB(settingMiB));

/** One line on how the limit stands. */
export function limitSummary(state: WiredLimitState): string {
  switch (state.kind) {
    case 'not-needed':
      return state.why;
    case 'idle':
      return state.note?.message ?? (state.settingMiB === 0 ? 'macOS’s own choice' : 'Set by another tool, left alone');
    case 'asking':
      return 'The chosen model needs more: your word is waited for';
    case 'raising':
    case 'restoring':
      return 'Waiting for you';
    case 'verifying':
      return 'Reading it back';
    case 'raised':
      return `Raised by Headroom. Before: ${limitIs(state.originalMiB)}`;
    case 'trouble':
      return state.cause.message;
  }
}

/** What came before Headroom and can be put back; null when there is nothing to. */
export function originalOf(state: WiredLimitState): number | null {
  switch (state.kind) {
    case 'raised':
      return state.originalMiB;
    case 'asking':
    case 'trouble':
      return state.originalMiB !== null && state.originalMiB !== state.settingMiB ? state.originalMiB : null;
    default:
      return null;
  }
}

/** What the plan comes to where nothing is to be raised. */
export function verdictWords(plan: WiredLimitPlan): { readonly title: string; readonly text: string } | null {
  const { verdict } = plan;
  switch (verdict.kind) {
    case 'none-needed':
      return {
        title: 'The limit is high enough',
        text: `The model needs ${exactMiB(plan.needMiB)} for the GPU and may have ${exactMiB(plan.limitMiB)}. Nothing has to be raised.`,
      };
    case 'respected-other-tool':
      return {
        title: 'Another tool has set the limit',
        text: verdict.aboveMost
          ? `It is ${exactMiB(plan.limitMiB)}, more than Headroom would set on a Mac with this memory. It is left alone.`
          : `It is ${exactMiB(plan.limitMiB)}, enough for this model. It is left alone.`,
      };
    case 'ram-too-small':
      return {
        title: 'This model is too large for this Mac',
        text: `At its peak it takes ${exactMiB(plan.peakMiB)}. Of the ${exactMiB(plan.memoryMiB)} here, no more than ${exactMiB(verdict.mostMiB)} can safely be the GPU’s. Choose a smaller model.`,
      };
    case 'macos-too-old':
      return {
        title: 'This macOS is too old',
        text: `The engine needs macOS 14 or newer. The older setting, ${verdict.knob} (in ${verdict.knobUnit}), would not help.`,
      };
    case 'raise':
    case 'capped':
      return null;
  }
}

/** How the helper stands; `action` is what can be done about it. */
export function helperWords(state: WiredLimitHelperState): {
  readonly text: string;
  readonly action: 'install' | 'remove' | null;
} {
  switch (state.kind) {
    case 'not-installed':
      return {
        text: 'A small helper, owned by the system, sets this one number without a password each time. Installing it asks once.',
        action: 'install',
      };
    case 'installed':
      return { text: `Installed, version ${state.version}. No password is asked for.`, action: 'remove' };
    case 'outdated':
      return {
        text:
          state.foundVersion === null
            ? 'An unknown version is installed. Install the current one to use it.'
            : `Version ${state.foundVersion} is installed. Install the current one to use it.`,
        action: 'install',
      };
    case 'switched-off':
      return {
        text: 'Installed, but switched off in System Settings, General, Login Items. Switch it on there, or remove it.',
        action: 'remove',
      };
    case 'other-user':
      return { text: 'Installed by another user of this Mac; it answers only them.', action: null };
    case 'unsafe':
      return {
        text: `Not used, because it is not safe: ${state.why}. Remove it and install it anew.`,
        action: 'remove',
      };
    case 'not-here':
      return { text: `Not available: ${state.why}.`, action: null };
  }
}
