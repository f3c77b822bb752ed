/** What the window may ask about models, their context and the hub. */
import type { ContextPlan, Handlers, ModelEntry, Settings } from '../../preload/contract.ts';
import { AppFault } from '../fault.ts';
import type { Assessment } from './assessment.ts';
import type { HubSettingsStore } from './hub-settings.ts';
import type { Library } from './library.ts';

type ModelRoute = Extract<keyof Handlers, `models.${string}` | `context.${string}` | `hub.${string}`>;

export interface ModelRoutePorts {
  readonly library: Library;
  readonly assessment: Assessment;
  readonly hubSettings: HubSettingsStore;
  /** The chosen model's id, also when it cannot run just now. */
  readonly chosenId: () => string | null;
  readonly setContext: (tokens: number) => Settings;
  /** A model was deleted or forgotten. */
  readonly removed: (modelId: string) => void;
  readonly publishModels: () => void;
  readonly publishPlan: (plan: ContextPlan) => void;
}

export function modelHandlers(ports: ModelRoutePorts): Pick<Handlers, ModelRoute> {
  const { library, assessment, hubSettings } = ports;

  const entry = (modelId: string): ModelEntry => {
    const found = assessment.entries().find(({ id }) => id === modelId);
    if (found === undefined) throw unknown();
    return found;
  };

  const chosen = (asked: string | null): string => {
    const modelId = asked ?? ports.chosenId();
    if (modelId === null) throw new AppFault('no-model', 'No model has been chosen yet.', 'Choose a model first.');
    return modelId;
  };

  const planOf = (modelId: string): ContextPlan => {
    const plan = assessment.plan(modelId);
    if (plan === null) throw unknown();
    return plan;
  };

  return {
    'models.list': async () => {
      await Promise.all([library.refresh(), assessment.look()]);
      return { models: assessment.entries() };
    },
    'models.add': async (by) => {
      const added = await library.add(by.by === 'folder' ? { folder: by.folder } : { repository: by.repository });
      return entry(added.id);
    },
    'models.download': async ({ modelId }) => {
      await library.download(modelId);
      return entry(modelId);
    },
    'models.pause': async ({ modelId }) => {
      await library.pause(modelId);
      return entry(modelId);
    },
    'models.cancel': async ({ modelId }) => {
      // One that was only found half-fetched is gone from the list with its files.
      const before = entry(modelId);
      await library.cancel(modelId);
      return assessment.entries().find(({ id }) => id === modelId) ?? { ...before, presence: { kind: 'absent' } };
    },
    'models.verify': ({ modelId }) => {
      library.check(modelId, 'verify');
      return entry(modelId);
    },
    'models.repair': ({ modelId }) => {
      library.check(modelId, 'repair');
      return entry(modelId);
    },
    'models.delete': async ({ modelId, evenIfShared }) => {
      const freedBytes = await library.remove(modelId, evenIfShared);
      ports.removed(modelId);
      return { freedBytes };
    },
    'models.preflight': async ({ modelId }) => {
      const made = await assessment.preflight(chosen(modelId));
      if (made === null) throw unknown();
      return made;
    },
    'context.plan': async ({ modelId }) => {
      const id = chosen(modelId);
      await assessment.look();
      return planOf(id);
    },
    'context.set': ({ tokens }) => {
      ports.setContext(tokens);
      const plan = planOf(chosen(null));
      ports.publishPlan(plan);
      // Every verdict is one at the chosen context.
      ports.publishModels();
      return plan;
    },
    'hub.settings': () => hubSettings.current,
    'hub.update': async (change) => {
      const movesFolder = change.cacheFolder !== undefined && change.cacheFolder !== hubSettings.current.cacheFolder;
      if (movesFolder) library.refuseNewFolder();
      const updated = hubSettings.update(change);
      await library.resettle();
      return updated;
    },
  };
}

const unknown = (): AppFault =>
  new AppFault('not-found', 'This model is no longer in the list.', 'Add it again, or choose another one.');
