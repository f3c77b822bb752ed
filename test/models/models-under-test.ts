/** The models room over a real disk and the local hub, with a stand-in for the engine and for the machine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  EngineState,
  EventEnvelope,
  EventName,
  Events,
  MachineInfo,
  MemoryUser,
  ModelEntry,
  ModelPresence,
} from '../../preload/contract.ts';
import { openEnginePlaces } from '../../main/engines/engine-places.ts';
import { systemClock } from '../../main/engine/clock.ts';
import { type ModelsRoom, openModelsRoom } from '../../main/models/models-room.ts';
import { openSettings, type SettingsStore } from '../../main/settings/settings.ts';
import type { WiredLimitReading } from '../../main/wired-limit/plan.ts';
import { modelFolder } from '../engine/fixtures.ts';

export const GIB = 2 ** 30;

/** An M2 Pro with 16 GB on macOS 15, most of it free. */
const mac16: MachineInfo = {
  chip: 'Apple M2 Pro',
  memoryBytes: 16 * GIB,
  system: 'macOS 15.6',
  cannotRun: null,
};

export interface Around {
  machine: MachineInfo;
  isMac: boolean;
  availableBytes: number;
  level: 'normal' | 'warning' | 'critical';
  limit: WiredLimitReading | null;
  apps: readonly MemoryUser[];
  environment: Record<string, string>;
  givenFolder: string | null;
  /** Null: as the system says. */
  diskFreeBytes: number | null;
}

export const around16 = (): Around => ({
  machine: mac16,
  isMac: true,
  availableBytes: 11.8 * GIB,
  level: 'normal',
  limit: {
    memoryMiB: 16_384,
    macosMajor: 15,
    settingMiB: 0,
    workingSetMiB: 10_922,
    ourValuesMiB: [],
    wiredBeforeLoadMiB: 2_486,
    ownProcessesMiB: 200,
  },
  apps: [],
  environment: {},
  givenFolder: null,
  diskFreeBytes: null,
});

export interface ModelsUnderTest {
  readonly home: string;
  readonly cacheFolder: string;
  readonly room: ModelsRoom;
  readonly settings: SettingsStore;
  readonly published: readonly EventEnvelope[];
  readonly engineStops: () => number;
  setEngine(state: EngineState): void;
  entry(id: string): Promise<ModelEntry>;
  /** Resolves with the first event that is so, of those to come. */
  event<N extends EventName>(name: N, is: (payload: Events[N]) => boolean): Promise<Events[N]>;
  /** Resolves when the model's presence is so. */
  presence(id: string, is: (presence: ModelPresence) => boolean): Promise<ModelPresence>;
  /** Ends it, keeping what it wrote, as the app does when it quits. */
  close(): Promise<void>;
}

export function temporaryHome(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'headroom-models-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export async function openModels(home: string, hubUrl: string, around: Around = around16()): Promise<ModelsUnderTest> {
  const dataFolder = join(home, 'data');
  const cacheFolder = join(home, 'hub');
  const settings = openSettings(join(dataFolder, 'settings.json'), () => {});
  const published: EventEnvelope[] = [];
  const listeners = new Set<(envelope: EventEnvelope) => void>();
  let engineStops = 0;
  const engine = {
    state: { kind: 'off' } as EngineState,
    metrics: null,
    subscribe: () => () => {},
    calibrate: async () => null,
    stop: async () => {
      engineStops += 1;
    },
  };
  const room = await openModelsRoom({
    dataFolder,
    demoFolder: modelFolder,
    givenFolder: around.givenFolder,
    hub: { url: hubUrl, environment: { HF_HUB_CACHE: cacheFolder, HF_HOME: home, ...around.environment } },
    isMac: around.isMac,
    machine: around.machine,
    settings,
    engine: () => engine,
    outsideEngines: () => [],
    places: openEnginePlaces({ dataFolder, environment: {}, onDamage: () => {}, log: () => {} }),
    readMemory: async () => ({ level: around.level, availableBytes: around.availableBytes, wiredBytes: 2.43 * GIB }),
    readWiredLimit: async () => around.limit,
    readApps: async () => around.apps,
    ownProcessesBytes: () => 200 * 2 ** 20,
    countEngineBytes: (bytes) => bytes,
    measures: false,
    ...(around.diskFreeBytes === null ? {} : { diskFreeBytes: async () => around.diskFreeBytes }),
    isShort: () => false,
    publish: (envelope) => {
      published.push(envelope);
      for (const listener of listeners) listener(envelope);
    },
    onDamage: () => () => {},
    clock: systemClock,
    log: () => {},
  });
  await room.begin();

  const event: ModelsUnderTest['event'] = (name, is) =>
    new Promise((resolve) => {
      const listener = (envelope: EventEnvelope): void => {
        if (envelope.event !== name || !is(envelope.payload as Events[typeof name])) return;
        listeners.delete(listener);
        resolve(envelope.payload as Events[typeof name]);
      };
      listeners.add(listener);
    });

  const list = async (): Promise<readonly ModelEntry[]> => (await room.handlers['models.list'](null)).models;
  const entry = async (id: string): Promise<ModelEntry> => {
    const found = (await list()).find((each) => each.id === id);
    if (found === undefined) throw new Error(`${id} is not in the list`);
    return found;
  };
  return {
    home,
    cacheFolder,
    room,
    settings,
    published,
    engineStops: () => engineStops,
    setEngine(state) {
      engine.state = state;
    },
    entry,
    event,
    async presence(id, is) {
      const now = (await entry(id)).presence;
      if (is(now)) return now;
      const entries = await event('models.changed', (all) => all.some((each) => each.id === id && is(each.presence)));
      const found = entries.find((each) => each.id === id);
      if (found === undefined) throw new Error(`${id} is not in the list`);
      return found.presence;
    },
    close: () => room.dispose(),
  };
}
