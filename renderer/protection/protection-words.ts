import type { ProtectionState } from '../../preload/contract.ts';

export interface Banner {
  readonly message: string;
  readonly nextStep: string | null;
  /** Memory is what it is about: the level's mark stands beside it, as it is now. */
  readonly isOfPressure: boolean;
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
      const { message, nextStep } = state;
      return { message, nextStep, isOfPressure: true, isAmber: true, action: 'overrule' };
    }
    case 'lent': {
      const { message, nextStep } = state;
      return { message, nextStep, isOfPressure: true, isAmber: false, action: 'load' };
    }
    case 'undone':
      return {
        message: `Protection rests until ${clock.format(state.untilMs)}, as you asked.`,
        nextStep: null,
        isOfPressure: false,
        isAmber: false,
        action: null,
      };
    case 'wired-left':
      return { message: state.message, nextStep: state.nextStep, isOfPressure: false, isAmber: true, action: null };
  }
}
