/** The models room: library, choice and assessment, built once and wired to each other. */
import { join } from 'node:path';
import type {
  EngineState,
  EventEnvelope,
  FitPrediction,
  Handlers,
  MachineInfo,
  MemorySample,
  MemoryUser,
  ModelInfo,
} from '../../preload/contract.ts';
import type { Clock } from '../engine/clock.ts';
import type { Engine, GenerationUsage } from '../engine/engine.ts';
import type { Failure } from '../engine/failure.ts';
import type { EnginePlaces } from '../engines/engine-places.ts';
import { engineHandlers } from '../engines/handlers.ts';
import { type OutsideEngine, outsideKindOf } from '../engines/outside-engine.ts';
import { type OutsideModels, createOutsideModels, withOutsideModels } from '../engines/outside-models.ts';
import type { Log } from '../log/log.ts';
import type { SettingsStore } from '../settings/settings.ts';
import type { WiredLimitReading } from '../wired-limit/plan.ts';
import { createAssessment } from './assessment.ts';
import { DEFAULT_STEP_TOKENS } from './fit.ts';
import { type GgufDownload, ggufDownload } from './gguf-download.ts';
import { modelHandlers } from './handlers.ts';
import { openHubSettings } from './hub-settings.ts';
import { HUB_URL } from './hub/hub.ts';
import { hubUrl } from './hub/redirects.ts';
import { type ProxyChoice, nodeTransport } from './hub/transport.ts';
import { freeBytesAt } from './hub/volume.ts';
import { openLibrary } from './library.ts';
import { DEMO_MODEL_ID, readModelFolder } from './model-folder.ts';
import { readModelShape } from './model-shape.ts';
import { openMeasuredLoads } from './measured-loads.ts';
import { type Measuring, createMeasuring } from './measuring.ts';
import { openModelRecords } from './model-records.ts';
import { type Models, createModels } from './models.ts';
import { pinnedManifests } from './pinned.ts';
import { waysInWords } from './preflight.ts';

/** What a host or a test may say about the hub; everything has a usual value. */
export interface HubOptions {
  /** https, or http on this machine. */
  readonly url?: string;
  /** The system's proxy for an address; null for none. */
  readonly systemProxy?: (url: URL) => Promise<ProxyChoice | null>;
  /** Where HF_HOME, HF_TOKEN and the like are looked up. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export interface ModelsRoomPorts {
  readonly dataFolder: string;
  readonly demoFolder: string;
  readonly givenFolder: string | null;
  readonly hub: HubOptions;
  readonly isMac: boolean;
  readonly machine: MachineInfo;
  readonly settings: SettingsStore;
  readonly engine: () => Pick<Engine, 'state' | 'metrics' | 'stop' | 'subscribe' | 'calibrate'>;
  /** Engines that others made, found on this machine. */
  readonly outsideEngines: (around: {
    /** The Hugging Face cache. */
    readonly cacheFolder: () => string;
    readonly fetchGguf: GgufDownload;
  }) => readonly OutsideEngine[];
  /** Where those engines are. */
  readonly places: EnginePlaces;
  readonly readMemory: () => Promise<Pick<MemorySample, 'level' | 'availableBytes' | 'wiredBytes'> | null>;
  readonly readWiredLimit: () => Promise<WiredLimitReading | null>;
  readonly readApps: () => Promise<readonly MemoryUser[]>;
  readonly ownProcessesBytes: () => number;
  readonly countEngineBytes: (bytes: number) => number;
  /** False where a small model stands for a large one: what is measured of it says nothing. */
  readonly measures: boolean;
  /** What is free on the disk under a folder, null where it is not known; asked of the system when left out. */
  readonly diskFreeBytes?: (folder: string) => Promise<number | null>;
  /** The Mac is short of memory: no moment to measure. */
  readonly isShort: () => boolean;
  readonly publish: (envelope: EventEnvelope) => void;
  readonly onDamage: (what: string) => (movedTo: string) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ModelsRoom {
  readonly models: Models;
  /** What other engines on this machine have. */
  readonly outside: OutsideModels;
  /** In use for now, and told; what runs goes on until somebody stops it. Throws AppFault (not-found). */
  chooseForNow(modelId: string): ModelInfo;
  readonly handlers: ReturnType<typeof modelHandlers> &
    ReturnType<typeof engineHandlers> &
    Pick<Handlers, 'model.choose'>;
  /** Looks at this machine, and goes on with what was being fetched. Once everything the ports lead to is there. */
  begin(): Promise<void>;
  /**
   * Why the chosen model is not to be loaded now, null when it may be. A reload by a timer is held back only by what
   * waiting does not change, and `anyway` passes over what is slow but not dangerous.
   */
  refusal(by: 'window' | 'endpoint' | 'timer', anyway?: boolean): Promise<Failure | null>;
  /** What the chosen model is predicted to take at the user's context; null where nothing can be told. */
  prediction(): FitPrediction | null;
  /** An answer is complete: its numbers teach. */
  answered(usage: GenerationUsage): void;
  /** Somebody is about to ask something. */
  userWrites(): void;
  /** Stops what is being fetched until `resume`. */
  suspend(): Promise<void>;
  resume(): void;
  dispose(): Promise<void>;
}

/** The list is told at most so often. */
const PUBLISH_EVERY_MS = 250;

export async function openModelsRoom(ports: ModelsRoomPorts): Promise<ModelsRoom> {
  const { settings, isMac, log, clock, diskFreeBytes = freeBytesAt } = ports;
  const environment = ports.hub.environment ?? process.env;
  // A mirror, as the hub's own tools take it.
  const named = ports.hub.url ?? (environment['HF_ENDPOINT'] || HUB_URL);
  const mirror = hubUrl(named);
  if (mirror === null) log('warn', 'the address given for the hub is none: https is needed');
  const url = mirror ?? new URL(HUB_URL);
  const hubSettings = openHubSettings({
    dataFolder: ports.dataFolder,
    environment,
    systemProxy: ports.hub.systemProxy ?? (() => Promise.resolve(null)),
    log,
  });
  let cancelPublish: (() => void) | null = null;
  let isDisposed = false;
  let isOpen = false;
  let offEngine = (): void => undefined;
  const givenId = ports.givenFolder === null ? null : readModelFolder(ports.givenFolder).info.id;
  const transport = nodeTransport((at) => hubSettings.proxyFor(at));
  const outside = createOutsideModels(
    ports.outsideEngines({
      cacheFolder: () => hubSettings.current.cacheFolderInUse,
      fetchGguf: ggufDownload({
        hub: () => ({ url, token: hubSettings.token, transport }),
        cacheFolder: () => hubSettings.current.cacheFolderInUse,
        clock,
      }),
    }),
    () => publishSoon(),
    log,
    (kind) => ports.places.isOn(kind),
  );
  // Asked before anything is chosen only where the choice was one of theirs: a server may take its time.
  if (settings.current.modelId !== null && outsideKindOf(settings.current.modelId) !== null) await outside.refresh();
  const ownLibrary = await openLibrary({
    demoFolder: ports.demoFolder,
    givenFolder: ports.givenFolder,
    hubUrl: url,
    transport,
    hubSettings,
    records: openModelRecords(join(ports.dataFolder, 'models.json'), ports.onDamage('the list of models')),
    pinned: pinnedManifests(url),
    diskFreeBytes,
    isInUse: (id) => id === models.inUseId && !isOff(),
    changed: () => publishSoon(),
    clock,
    log,
  });
  const library = withOutsideModels(ownLibrary, outside);
  const models = createModels({
    library,
    givenId,
    chosenId: settings.current.modelId,
    // On a Mac nothing is loaded that the user has not chosen; elsewhere there is the demo model to look around with.
    defaultId: isMac ? null : DEMO_MODEL_ID,
  });
  const machineName = `${ports.machine.chip ?? ports.machine.system}, ${ports.machine.memoryBytes}`;
  const measured = openMeasuredLoads(join(ports.dataFolder, 'measured-loads.json'), machineName, log);
  const assessment = createAssessment({
    machine: ports.machine,
    isMac,
    models: () => library.models(),
    contextTokens: () => settings.current.contextTokens,
    learned: (modelId) => measured.learned(modelId),
    countEngineBytes: ports.countEngineBytes,
    readMemory: ports.readMemory,
    readWiredLimit: ports.readWiredLimit,
    readApps: ports.readApps,
    modelDiskFreeBytes: () => diskFreeBytes(hubSettings.current.cacheFolderInUse),
    // Elsewhere than on a Mac swap has a place of its own.
    systemDiskFreeBytes: () => (isMac ? diskFreeBytes('/') : Promise.resolve(null)),
    engineActiveBytes: () => ports.countEngineBytes(ports.engine().metrics?.memory.activeBytes ?? 0),
    ownProcessesBytes: ports.ownProcessesBytes,
  });

  function isOff(): boolean {
    const { kind } = ports.engine().state;
    return kind === 'off' || kind === 'failed';
  }

  // ── Measuring ───────────────────────────────────────────────────────────────────────────────────

  const prediction = (): FitPrediction | null =>
    models.inUseId === null ? null : assessment.prediction(models.inUseId);

  let measuring: Measuring | null = null;
  const startMeasuring = (): Measuring =>
    createMeasuring({
      engine: ports.engine(),
      measured,
      model: () => {
        const { current } = models;
        const shape = current === null ? null : readModelShape(current.config);
        return current === null || shape === null
          ? null
          : { id: current.info.id, shape, weightsBytes: current.weightsBytes };
      },
      stepTokens: () => prediction()?.prefillStepTokens ?? DEFAULT_STEP_TOKENS,
      isShort: ports.isShort,
      learned: () => {
        publishSoon();
        const plan = models.inUseId === null ? null : assessment.plan(models.inUseId);
        if (plan !== null) ports.publish({ event: 'context.changed', payload: plan });
      },
      clock,
      log,
    });

  // ── Telling ─────────────────────────────────────────────────────────────────────────────────────

  /** Nobody is there to be told before everything is open. */
  function publishSoon(): void {
    if (isDisposed || !isOpen || cancelPublish !== null) return;
    cancelPublish = clock.after(PUBLISH_EVERY_MS, () => {
      cancelPublish = null;
      publishModels();
    });
  }
  const publishModels = (): void => ports.publish({ event: 'models.changed', payload: assessment.entries() });

  // ── Choosing ────────────────────────────────────────────────────────────────────────────────────

  function choose(modelId: string): ModelInfo {
    const { info } = models.choose(modelId);
    publishChoice(modelId);
    ports.publish({ event: 'model.changed', payload: info });
    return info;
  }

  function chooseForNow(modelId: string): ModelInfo {
    const { info } = models.chooseForNow(modelId);
    ports.publish({ event: 'model.changed', payload: info });
    return info;
  }

  function publishChoice(modelId: string | null): void {
    ports.publish({ event: 'settings.changed', payload: settings.update({ modelId }) });
    ports.publish({ event: 'model.chosen', payload: modelId });
  }

  /** What another engine can do with a model is known only once it runs. */
  async function lookAtAbilities(): Promise<void> {
    const before = models.current;
    const kind = before === null ? null : outsideKindOf(before.folder);
    if (before === null || kind === null) return;
    await outside.look(kind);
    if (models.current !== before) return;
    const { info } = models.required();
    if (String(info.lacks) !== String(before.info.lacks)) ports.publish({ event: 'model.changed', payload: info });
  }

  let wasLoading = false;
  const abilitiesAfterLoad = ({ kind }: EngineState): void => {
    if (kind === 'ready' && wasLoading) {
      lookAtAbilities().catch((error: unknown) => log('warn', `engines: ${String(error)}`));
    }
    wasLoading = kind === 'loading';
  };

  /** What cannot be looked at is no reason to refuse: the engine has its own words for running out of memory. */
  const unread = (error: unknown): null => {
    log('warn', `before the load memory could not be looked at: ${String(error)}`);
    return null;
  };

  function removed(modelId: string): void {
    measured.forget(modelId);
    const { chosenId, inUseId } = models;
    models.forget(modelId);
    if (chosenId === modelId) publishChoice(null);
    if (inUseId === modelId) ports.publish({ event: 'model.changed', payload: models.current?.info ?? null });
  }

  return {
    models,
    outside,
    chooseForNow,
    handlers: {
      'model.choose': async ({ modelId, forNow }) => {
        const isLoaded = modelId === models.inUseId;
        const info = forNow === true ? chooseForNow(modelId) : choose(modelId);
        if (!isLoaded) await ports.engine().stop();
        return info;
      },
      ...engineHandlers({
        places: ports.places,
        outside,
        inUse: () => (isOff() || models.current === null ? null : outsideKindOf(models.current.folder)),
        changed: publishSoon,
      }),
      ...modelHandlers({
        library,
        assessment,
        hubSettings,
        chosenId: () => models.inUseId,
        setContext: (contextTokens) => {
          const updated = settings.update({ contextTokens });
          ports.publish({ event: 'settings.changed', payload: updated });
          return updated;
        },
        removed,
        publishModels,
        publishPlan: (payload) => ports.publish({ event: 'context.changed', payload }),
      }),
    },
    prediction,
    answered: (usage) => measuring?.answered(usage),
    userWrites: () => measuring?.userWrites(),
    async begin() {
      isOpen = true;
      offEngine = ports.engine().subscribe(abilitiesAfterLoad);
      if (ports.measures) measuring = startMeasuring();
      await Promise.all([assessment.look(), library.begin()]);
      publishSoon();
    },
    async refusal(by, anyway = false) {
      const made = models.inUseId === null ? null : await assessment.preflight(models.inUseId).catch(unread);
      if (made === null || made.verdict === 'go') return null;
      if (made.verdict === 'works-if' && (by === 'timer' || (anyway && made.canLoadAnyway))) return null;
      const nextStep = waysInWords(made.ways, made.canLoadAnyway);
      return { cause: { code: 'preflight', message: made.message, nextStep }, retry: false };
    },
    suspend: () => library.suspend(),
    resume: () => library.resume(),
    dispose() {
      isDisposed = true;
      offEngine();
      cancelPublish?.();
      measuring?.dispose();
      return library.dispose();
    },
  };
}
