/** The app without a host: services built once, the same for the menu bar, for the headless host and for tests. */
import { mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { AppState, EventEnvelope, Handlers, Settings, WiredLimitAskedBy } from '../preload/contract.ts';
import { createChat } from './chat/chat.ts';
import { chatHandlers } from './chat/handlers.ts';
import { openConversations, salvageNotice } from './chat/salvage.ts';
import { keepTidy } from './chat/tidy.ts';
import type { Engine } from './engine/engine.ts';
import type { Failure } from './engine/failure.ts';
import { terminalSpawner } from './engine/spawner.ts';
import { type CacheShelf, openCacheShelf } from './engine/cache-shelf.ts';
import { keepPromptCaches } from './engine/kept-caches.ts';
import { createSupervisor, pythonCommand } from './engine/supervisor.ts';
import { outsideEngines } from './engines/detect.ts';
import { openEnginePlaces } from './engines/engine-places.ts';
import { chooseEngine } from './engines/engine-choice.ts';
import { OutsideRunner } from './engines/outside-runner.ts';
import { AppFault } from './fault.ts';
import { openEndpointRoom } from './gateway/endpoint-room.ts';
import { portHolder } from './gateway/port-holder.ts';
import { type Clock, systemClock } from './engine/clock.ts';
import { checkedLink } from './host/link.ts';
import { pageShell, type Shell } from './host/shell.ts';
import { type LogLevel, openLog } from './log/log.ts';
import { type Commands, macCommands, noCommands } from './memory/commands.ts';
import { openDecodeRates } from './memory/decode-rates-file.ts';
import { createGuard } from './memory/guard.ts';
import { guardEngine } from './memory/guarded-engine.ts';
import { memoryHandlers } from './memory/handlers.ts';
import { readLinuxMemory } from './memory/linux-files.ts';
import { createMemoryMonitor } from './memory/monitor.ts';
import { readMemory } from './memory/reading.ts';
import { openWiredLeft } from './memory/wired-left-file.ts';
import { ceilingOf, withinCeiling } from './models/context-ceiling.ts';
import { readMachine } from './models/machine.ts';
import { DEFAULT_STEP_TOKENS } from './models/fit.ts';
import { type HubOptions, openModelsRoom } from './models/models-room.ts';
import { needOf as modelNeed } from './models/verdict.ts';
import { openSettings } from './settings/settings.ts';
import { inTurn, osascriptElevator, sudoPromptElevator } from './wired-limit/elevator.ts';
import { wiredLimitHandlers } from './wired-limit/handlers.ts';
import { helperElevator } from './wired-limit/helper/client.ts';
import { createHelper, type HelperPlaces } from './wired-limit/helper/helper.ts';
import { openJournal } from './wired-limit/journal.ts';
import { askMetal } from './wired-limit/metal.ts';
import { CACHE_FLUSH_SHARE, type ModelNeed, limitInForceMiB } from './wired-limit/plan.ts';
import { watchOverSsh } from './wired-limit/over-ssh.ts';
import { noWiredLimit, openWiredLimit } from './wired-limit/session.ts';

export interface AppOptions {
  readonly version: string;
  readonly host: AppState['host'];
  readonly platform: AppState['platform'];
  /** Where conversations, settings, the endpoint key and logs live; created with mode 0700. */
  readonly dataFolder: string;
  readonly pythonExecutable: string;
  /** Folder of the demo model shipped with the app. */
  readonly demoModelFolder: string;
  /** `--model <folder>`: run this model instead of the chosen one. */
  readonly modelFolder: string | null;
  /** Port the endpoint should take; the next free one is used when it is taken. */
  readonly endpointPort: number;
  /** Opens an already checked https or mailto address outside the app. */
  openExternal(url: string): Promise<void>;
  /** The window's surroundings; a page in a browser when left out. */
  readonly shell?: Shell;
  /** Says something to the person at a terminal; left out where nobody reads one. */
  readonly say?: (text: string) => void;
  /** The app's own processes without the model's; this one alone when left out. */
  readonly ownProcessesMiB?: () => number;
  /** macOS's own commands; the real ones when left out. */
  readonly commands?: Commands;
  readonly helperPlaces?: HelperPlaces;
  /** Time for what watches memory; a bench lets a day pass in minutes. */
  readonly clock?: Clock;
  /** Where models come from and by which way; the Hugging Face hub when left out. */
  readonly hub?: HubOptions;
  /** Where other engines are looked for; the process's own environment when left out. */
  readonly enginesEnvironment?: Readonly<Record<string, string | undefined>>;
  /** What so many bytes of the engine count for: themselves, but where a small model stands for a large one. */
  readonly countEngineBytes?: (bytes: number) => number;
}

export interface App {
  readonly handlers: Handlers;
  readonly engine: Engine;
  readonly settings: Settings;
  /** Every event for every window. Returns the unsubscribe function. */
  subscribe(listener: (envelope: EventEnvelope) => void): () => void;
  /** The endpoint other programs use; null when it could not listen. */
  readonly endpoint: { readonly url: string; readonly key: string } | null;
  readonly modelName: string | null;
  /**
   * Hosts say when a window comes into sight or leaves it: unwatched, memory is read less often, and a model whose
   * memory was lent comes back with the window.
   */
  setWindowVisible(isVisible: boolean): void;
  /** Writes to the app's log file. Never pass chat text. */
  log(level: LogLevel, message: string): void;
  /**
   * Cancels what runs (its text is kept, marked interrupted), unloads the model. For sleep, shutdown and fast user
   * switching: the app itself goes on.
   */
  suspend(): Promise<void>;
  /** The machine goes to sleep: `suspend`, and downloads stand still until `resume`. */
  sleep(): Promise<void>;
  resume(): void;
  /** Ends everything: generation, engine, endpoint, database. The host sets the deadline. Safe to call twice. */
  dispose(): Promise<void>;
}

/** How long a conversation's prompt cache may keep the memory that is to be given back. Of 60,000 tokens it takes a second. */
const LONGEST_SAVE_MS = { normal: 5_000, warning: 3_000, critical: 1_000 } as const;

/** macOS: whoever may administer the Mac is in this group. */
const MAC_ADMIN_GROUP = 80;

/** Why a start was refused that is caught up on when the limit is raised. */
const WAITS_FOR_LIMIT: ReadonlySet<string> = new Set(['wired-limit-needed', 'wired-limit-being-changed']);

/** Longest answer the window asks for, tokens; the context's room bounds it further, and long before it the user is asked. */
const MAX_ANSWER_TOKENS = 32_768;

/** Throws AppFault when the model folder is none, or the file system's error when the data folder cannot be used. */
export async function createApp(options: AppOptions): Promise<App> {
  const { dataFolder, countEngineBytes = (bytes) => bytes, clock = systemClock, shell = pageShell } = options;
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const log = openLog(join(dataFolder, 'logs'));
  const moved = (what: string) => (movedTo: string) =>
    log('warn', `${what} could not be read; the file was kept as ${movedTo}`);

  const listeners = new Set<(envelope: EventEnvelope) => void>();
  const publish = (envelope: EventEnvelope): void => {
    for (const listener of listeners) listener(envelope);
  };

  const settings = openSettings(join(dataFolder, 'settings.json'), moved('the settings'));
  const { store, interrupted, salvaged } = openConversations(join(dataFolder, 'conversations.db'));
  if (salvaged !== null) {
    moved('the conversations')(salvaged.movedTo);
    log('warn', `${salvaged.messages} messages of it could be read and were taken over`);
  }
  let startNotice = salvaged === null ? undefined : salvageNotice(salvaged);
  const toldOnce = () => {
    const notice = startNotice;
    startNotice = undefined;
    return notice === undefined ? {} : { startNotice: notice };
  };
  if (interrupted > 0) log('info', `${interrupted} answers were interrupted when the app last ended`);

  // The Hugging Face library wants a cache folder of its own, also when it is never used.
  const cacheFolder = join(dataFolder, 'cache');
  mkdirSync(cacheFolder, { recursive: true });
  const isMac = options.platform === 'darwin';
  const commands = options.commands ?? (isMac ? macCommands : noCommands);
  const machine = await readMachine(options.platform, commands);
  const ownProcessesMiB = options.ownProcessesMiB ?? (() => process.memoryUsage.rss() / 1_048_576);
  const readMemoryNow = () => (isMac ? readMemory(commands) : readLinuxMemory());
  const enginesEnvironment = options.enginesEnvironment ?? process.env;
  const places = openEnginePlaces({
    dataFolder,
    environment: enginesEnvironment,
    onDamage: moved('where other engines are'),
    log,
  });
  const modelsRoom = await openModelsRoom({
    dataFolder,
    demoFolder: options.demoModelFolder,
    givenFolder: options.modelFolder,
    hub: options.hub ?? {},
    isMac,
    machine,
    settings,
    engine: () => engine,
    outsideEngines: (around) => outsideEngines({ ...around, isMac, commands, places, environment: enginesEnvironment }),
    places,
    readMemory: readMemoryNow,
    readWiredLimit: () => wiredLimit.reading(),
    readApps: async () => (await memoryRoutes['memory.apps'](null)).apps,
    ownProcessesBytes: () => ownProcessesMiB() * 1_048_576,
    countEngineBytes,
    measures: options.countEngineBytes === undefined,
    isShort: () => (monitor.lastReading?.level ?? 'normal') === 'critical',
    publish,
    onDamage: moved,
    clock: systemClock,
    log,
  });
  const { models } = modelsRoom;
  const ceiling = {
    ceilingTokens: () =>
      models.current === null ? null : ceilingOf(settings.current.contextTokens, models.current.maxContextTokens),
    mostTokens: () => models.current?.maxContextTokens ?? null,
  };
  const shelf = openShelf(join(dataFolder, 'prompt-caches'), log);
  // Time Machine's own mark on the folder, which needs no rights. Elsewhere CACHEDIR.TAG says the same.
  if (isMac && shelf !== null) void commands.run('tmutil', ['addexclusion', shelf.folder]);
  const prepare = async (model: { readonly folder: string }): Promise<Failure | null> =>
    (await beforeLoad()) ?? wiredLimit.prepare(start.by, needOf(model.folder));
  const supervisor = createSupervisor({
    spawner: terminalSpawner,
    log,
    command: pythonCommand(options.pythonExecutable, shelf === null ? {} : { promptCacheFolder: shelf.folder }),
    cacheFolder,
    prepare,
    beforeRestart: (signal) => guard.clearToRestart(signal),
  });
  const outside = new OutsideRunner({
    find: (id, signal) => modelsRoom.outside.find(id, signal),
    prepare,
    beforeRestart: (signal) => guard.clearToRestart(signal),
    contextTokens: ({ maxContextTokens }) => ceilingOf(settings.current.contextTokens, maxContextTokens),
    gpuLimitBytes: async () => {
      const reading = await wiredLimit.reading();
      return reading === null ? null : limitInForceMiB(reading) * 1_048_576 * CACHE_FLUSH_SHARE;
    },
    clock: systemClock,
    log,
  });
  const chosenEngine = chooseEngine(supervisor, outside);
  const keeping = keepPromptCaches({
    engine: chosenEngine,
    shelf,
    mayReadAhead: () => guard.state.kind === 'calm' || guard.state.kind === 'off' || guard.state.kind === 'watching',
    longestSaveMs: () => LONGEST_SAVE_MS[monitor.lastReading?.level ?? 'normal'],
    clock,
    log,
  });
  const certainCount: Engine['count'] = async (request, signal) => {
    await keeping.settled();
    return chosenEngine.certainCount(request, signal);
  };
  const engine = guardEngine(keeping, {
    promptRefusal: (characters) => guard.promptRefusal(characters),
    bounded: async (request, signal) => ({
      ...(await withinCeiling(request, { engine: { count: certainCount }, ...ceiling }, signal)),
      prefillStepTokens: modelsRoom.prediction()?.prefillStepTokens ?? DEFAULT_STEP_TOKENS,
    }),
    used: () => guard.used(),
    answered: (usage) => {
      guard.answered(usage);
      modelsRoom.answered(usage);
    },
  });
  engine.subscribe((state) => publish({ event: 'engine.state', payload: state }));

  const monitor = createMemoryMonitor({
    read: readMemoryNow,
    engineActiveBytes: () => (engine.metrics === null ? null : countEngineBytes(engine.metrics.memory.activeBytes)),
    clock,
    log,
  });
  monitor.subscribe((sample) => publish({ event: 'memory.sample', payload: sample }));
  engine.subscribe(({ kind }) => monitor.setEngineOn(kind !== 'off' && kind !== 'failed'));

  const boot = isMac ? ((await readMemory(commands))?.boot ?? null) : null;
  let isModelPinned = (): boolean => false;
  const guard = createGuard({
    engine,
    monitor,
    cancelAnswers: (reason) => engine.cancelAnswers(reason),
    openAnswers: () => engine.openAnswers(),
    unload: () => engine.stop(),
    // Whoever overrules protection has been told what is short.
    load: (by) => ensureRunning(by, by === 'window'),
    // A model that the user keeps loaded goes only where there is no other way.
    settings: () => (isModelPinned() ? { ...settings.current, idleUnloadMinutes: 0 } : settings.current),
    modelKey: () => models.current?.info.id ?? null,
    rates: openDecodeRates(join(dataFolder, 'decode-rates.json'), log),
    wiredLeft: openWiredLeft(join(dataFolder, 'wired-left.json'), boot?.id ?? null, log),
    publish: (payload) => publish({ event: 'protection.state', payload }),
    clock,
    log,
  });

  const needOf = (folder: string): ModelNeed => {
    const { current } = models;
    if (current?.folder !== folder) return { weightsMiB: 0, calibratedPeakMiB: null };
    const prediction = modelsRoom.prediction();
    const whole = Math.floor(countEngineBytes(current.weightsBytes) / 1_048_576);
    const need = prediction === null ? { weightsMiB: whole, calibratedPeakMiB: null } : modelNeed(prediction);
    // What can stay with the CPU need not fit below the limit to start without a raise.
    const cpuMiB = Math.floor((current.cpuCapableBytes ?? 0) / 1_048_576);
    return { ...need, weightsMiB: Math.max(0, need.weightsMiB - cpuMiB) };
  };
  // Over SSH a dialog would appear on a screen nobody sits at, or not at all.
  const hasScreen = (): boolean => process.env['SSH_CONNECTION'] === undefined;
  const scripting = osascriptElevator({
    commands,
    hasScreen,
    isAdmin: () => process.getgroups?.().includes(MAC_ADMIN_GROUP) ?? false,
  });
  const wiredLimit = isMac
    ? await openWiredLimit({
        commands,
        journal: openJournal(join(dataFolder, 'wired-limit.json')),
        elevator: inTurn([helperElevator(options.helperPlaces?.socketPath), scripting, sudoPromptElevator(scripting)]),
        clock,
        log,
        need: () => (models.current === null ? null : needOf(models.current.folder)),
        askMetal: () => askMetal(options.pythonExecutable),
        hasScreen,
        engineActiveMiB: () => countEngineBytes(engine.metrics?.memory.activeBytes ?? 0) / 1_048_576,
        ownProcessesMiB,
        unloadEngine: async () => {
          await chat.endAll({ kind: 'stopped' });
          await engine.stop();
        },
        startEngine: ({ evenIfOff }) => void startWithNewLimit(evenIfOff),
      })
    : noWiredLimit('this is not a Mac');
  wiredLimit.subscribe((state) => publish({ event: 'wiredLimit.state', payload: state }));
  if (options.say !== undefined && !hasScreen()) watchOverSsh({ wiredLimit, say: options.say });
  const helper = isMac
    ? createHelper({
        commands,
        rootShell: scripting,
        userId: userInfo().uid,
        readInstalled: options.helperPlaces?.readInstalled,
      })
    : null;

  /** MLX takes its limits once, when it starts. */
  async function startWithNewLimit(evenIfOff: boolean): Promise<void> {
    const isOff = engine.state.kind === 'off' || engine.state.kind === 'failed';
    // Also one that was wanted before "not now" was said to the raise, which the user has thought better of.
    const wasHeldBack = engine.state.kind === 'failed' && WAITS_FOR_LIMIT.has(engine.state.cause.code);
    if (isOff && !evenIfOff && !wasHeldBack) return;
    await chat.endAll({ kind: 'stopped' });
    if (!isOff) await engine.stop();
    // It was looked at before the limit was asked for.
    if (models.current !== null) ensureRunning('window', true);
  }

  /** The next start of the engine: whose wish it is, and whether memory was looked at already or is not to be. */
  let start: { readonly by: WiredLimitAskedBy; readonly isAdmitted: boolean } = { by: 'window', isAdmitted: false };
  const beforeLoad = async (): Promise<Failure | null> => (start.isAdmitted ? null : modelsRoom.refusal(start.by));
  const ensureRunning = (by: WiredLimitAskedBy = 'window', isAdmitted = false): void => {
    const isOff = engine.state.kind === 'off' || engine.state.kind === 'failed';
    // One that is loaded needs its files no longer: their disk may be gone.
    const model = (isOff ? null : models.current) ?? models.required();
    if (isOff) guard.admitStart(by === 'window' ? 'user' : 'program');
    start = { by, isAdmitted };
    // Its failure shows as the engine's state; nobody waits for it here.
    engine.start({ folder: model.folder, name: model.info.name }).catch(() => {});
  };

  /** A conversation's own model, or the chosen one after somebody else's: never under an answer of another. */
  const putInUse = (modelId: string | null): void => {
    if (modelId === null || modelId === models.inUseId) return;
    const isAnswering = chat.isAnswering() || endpoint.isServing();
    if (isAnswering) {
      const busy = models.current?.info.name ?? 'Another model';
      throw new AppFault(
        'refused',
        `${busy} is answering, and one model is loaded at a time.`,
        'Wait for its answer, or stop it first.',
      );
    }
    modelsRoom.chooseForNow(modelId);
  };

  /** While the user types. What is in the way is said when they ask. */
  const wake = (): void => {
    try {
      ensureRunning('timer');
    } catch (error) {
      log('info', `the model stays off: ${String(error)}`);
    }
  };

  const chat = createChat({
    store,
    engine,
    ensureRunning: (modelId) => {
      putInUse(modelId ?? models.chosenId);
      ensureRunning();
    },
    admitPrompt: (characters) => {
      const refusal = guard.promptRefusal(characters);
      if (refusal !== null) throw new AppFault('refused', refusal.message, refusal.nextStep);
    },
    sampling: () => ({ maxTokens: MAX_ANSWER_TOKENS, ...models.current?.sampling }),
    model: () => models.current?.info ?? null,
    limitTokens: () => ceiling.ceilingTokens(),
    defaultEffort: () => settings.current.effort,
    nowMs: Date.now,
    publish,
    log,
  });
  const tidying = keepTidy(store, Date.now);
  // What was saved of a conversation goes with it.
  shelf?.keepOnly((conversationId) => store.summary(conversationId) !== null);
  listeners.add((envelope) => {
    if (envelope.event === 'chat.deleted') keeping.forgetConversation(envelope.payload.conversationId);
  });
  const chatRoutes = chatHandlers({ chat, store, publish, nowMs: Date.now });

  const endpoint = await openEndpointRoom({
    dataFolder,
    engine,
    models: { current: () => models.current?.info ?? null, available: () => models.available() },
    choose: async (modelId) => {
      modelsRoom.chooseForNow(modelId);
      await engine.stop();
    },
    sampling: () => models.current?.sampling ?? null,
    ensureRunning: () => {
      chat.giveWay();
      ensureRunning('endpoint');
    },
    unload: () => void engine.stop(),
    portHolder: (port) => portHolder(commands, port),
    port: options.endpointPort,
    publish,
    clock: systemClock,
    log,
  });
  isModelPinned = endpoint.isPinned;

  const memoryRoutes = memoryHandlers({ monitor, commands, isMac, ourPid: process.pid });
  const handlers: Handlers = {
    'app.state': () => ({
      version: options.version,
      ...toldOnce(),
      host: options.host,
      windowForm: shell.windowForm(),
      opensAtLogin: shell.opensAtLogin(),
      platform: options.platform,
      machine,
      engine: engine.state,
      model: models.current?.info ?? null,
      chosenModelId: models.chosenId,
      availableModels: models.available(),
      conversations: store.head(),
      newDraft: store.drafts.get(null),
      settings: settings.current,
      endpointUrl: endpoint.current?.url ?? null,
    }),
    'engine.start': async (asked) => {
      models.required();
      if (engine.state.kind === 'off' || engine.state.kind === 'failed') {
        // First: a smaller model or fewer apps are no way out of what protection forbids.
        guard.admitStart('user');
        const refusal = await modelsRoom.refusal('window', asked?.anyway ?? false);
        if (refusal !== null) throw new AppFault('refused', refusal.cause.message, refusal.cause.nextStep);
      }
      ensureRunning('window', true);
      return engine.state;
    },
    'engine.warm': () => {
      modelsRoom.userWrites();
      endpoint.userWrites();
      guard.warm();
      return engine.state;
    },
    'engine.stop': async () => {
      guard.turnedOff();
      await chat.endAll({ kind: 'stopped' });
      void engine.stop();
      return engine.state;
    },
    ...modelsRoom.handlers,
    ...chatRoutes,
    'chat.open': ({ conversationId }) => {
      keeping.opened(conversationId);
      return chatRoutes['chat.open']({ conversationId });
    },
    'chat.draft': (draft) => {
      modelsRoom.userWrites();
      if (endpoint.userWrites() && draft.text !== '') wake();
      return chatRoutes['chat.draft'](draft);
    },
    'settings.update': (change) => {
      if (change.globalShortcut !== undefined) takeShortcut(shell, change.globalShortcut);
      const updated = settings.update(change);
      publish({ event: 'settings.changed', payload: updated });
      guard.review();
      return updated;
    },
    'log.tail': () => ({ lines: engine.logTail() }),
    'log.report': ({ message }) => {
      log('warn', `window: ${message}`);
      return null;
    },
    'link.open': async ({ url }) => {
      const link = checkedLink(url);
      if (link === null) {
        throw new AppFault('refused', 'Only web and mail links can be opened.', 'Copy the address instead.');
      }
      await options.openExternal(link);
      return null;
    },
    ...endpoint.handlers,
    ...wiredLimitHandlers({ wiredLimit, helper }),
    'window.hide': () => {
      shell.hideWindow();
      return null;
    },
    'window.detach': ({ detached }) => {
      shell.detach(detached);
      return null;
    },
    'window.keepOpen': ({ open }) => {
      shell.keepOpen(open);
      return null;
    },
    'window.choosePath': async (asked) => {
      if (shell.choosePath === null)
        throw new AppFault('refused', 'There is no file dialog here.', 'Type the path instead.');
      return { path: await shell.choosePath(asked) };
    },
    'app.openAtLogin': ({ opens }) => {
      if (shell.opensAtLogin() === null)
        throw new AppFault('refused', 'Headroom cannot start with the session here.', 'Start it by hand.');
      shell.setOpensAtLogin(opens);
      return { opensAtLogin: shell.opensAtLogin() ?? false };
    },
    'protection.state': () => guard.state,
    'protection.undo': () => {
      guard.undo();
      return guard.state;
    },
    ...memoryRoutes,
  };

  const suspend = async (): Promise<void> => {
    await chat.endAll({ kind: 'interrupted' });
    await engine.stop();
  };

  let disposing: Promise<void> | null = null;
  const dispose = async (): Promise<void> => {
    guard.dispose();
    monitor.dispose();
    tidying.dispose();
    await wiredLimit.dispose();
    await Promise.all([endpoint.dispose(), modelsRoom.dispose(), suspend()]);
    await engine.dispose();
    store.close();
    listeners.clear();
    log('info', 'ended');
  };

  modelsRoom.begin().catch((error: unknown) => log('error', `models: ${String(error)}`));
  log('info', `started ${options.version} (${options.host}, ${options.platform})`);
  return {
    handlers,
    engine,
    get settings() {
      return settings.current;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get endpoint() {
      return endpoint.current;
    },
    get modelName() {
      return models.current?.info.name ?? null;
    },
    setWindowVisible(isVisible) {
      monitor.setVisible(isVisible);
      if (isVisible) guard.warm();
    },
    log,
    suspend,
    sleep: async () => void (await Promise.all([suspend(), modelsRoom.suspend()])),
    resume: () => modelsRoom.resume(),
    dispose: () => (disposing ??= dispose()),
  };
}

/** Without it the app works as well, and reads prompts again. */
function openShelf(folder: string, log: (level: LogLevel, message: string) => void): CacheShelf | null {
  try {
    return openCacheShelf({ folder, log });
  } catch (error) {
    log('warn', `prompt caches are not saved: ${String(error)}`);
    return null;
  }
}

/** Throws AppFault where another program has the shortcut; the one before stays then. */
function takeShortcut(shell: Shell, accelerator: string | null): void {
  switch (shell.takeShortcut(accelerator)) {
    case 'taken-over':
      return;
    case 'in-use':
      throw new AppFault('refused', 'Another program uses this shortcut.', 'Choose another one.');
    case 'not-a-shortcut':
      throw new AppFault('refused', 'This cannot be a shortcut here.', 'Choose another one.');
  }
}
