/**
 * Every model there is or could be: the catalog, the demo, what the user added, what was found in the Hugging Face
 * cache. Knows where each lies, fetches, checks and removes. Whether one fits is for others to say (`model-list.ts`).
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import type { ModelPresence } from '../../preload/contract.ts';
import type { Clock } from '../engine/clock.ts';
import { AppFault } from '../fault.ts';
import type { Log } from '../log/log.ts';
import { type CachedModel, better, cachedModel } from './cached-models.ts';
import { CATALOG, DEMO, catalogModel } from './catalog.ts';
import { createGetting } from './getting.ts';
import type { HubSettingsStore } from './hub-settings.ts';
import { cachedSnapshots, deleteModel, deleteSnapshot, discardDownload } from './hub/cache-contents.ts';
import { fileRole } from './hub/file-names.ts';
import { HubFault } from './hub/hub-fault.ts';
import { type Manifest, totalBytes } from './hub/manifest.ts';
import { findModel } from './hub/snapshot.ts';
import type { Transport } from './hub/transport.ts';
import { externalVolume, freeBytes, isConnected as isVolumeConnected } from './hub/volume.ts';
import { DEMO_MODEL_ID, type ModelFolder, modelFolderBelow, readModelFolder } from './model-folder.ts';
import type { ModelRecords, RepositoryRecord } from './model-records.ts';
import { DISK_RESERVE_BYTES } from './verdict.ts';
import { type TransferKind, type TransferOutcome, createTransfers } from './transfers.ts';

/** A model as far as it is known, without a verdict. */
export interface KnownModel {
  readonly id: string;
  readonly origin: 'catalog' | 'demo' | 'added' | 'found';
  readonly name: string;
  readonly repository: string | null;
  /** Of all its files; null until the hub was asked. */
  readonly sizeBytes: number | null;
  /** What MLX will hold; null until something was read of it. */
  readonly weightsBytes: number | null;
  readonly licence: string | null;
  readonly goodFor: string | null;
  readonly isToy: boolean;
  readonly isShared: boolean;
  readonly presence: ModelPresence;
  /** Whose engine runs it, where it is not the app's own: Ollama, llama.cpp. */
  readonly engineName?: string;
  /** The computer it runs on, where that is another one. */
  readonly host?: string;
  /** config.json: the file where it is here, what the hub or the catalog says before. */
  readonly config: unknown;
}

export interface LibraryPorts {
  readonly demoFolder: string;
  /** `--model <folder>`. */
  readonly givenFolder: string | null;
  readonly hubUrl: URL;
  readonly transport: Transport;
  readonly hubSettings: HubSettingsStore;
  readonly records: ModelRecords;
  /** Pinned in the app, by repository. */
  readonly pinned: ReadonlyMap<string, Manifest>;
  /** Whether the disk under a folder is there. */
  readonly isConnected?: (folder: string) => Promise<boolean>;
  /** On the disk under a folder that need not be there yet; null where it is not known. */
  diskFreeBytes(folder: string): Promise<number | null>;
  /** The model runs or is about to. */
  isInUse(id: string): boolean;
  changed(): void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Library {
  models(): readonly KnownModel[];
  /** Looks at the disk anew. */
  refresh(): Promise<void>;
  /** Goes on with what was being fetched when the app ended. */
  begin(): Promise<void>;
  /** A model that can run. Throws AppFault (not-found) that says why one cannot. */
  locate(id: string): ModelFolder;
  add(by: { readonly repository: string } | { readonly folder: string }): Promise<KnownModel>;
  download(id: string): Promise<void>;
  pause(id: string): Promise<void>;
  cancel(id: string): Promise<void>;
  check(id: string, kind: 'verify' | 'repair'): void;
  /** Returns the bytes that freed. */
  remove(id: string, evenIfShared: boolean): Promise<number>;
  /** Throws AppFault while something is fetched into the present folder. */
  refuseNewFolder(): void;
  /** After the hub's settings have changed. */
  resettle(): Promise<void>;
  suspend(): Promise<void>;
  resume(): void;
  dispose(): Promise<void>;
}

/** Looks at the disk before it returns; fetches nothing before `begin`. */
export async function openLibrary(ports: LibraryPorts): Promise<Library> {
  const { records, hubSettings, clock, log, isConnected = isVolumeConnected } = ports;
  // The user has just named it and should hear.
  const given = ports.givenFolder === null ? null : readModelFolder(ports.givenFolder);
  const demo = orNull(() => readModelFolder(ports.demoFolder));
  let cached: ReadonlyMap<string, CachedModel> = new Map();
  /** As read at the last look: the list is asked for far more often than folders change. */
  let folders: ReadonlyMap<string, ModelFolder | AppFault> = new Map();
  let isCacheThere = true;

  const cacheFolder = (): string => hubSettings.current.cacheFolderInUse;
  const getting = createGetting({
    hub: () => ({ url: ports.hubUrl, token: hubSettings.token, transport: ports.transport }),
    cacheFolder,
    records,
    pinned: ports.pinned,
    presentCommit: (repository) => cached.get(repository)?.commit ?? null,
    clock,
    random: Math.random,
    freeBytes,
    isConnected,
    log,
  });
  const transfers = createTransfers({ perform: getting.perform, ended, changed: ports.changed, log });

  // ── What there is ───────────────────────────────────────────────────────────────────────────────

  async function refresh(): Promise<void> {
    const found = new Map<string, CachedModel>();
    isCacheThere = await isConnected(cacheFolder());
    for (const snapshot of isCacheThere ? await cachedSnapshots(cacheFolder()) : []) {
      const { repository } = snapshot;
      const model = cachedModel(snapshot, nameOf(repository));
      if (model === null) continue;
      const before = found.get(repository);
      const wanted = records.repository(repository)?.manifest?.commit ?? null;
      found.set(repository, before === undefined ? model : better(before, model, wanted));
    }
    cached = found;
    folders = new Map(ownFolders().map((folder) => [folder, orFault(() => readModelFolder(folder))]));
    ports.changed();
  }

  const ownFolders = (): readonly string[] =>
    [given?.folder, demo?.folder, ...records.folders()].filter((folder) => folder !== undefined);

  function models(): readonly KnownModel[] {
    const named = CATALOG.map((each) => ofRepository(each.repository));
    const others = [...new Set([...records.repositories().map((each) => each.repository), ...cached.keys()])]
      .filter((repository) => catalogModel(repository) === null)
      .map(ofRepository)
      .filter((each) => each.origin === 'added' || each.presence.kind !== 'absent');
    const all = [
      ...(given === null ? [] : [ofFolder(given.folder)]),
      ...named,
      ...(demo === null ? [] : [ofFolder(demo.folder)]),
      ...records.folders().map(ofFolder),
      ...others,
    ];
    const seen = new Set<string>();
    return all.filter(({ id }) => !seen.has(id) && seen.add(id));
  }

  function ofRepository(repository: string): KnownModel {
    const named = catalogModel(repository);
    const record = records.repository(repository);
    const lies = cached.get(repository) ?? null;
    const manifest = record?.manifest ?? ports.pinned.get(repository) ?? null;
    const here = lies?.content.kind === 'whole' ? lies.content.model : null;
    return {
      id: repository,
      origin: named !== null ? 'catalog' : record?.isAdded === true ? 'added' : 'found',
      name: nameOf(repository),
      repository,
      sizeBytes: manifest === null ? (lies?.bytes ?? named?.downloadBytes ?? null) : totalBytes(manifest),
      weightsBytes: here?.weightsBytes ?? record?.weightsBytes ?? named?.weightsBytes ?? weightsIn(manifest),
      licence: named?.licence ?? record?.licence ?? null,
      goodFor: named?.goodFor ?? null,
      isToy: false,
      isShared: lies !== null && record?.transfer !== 'done',
      presence: presenceOf(repository, record, lies),
      config: here?.config ?? record?.config ?? named?.config ?? null,
    };
  }

  function presenceOf(repository: string, record: RepositoryRecord | null, lies: CachedModel | null): ModelPresence {
    const download = transfers.state(repository);
    if (download !== null) return { kind: 'getting', download };
    if (lies === null) {
      return record?.transfer !== 'done' || isCacheThere
        ? { kind: 'absent' }
        : { kind: 'damaged', folder: cacheFolder(), message: notConnected(cacheFolder()) };
    }
    const { folder, content } = lies;
    // Another tool is still fetching it, or gave up: nothing to run, and not ours to judge.
    if (content.kind === 'unusable' && record === null) return { kind: 'absent' };
    if (content.kind === 'unusable') return { kind: 'damaged', folder, message: content.fault };
    const checkedAt = record?.checkedAtMs == null ? {} : { checkedAtMs: record.checkedAtMs };
    if (record?.damage != null) return { kind: 'damaged', folder, message: record.damage, ...checkedAt };
    if (record?.checkedCommit !== lies.commit) return { kind: 'here', folder, checked: 'unchecked' };
    const isPinned = ports.pinned.get(repository)?.commit === lies.commit;
    return { kind: 'here', folder, checked: isPinned ? 'pinned' : 'hub', ...checkedAt };
  }

  function ofFolder(folder: string): KnownModel {
    const read = folders.get(folder) ?? orFault(() => readModelFolder(folder));
    const isDemo = folder === demo?.folder;
    const found = read instanceof AppFault ? null : read;
    return {
      id: found?.info.id ?? folder,
      origin: isDemo ? 'demo' : 'added',
      name: found?.info.name ?? basename(folder),
      repository: null,
      sizeBytes: found?.info.sizeBytes ?? null,
      weightsBytes: found?.weightsBytes ?? null,
      licence: isDemo ? DEMO.licence : null,
      goodFor: isDemo ? DEMO.goodFor : null,
      isToy: found?.info.isToy ?? false,
      isShared: false,
      presence:
        read instanceof AppFault
          ? { kind: 'damaged', folder, message: read.message }
          : { kind: 'here', folder, checked: 'unchecked' },
      config: found?.config ?? null,
    };
  }

  function known(id: string): KnownModel {
    const found = models().find((each) => each.id === id);
    if (found === undefined) {
      throw new AppFault('not-found', 'This model is no longer in the list.', 'Add it again, or choose another one.');
    }
    return found;
  }

  /** The repository of a model that has one. Throws AppFault. */
  function repositoryOf(id: string): string {
    const { repository, name } = known(id);
    if (repository !== null) return repository;
    throw new AppFault('refused', `${name} is a folder of yours, not a download.`, 'Nothing needs to be done.');
  }

  // ── Transfers ───────────────────────────────────────────────────────────────────────────────────

  function ended(repository: string, kind: TransferKind, outcome: TransferOutcome): void {
    log('info', `${kind} ${repository}: ${outcome.kind}${outcome.kind === 'failed' ? ` (${outcome.cause.code})` : ''}`);
    switch (outcome.kind) {
      case 'failed':
        // A check that could not be made says nothing about the files.
        if (kind === 'get') records.change(repository, { transfer: 'failed' });
        return;
      case 'damaged':
        records.change(repository, { damage: outcome.message, checkedAtMs: clock.nowMs() });
        return;
      case 'done':
        records.change(repository, {
          checkedCommit: records.repository(repository)?.manifest?.commit ?? null,
          damage: null,
          checkedAtMs: clock.nowMs(),
          // What another tool fetched stays another tool's, also when it was compared or repaired here.
          ...(kind === 'get' ? { transfer: 'done' } : {}),
        });
        void refresh().catch(unforeseen);
    }
  }

  const unforeseen = (error: unknown): void =>
    log('error', `models: ${error instanceof Error ? error.stack : String(error)}`);

  function refuseWhileInUse(id: string, name: string): void {
    if (!ports.isInUse(id)) return;
    throw new AppFault('refused', `${name} is running.`, 'Turn the model off first.');
  }

  /** Before anything is fetched: what will not end well is not begun. The download itself looks again, to the byte. */
  async function refuseWithoutRoom(repository: string): Promise<void> {
    const wantedBytes = await bytesToFetch(repository);
    const freeNow = await ports.diskFreeBytes(cacheFolder());
    if (wantedBytes === null || freeNow === null) return;
    const others = models().filter(({ id, presence }) => id !== repository && presence.kind === 'getting');
    const promisedBytes = others.reduce((sum, { presence }) => sum + bytesUnderWay(presence), 0);
    const shortBytes = wantedBytes + promisedBytes + DISK_RESERVE_BYTES - freeNow;
    if (shortBytes <= 0) return;
    const promised = promisedBytes > 0 ? `, ${gigabytes(promisedBytes)} are for what is being fetched` : '';
    throw new AppFault(
      'refused',
      `${nameOf(repository)} needs ${gigabytes(wantedBytes)} and ${gigabytes(DISK_RESERVE_BYTES)} to spare; the disk with ${cacheFolder()} has ${gigabytes(freeNow, Math.floor)} free${promised}.`,
      `Free ${gigabytes(shortBytes)}, or choose a folder on another disk under Downloads.`,
    );
  }

  /** Null where nobody has said yet how large it is. */
  async function bytesToFetch(repository: string): Promise<number | null> {
    const manifest = records.repository(repository)?.manifest ?? ports.pinned.get(repository) ?? null;
    if (manifest === null) return catalogModel(repository)?.downloadBytes ?? null;
    const found = await findModel(cacheFolder(), manifest);
    if (found.kind === 'whole') return 0;
    return totalBytes(manifest) - (found.kind === 'partial' ? found.haveBytes : 0);
  }

  /** A download that was begun earlier and not finished. */
  const isUnfinished = (record: RepositoryRecord | null): record is RepositoryRecord =>
    record !== null && UNFINISHED.has(record.transfer);

  /** What makes a model whole; null when it is. */
  function kindNeeded(repository: string): TransferKind | null {
    const record = records.repository(repository);
    const lies = cached.get(repository);
    if (UNFINISHED.has(record?.transfer ?? 'none') || lies === undefined) return 'get';
    if (lies.content.kind === 'whole') return record?.damage == null ? null : 'repair';
    // What another tool began and did not finish is completed as the hub has it now.
    return record === null ? 'get' : 'repair';
  }

  async function begin(): Promise<void> {
    for (const record of records.repositories()) {
      const { repository, manifest, transfer } = record;
      if (!isUnfinished(record)) continue;
      if (transfer === 'asked' || transfer === 'running') {
        transfers.start(repository, 'get');
        continue;
      }
      const found = manifest === null ? null : await findModel(cacheFolder(), manifest);
      const total = manifest === null ? 0 : totalBytes(manifest);
      const doneBytes = found?.kind === 'partial' ? found.haveBytes : found?.kind === 'whole' ? total : 0;
      transfers.showPaused(repository, { doneBytes, totalBytes: total });
    }
  }

  await refresh();

  return {
    models,
    refresh,
    begin,

    locate(id) {
      const { presence, name, repository } = known(id);
      if (repository === null) {
        if (id === DEMO_MODEL_ID && demo !== null) return readModelFolder(demo.folder);
        return readModelFolder(id);
      }
      const lies = cached.get(repository);
      // Also while it is being compared: it is there and was fine until now.
      const isSound = lies?.content.kind === 'whole' && records.repository(repository)?.damage == null;
      if (isSound && existsSync(lies.folder)) return lies.content.model;
      if (isSound) throw gone(name, lies.folder);
      if (!isCacheThere) throw away(name, cacheFolder());
      throw notHere(name, presence);
    },

    async add(by) {
      if ('folder' in by) {
        const { folder, info } = readModelFolder(modelFolderBelow(by.folder));
        if (!models().some(({ id }) => id === info.id)) records.addFolder(folder);
        await refresh();
        return known(info.id);
      }
      const { repository } = by;
      if (catalogModel(repository) === null && !cached.has(repository)) {
        try {
          await getting.ask(repository, 'main', AbortSignal.timeout(ASK_WITHIN_MS));
          await getting.weigh(repository);
        } catch (error) {
          throw inWords(error);
        }
        records.change(repository, { isAdded: true });
      }
      ports.changed();
      return known(repository);
    },

    async download(id) {
      const repository = repositoryOf(id);
      // Somewhere else it would be fetched for nothing: it is there, only its disk is not.
      if (!isCacheThere && records.repository(repository)?.transfer === 'done') {
        throw new AppFault('refused', notConnected(cacheFolder()), 'Connect it, or choose another folder for models.');
      }
      const waits = transfers.state(repository)?.kind === 'waiting';
      const kind = (waits ? transfers.kind(repository) : null) ?? kindNeeded(repository);
      if (kind === 'get') await refuseWithoutRoom(repository);
      // Waiting for the network or the hub: the user does not want to wait for the clock.
      if (waits) await transfers.pause(repository);
      if (kind === null) return transfers.drop(repository);
      const record = records.repository(repository);
      if (kind === 'get') records.change(repository, { transfer: isUnfinished(record) ? againFrom(record) : 'asked' });
      transfers.start(repository, kind);
    },

    async pause(id) {
      const repository = repositoryOf(id);
      const kind = transfers.kind(repository);
      if (kind === null) return;
      // Half a check is none.
      if (kind === 'verify') return transfers.drop(repository);
      if (kind === 'get') records.change(repository, { transfer: 'paused' });
      await transfers.pause(repository);
    },

    async cancel(id) {
      const repository = repositoryOf(id);
      await transfers.drop(repository);
      const record = records.repository(repository);
      if (!isUnfinished(record)) return;
      const { manifest } = record;
      if (manifest !== null) await discardDownload(cacheFolder(), manifest).catch(rethrowInWords);
      records.change(repository, { transfer: 'none' });
      await refresh();
    },

    check(id, kind) {
      const repository = repositoryOf(id);
      const { presence, name } = known(id);
      if (presence.kind === 'absent') throw notHere(name, presence);
      if (presence.kind !== 'getting') transfers.start(repository, kind);
    },

    async remove(id, evenIfShared) {
      const { name, repository, presence, isShared, origin } = known(id);
      if (origin === 'demo') {
        throw new AppFault('refused', 'The demo model is part of Headroom.', 'It takes 3 MB and can stay.');
      }
      refuseWhileInUse(id, name);
      if (repository === null) {
        records.forgetFolder(id);
        ports.changed();
        return 0;
      }
      if (isShared && !evenIfShared) {
        throw new AppFault(
          'refused',
          `${name} was fetched by another tool, which may still use it.`,
          'Delete it all the same if no other tool needs it.',
        );
      }
      await transfers.drop(repository);
      const record = records.repository(repository);
      const commit = record?.transfer === 'done' ? record.manifest?.commit : undefined;
      const freed = await (commit !== undefined && !evenIfShared
        ? deleteSnapshot(cacheFolder(), repository, commit)
        : presence.kind === 'absent'
          ? Promise.resolve(0)
          : deleteModel(cacheFolder(), repository)
      ).catch(rethrowInWords);
      log('info', `deleted ${repository}: ${freed} bytes`);
      if (record?.isAdded === true || record === null) records.forget(repository);
      else records.change(repository, { transfer: 'none', checkedCommit: null, damage: null, checkedAtMs: null });
      await refresh();
      return freed;
    },

    refuseNewFolder() {
      const busy = models().find(({ presence }) => presence.kind === 'getting');
      if (busy?.presence.kind !== 'getting') return;
      const { kind } = busy.presence.download;
      throw kind === 'paused' || kind === 'failed'
        ? new AppFault(
            'refused',
            `${busy.name} is partly fetched into the present folder.`,
            'Finish or cancel it first: in another folder it begins anew.',
          )
        : new AppFault('refused', `${busy.name} is still being fetched.`, 'Wait for it, or cancel it first.');
    },

    async resettle() {
      await transfers.suspend();
      await refresh();
      transfers.resume();
    },

    suspend: () => transfers.suspend(),
    resume: () => transfers.resume(),
    dispose: () => transfers.dispose(),
  };
}

/** How long the window waits for the hub when a model is added. */
const ASK_WITHIN_MS = 20_000;
const UNFINISHED: ReadonlySet<RepositoryRecord['transfer']> = new Set(['asked', 'running', 'paused', 'failed']);

/** One that never got as far as a list of files asks for it again. */
const againFrom = ({ manifest }: RepositoryRecord): RepositoryRecord['transfer'] =>
  manifest === null ? 'asked' : 'running';

const nameOf = (repository: string): string =>
  catalogModel(repository)?.name ?? repository.slice(repository.indexOf('/') + 1);

const weightsIn = (manifest: Manifest | null): number | null =>
  manifest === null
    ? null
    : manifest.files.filter(({ path }) => fileRole(path) === 'weights').reduce((sum, { bytes }) => sum + bytes, 0);

/** What a transfer will still put on the disk. */
const bytesUnderWay = (presence: ModelPresence): number =>
  presence.kind === 'getting' && presence.download.kind === 'downloading'
    ? presence.download.totalBytes - presence.download.doneBytes
    : 0;

/** What lies on a disk is counted in 1,000s; what is needed is rounded up, what is free down. */
const gigabytes = (bytes: number, round = Math.ceil): string => `${(round(bytes / 1e8) / 10).toFixed(1)} GB`;

const notConnected = (folder: string): string => `The disk with ${folder} is not connected.`;

/** Looked at before a start: the list may be older than that. */
const gone = (name: string, folder: string): AppFault =>
  externalVolume(folder) === null
    ? new AppFault('not-found', `The files of ${name} are gone.`, 'Download it again, or choose another model.')
    : away(name, folder);

const away = (name: string, folder: string): AppFault =>
  new AppFault('not-found', `${name}: ${notConnected(folder)}`, 'Connect it, or choose another model.');

function notHere(name: string, presence: ModelPresence): AppFault {
  switch (presence.kind) {
    case 'damaged':
      return new AppFault('not-found', `${name}: ${presence.message}`, 'Repair it, or choose another model.');
    case 'getting':
      return new AppFault('not-found', `${name} is still being fetched.`, 'Wait for it, or choose another model.');
    default:
      return new AppFault('not-found', `${name} is not on this computer.`, 'Download it, or choose another model.');
  }
}

const NOT_THERE = new Set(['not-found', 'private', 'revision-gone']);

function inWords(error: unknown): unknown {
  if (error instanceof HubFault) {
    const { code, message, nextStep } = error.reason;
    return new AppFault(NOT_THERE.has(code) ? 'not-found' : 'refused', message, nextStep, { cause: error });
  }
  if (error instanceof Error && error.name === 'TimeoutError') {
    return new AppFault('refused', 'The hub did not answer in time.', 'Look at the network, then try again.');
  }
  return error;
}

const rethrowInWords = (error: unknown): never => {
  throw inWords(error);
};

function orFault<T>(read: () => T): T | AppFault {
  try {
    return read();
  } catch (error) {
    if (error instanceof AppFault) return error;
    throw error;
  }
}

function orNull<T>(read: () => T): T | null {
  const result = orFault(read);
  return result instanceof AppFault ? null : result;
}
