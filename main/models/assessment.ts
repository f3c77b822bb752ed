/** Models against this machine as it is now: reads memory, limit, apps and disk, and keeps the answers for the list. */
import type {
  ContextPlan,
  FitPrediction,
  MachineInfo,
  MemorySample,
  MemoryUser,
  ModelEntry,
  Preflight,
} from '../../preload/contract.ts';
import type { WiredLimitReading } from '../wired-limit/plan.ts';
import type { KnownModel } from './library.ts';
import {
  type Circumstances,
  type Learned,
  candidateOf,
  contextPlan,
  modelEntries,
  predictionOf,
  verdictOn,
} from './model-list.ts';
import { preflight } from './preflight.ts';
import type { Room } from './verdict.ts';

export interface AssessmentPorts {
  readonly machine: MachineInfo;
  readonly isMac: boolean;
  readonly models: () => readonly KnownModel[];
  readonly contextTokens: () => number;
  readonly learned: (modelId: string) => Learned;
  readonly countEngineBytes: (bytes: number) => number;
  /** One look at memory; null when it could not be read. */
  readonly readMemory: () => Promise<Pick<MemorySample, 'level' | 'availableBytes' | 'wiredBytes'> | null>;
  /** Null where there is no limit, or it cannot be read. */
  readonly readWiredLimit: () => Promise<WiredLimitReading | null>;
  /** Takes a second: asked only where it is needed. */
  readonly readApps: () => Promise<readonly MemoryUser[]>;
  /** On the disk models are kept on; null when it is not known. */
  readonly modelDiskFreeBytes: () => Promise<number | null>;
  /** On the disk macOS swaps to. */
  readonly systemDiskFreeBytes: () => Promise<number | null>;
  readonly engineActiveBytes: () => number;
  readonly ownProcessesBytes: () => number;
}

export interface Assessment {
  /** As of the last look. */
  entries(): readonly ModelEntry[];
  /** At the user's context, as of the last look. Null when nothing can be told. */
  prediction(modelId: string): FitPrediction | null;
  /** Null for an unknown model. */
  plan(modelId: string): ContextPlan | null;
  /** Looks anew; apps only when somebody is short of memory. Throws nothing but what a port throws. */
  look(): Promise<void>;
  /** Looks anew. Null for an unknown model. */
  preflight(modelId: string): Promise<Preflight | null>;
}

/** What the system keeps wired, where nothing can be read: the recorded baseline of a 16 GB Mac, rounded up. */
const USUAL_WIRED_BYTES = 2.5 * 2 ** 30;

export function createAssessment(ports: AssessmentPorts): Assessment {
  let room: Room = {
    memoryBytes: ports.machine.memoryBytes,
    wiredLimit: null,
    wiredBeforeLoadBytes: ports.isMac ? USUAL_WIRED_BYTES : 0,
    ownProcessesBytes: ports.ownProcessesBytes(),
    availableBytes: null,
    engineActiveBytes: 0,
    apps: [],
  };
  let level: MemorySample['level'] | null = null;
  let diskFreeBytes: number | null = null;

  const circumstances = (): Circumstances => ({
    machine: ports.machine,
    isMac: ports.isMac,
    room,
    contextTokens: ports.contextTokens(),
    diskFreeBytes,
    models: ports.models(),
    learned: ports.learned,
    countEngineBytes: ports.countEngineBytes,
  });

  async function readRoom(): Promise<void> {
    const [memory, wiredLimit, free] = await Promise.all([
      ports.readMemory(),
      ports.readWiredLimit(),
      ports.modelDiskFreeBytes(),
    ]);
    const engineActiveBytes = ports.engineActiveBytes();
    diskFreeBytes = free;
    level = memory?.level ?? null;
    room = {
      ...room,
      wiredLimit,
      wiredBeforeLoadBytes:
        memory?.wiredBytes == null ? room.wiredBeforeLoadBytes : Math.max(0, memory.wiredBytes - engineActiveBytes),
      ownProcessesBytes: ports.ownProcessesBytes(),
      availableBytes: memory?.availableBytes ?? null,
      engineActiveBytes,
    };
  }

  /** Names of apps are wanted only where quitting some would help. */
  const wantsApps = (about: Circumstances, models: readonly KnownModel[]): boolean =>
    models.some((model) => verdictOn(model, candidateOf(model, about), about).kind === 'works-if');

  async function readAppsFor(models: readonly KnownModel[]): Promise<void> {
    if (wantsApps(circumstances(), models)) room = { ...room, apps: await ports.readApps() };
  }

  return {
    entries: () => modelEntries(circumstances()),

    prediction(modelId) {
      const about = circumstances();
      const model = about.models.find(({ id }) => id === modelId);
      return model === undefined ? null : predictionOf(model, about);
    },

    plan(modelId) {
      const about = circumstances();
      const model = about.models.find(({ id }) => id === modelId);
      return model === undefined ? null : contextPlan(model, about);
    },

    async look() {
      await readRoom();
      await readAppsFor(ports.models());
    },

    async preflight(modelId) {
      await readRoom();
      const model = ports.models().find(({ id }) => id === modelId);
      if (model === undefined) return null;
      await readAppsFor([model]);
      const about = circumstances();
      const candidate = candidateOf(model, about);
      return preflight({
        modelId,
        verdict: verdictOn(model, candidate, about),
        prediction: candidate?.prediction ?? null,
        room,
        // Another computer's memory is not looked at from here.
        level: model.host === undefined ? level : null,
        diskFreeBytes: model.host === undefined ? await ports.systemDiskFreeBytes() : null,
      });
    },
  };
}
