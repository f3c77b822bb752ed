/** The window's routes for the wired limit: the only place where a click becomes consent. */
import type { Handlers, WiredLimitHelperStatus } from '../../preload/contract.ts';
import { Consent } from './consent.ts';
import type { Helper } from './helper/helper.ts';
import type { WiredLimit } from './session.ts';

type WiredLimitHandlers = Pick<
  Handlers,
  | 'wiredLimit.plan'
  | 'wiredLimit.raise'
  | 'wiredLimit.restore'
  | 'wiredLimit.cancel'
  | 'wiredLimit.startAnyway'
  | 'wiredLimit.helper'
  | 'wiredLimit.atBoot'
>;

/** `helper`: null where there is nothing to install. */
export function wiredLimitHandlers(ports: {
  readonly wiredLimit: WiredLimit;
  readonly helper: Helper | null;
}): WiredLimitHandlers {
  const { wiredLimit, helper } = ports;

  const notHere: WiredLimitHelperStatus = {
    state: { kind: 'not-here', why: 'this is not a Mac' },
    atBootMiB: null,
    message: null,
  };

  return {
    'wiredLimit.plan': async () => {
      const plan = await wiredLimit.plan();
      return { state: wiredLimit.state, plan };
    },
    'wiredLimit.raise': async (wanted) => {
      await wiredLimit.raise(Consent.ofClick(), wanted);
      return wiredLimit.state;
    },
    'wiredLimit.restore': ({ by }) => {
      wiredLimit.restore(Consent.ofClick(), by);
      return wiredLimit.state;
    },
    'wiredLimit.cancel': () => {
      wiredLimit.cancel();
      return wiredLimit.state;
    },
    'wiredLimit.startAnyway': () => {
      wiredLimit.startAnyway(Consent.ofClick());
      return wiredLimit.state;
    },
    'wiredLimit.helper': ({ action }) => {
      if (helper === null) return notHere;
      switch (action) {
        case 'status':
          return helper.status();
        case 'install':
          return helper.install(Consent.ofClick());
        case 'remove':
          return helper.remove(Consent.ofClick());
      }
    },
    'wiredLimit.atBoot': async ({ limitMiB }) => {
      if (helper === null) return notHere;
      if (limitMiB !== null) await wiredLimit.checkLimit(limitMiB);
      return helper.setAtBoot(Consent.ofClick(), limitMiB);
    },
  };
}
