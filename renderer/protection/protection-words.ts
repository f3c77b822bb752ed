import type { PressureLevel, ProtectionState } from '../../preload/contract.ts';

export interface Banner {
  readonly message: string;
  readonly nextStep: string | null;
  /** The level that caused it; null where none did. */
  readonly level: PressureLevel | null;
  /** Something was done to the person's work or Mac. */
  readonly isAmber: boolean;
  readonly action: 'overrule' | 'load' | null;
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

/** What to show of protection; null when there is nothing to tell beyond the gauge. */
export function bannerOf(state: ProtectionState): Banner | null {
  switch (state.kind) {
    case 'off':
    case 'calm':
    // Yellow alone only informs: the gauge and its sheet do.
    case 'watching':
      return null;
    case 'easing':
    case 'cancelled':
    case 'unloaded': {
      const { message, nextStep, because } = state;
      return { message, nextStep, level: because.level, isAmber: true, action: 'overrule' };
    }
    case 'lent': {
      const { message, nextStep, because } = state;
      return { message, nextStep, level: because.level, isAmber: false, action: 'load' };
    }
    case 'undone':
      return {
        message: `Protection rests until ${clock.format(state.untilMs)}, as you asked.`,
        nextStep: null,
        level: null,
        isAmber: false,
        action: null,
      };
    case 'wired-left':
      return { message: state.message, nextStep: state.nextStep, level: 'warning', isAmber: true, action: null };
  }
}
