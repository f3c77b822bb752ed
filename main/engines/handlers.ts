/** What the window may ask about engines that others made: where they are, whether they answer, and changes of that. */
import type { Handlers, OutsideEngineStatus } from '../../preload/contract.ts';
import { AppFault } from '../fault.ts';
import type { EnginePlaces } from './engine-places.ts';
import { ENGINE_NAMES, OUTSIDE_KINDS, type OutsideKind } from './outside-engine.ts';
import type { OutsideModels } from './outside-models.ts';

export interface EngineRoutePorts {
  readonly places: EnginePlaces;
  readonly outside: Pick<OutsideModels, 'look'>;
  /** Whose model is loaded, or on its way; null for the app's own engine and for none. */
  readonly inUse: () => OutsideKind | null;
  /** The list of models may be another one now. */
  readonly changed: () => void;
}

export function engineHandlers(ports: EngineRoutePorts): Pick<Handlers, 'engines.list' | 'engines.update'> {
  const { places, outside } = ports;
  const status = async (kind: OutsideKind): Promise<OutsideEngineStatus> => {
    const look = await outside.look(kind);
    return { ...places.settings(kind), look };
  };
  return {
    'engines.list': async () => ({ engines: await Promise.all(OUTSIDE_KINDS.map(status)) }),

    'engines.update': async ({ kind, ...change }) => {
      if (Object.values(change).some((value) => value !== undefined)) {
        // What is asked, unloaded and told apart by its place would be looked for in another one.
        if (ports.inUse() === kind) {
          throw new AppFault('refused', `A model of ${ENGINE_NAMES[kind]} is loaded.`, 'Turn it off first.');
        }
        places.update(kind, change);
      }
      const updated = await status(kind);
      ports.changed();
      return updated;
    },
  };
}
