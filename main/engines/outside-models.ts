/**
 * The models of other engines in the app's list: beside the bundled engine's, with the same choice, fit and look before
 * loading. Their files are theirs: nothing of them is moved, checked or deleted here.
 */
import type { DownloadState, OutsideEngineLook } from '../../preload/contract.ts';
import { EngineError } from '../engine/engine.ts';
import { AppFault } from '../fault.ts';
import type { Log } from '../log/log.ts';
import type { Library, KnownModel } from '../models/library.ts';
import type { ModelFolder } from '../models/model-folder.ts';
import {
  ENGINE_NAMES,
  type OutsideEngine,
  type OutsideKind,
  type OutsideModel,
  outsideKindOf,
} from './outside-engine.ts';

export interface OutsideModels {
  /** As of the last look. */
  models(): readonly KnownModel[];
  /** Asks every engine that can be reached. Never rejects. */
  refresh(): Promise<void>;
  /** Looks for one engine, and what it has. Never rejects. */
  look(kind: OutsideKind): Promise<OutsideEngineLook>;
  /** Rejects with EngineError where the engine or the model is gone. */
  find(id: string, signal: AbortSignal): Promise<{ engine: OutsideEngine; model: OutsideModel }>;
  /** Throws AppFault (not-found). */
  locate(id: string): ModelFolder;
  download(id: string): void;
  pause(id: string): Promise<void>;
  cancel(id: string): Promise<void>;
  dispose(): Promise<void>;
}

interface Pull {
  readonly abort: AbortController;
  readonly done: Promise<void>;
  state: DownloadState;
}

const LOOK_WITHIN_MS = 5_000;
const SWITCH_ON = 'Switch it on under “Other engines”, or choose another model.';

export function createOutsideModels(
  engines: readonly OutsideEngine[],
  changed: () => void,
  log: Log = () => undefined,
  /** One that is switched off is not asked, and has nothing. */
  isOn: (kind: OutsideKind) => boolean = () => true,
): OutsideModels {
  let known: readonly OutsideModel[] = [];
  const pulls = new Map<string, Pull>();
  /** What each was when it was last looked for, for the log. */
  const lastSeen = new Map<string, string | null>();
  const byEngine = (a: OutsideModel, b: OutsideModel): number => orderOf(a.engine) - orderOf(b.engine);
  const orderOf = (kind: OutsideKind): number => engines.findIndex((engine) => engine.kind === kind);

  const engineOf = (id: string): OutsideEngine | null => {
    const kind = outsideKindOf(id);
    return engines.find((engine) => engine.kind === kind && isOn(engine.kind)) ?? null;
  };

  async function refresh(): Promise<void> {
    await Promise.all(engines.map(({ kind }) => look(kind)));
  }

  async function look(kind: OutsideKind): Promise<OutsideEngineLook> {
    const engine = engines.find((each) => each.kind === kind);
    let told: OutsideEngineLook = { kind: 'off' };
    let models: readonly OutsideModel[] = [];
    if (engine !== undefined && isOn(kind)) {
      const signal = AbortSignal.timeout(LOOK_WITHIN_MS);
      const detected = await engine.detect(signal);
      models = detected.kind === 'found' ? await engine.models(signal) : [];
      told =
        detected.kind === 'found'
          ? { ...detected, models: models.filter(({ presence }) => presence === 'here').length }
          : detected;
    }
    known = [...known.filter((model) => model.engine !== kind), ...models].sort(byEngine);
    const words = told.kind === 'found' ? `${told.version ?? 'of unknown version'}, ${told.at}` : null;
    if (words !== (lastSeen.get(kind) ?? null)) log('info', `engines: ${ENGINE_NAMES[kind]}: ${words ?? 'gone'}`);
    lastSeen.set(kind, words);
    return told;
  }

  const gone = (id: string): AppFault => {
    const kind = outsideKindOf(id);
    if (kind !== null && !isOn(kind)) {
      return new AppFault('not-found', `${ENGINE_NAMES[kind]} is switched off here.`, SWITCH_ON);
    }
    const name = kind === null ? 'its engine' : ENGINE_NAMES[kind];
    return new AppFault(
      'not-found',
      `${name} does not have this model just now.`,
      `Start ${name}, or choose another model.`,
    );
  };

  function required(id: string): OutsideModel {
    const found = known.find((model) => model.id === id);
    if (found === undefined) throw gone(id);
    return found;
  }

  function shown(model: OutsideModel): KnownModel {
    const pull = pulls.get(model.id);
    return {
      id: model.id,
      origin: 'found',
      name: model.name,
      repository: null,
      sizeBytes: model.sizeBytes,
      weightsBytes: model.weightsBytes,
      licence: null,
      goodFor: null,
      isToy: false,
      isShared: true,
      engineName: ENGINE_NAMES[model.engine],
      ...(model.host === undefined ? {} : { host: model.host }),
      presence:
        pull !== undefined
          ? { kind: 'getting', download: pull.state }
          : model.presence === 'here'
            ? { kind: 'here', folder: model.ref, checked: 'unchecked' }
            : { kind: 'absent' },
      config: model.config,
    };
  }

  async function endPull(id: string): Promise<void> {
    const pull = pulls.get(id);
    pull?.abort.abort();
    await pull?.done;
  }

  return {
    models: () => known.map(shown),
    refresh,
    look,

    async find(id, signal) {
      const engine = engineOf(id);
      if (engine === null) {
        const kind = outsideKindOf(id);
        const isOff = kind !== null && !isOn(kind);
        throw new EngineError(
          'failed',
          isOff ? `${ENGINE_NAMES[kind]} is switched off here.` : 'No engine here has this model.',
          isOff ? SWITCH_ON : 'Choose another model.',
        );
      }
      let model = known.find((each) => each.id === id && each.presence === 'here');
      if (model === undefined) {
        model = (await engine.models(signal)).find((each) => each.id === id && each.presence === 'here');
      }
      if (model === undefined) {
        throw new EngineError(
          'failed',
          `${engine.name} does not have this model just now.`,
          `Start ${engine.name}, or choose another model.`,
        );
      }
      return { engine, model };
    },

    locate(id) {
      const model = required(id);
      if (model.presence !== 'here') {
        throw new AppFault('not-found', `${model.name} is not on this computer yet.`, 'Download it first.');
      }
      return {
        info: {
          id,
          name: model.name,
          sizeBytes: model.sizeBytes ?? 0,
          isToy: false,
          ...(model.lacks.length === 0 ? {} : { lacks: model.lacks }),
        },
        folder: id,
        sampling: { temperature: 1, topP: 1 },
        maxContextTokens: model.maxContextTokens,
        // What another computer holds is not this one's to make room for.
        weightsBytes: model.host === undefined ? (model.weightsBytes ?? 0) : 0,
        ...(model.cpuCapableBytes === undefined ? {} : { cpuCapableBytes: model.cpuCapableBytes }),
        config: model.config,
        shards: [],
      };
    },

    download(id) {
      const model = required(id);
      const engine = engineOf(id);
      const before = pulls.get(id);
      if (before !== undefined && before.state.kind !== 'paused' && before.state.kind !== 'failed') return;
      if (engine?.pull === undefined || model.presence === 'here') return;
      const abort = new AbortController();
      const at = { doneBytes: 0, totalBytes: model.sizeBytes ?? 0 };
      const speed = createSpeed();
      const pull: { abort: AbortController; done: Promise<void>; state: DownloadState } = {
        abort,
        done: Promise.resolve(),
        state: { kind: 'listing' },
      };
      pulls.set(id, pull);
      const tell = (state: DownloadState): void => {
        pull.state = state;
        changed();
      };
      pull.done = engine
        .pull(
          model,
          (news) => {
            if ('kind' in news) {
              if ('doneBytes' in news) Object.assign(at, { doneBytes: news.doneBytes, totalBytes: news.totalBytes });
              tell(news);
              return;
            }
            const { doneBytes, totalBytes } = news;
            at.doneBytes = doneBytes;
            // Ollama names a layer when it begins it; the whole is known before.
            at.totalBytes = Math.max(totalBytes, at.totalBytes);
            const bytesPerSecond = speed(doneBytes, Date.now());
            tell({
              kind: 'downloading',
              ...at,
              bytesPerSecond,
              remainingSeconds:
                bytesPerSecond === null || bytesPerSecond === 0 ? null : (at.totalBytes - doneBytes) / bytesPerSecond,
            });
          },
          abort.signal,
        )
        .then(
          async () => {
            pulls.delete(id);
            await refresh();
            changed();
          },
          (error: unknown) => {
            if (pulls.get(id) !== pull) return;
            if (abort.signal.aborted) return tell({ kind: 'paused', ...at });
            const told = error instanceof EngineError ? error : new EngineError('failed', String(error), 'Try again.');
            tell({
              kind: 'failed',
              ...at,
              cause: { code: 'outside-engine', message: told.message, nextStep: told.nextStep },
            });
          },
        );
      changed();
    },

    // Ollama keeps what it has and goes on from there.
    pause: endPull,

    async cancel(id) {
      await endPull(id);
      pulls.delete(id);
      changed();
    },

    async dispose() {
      await Promise.all([...pulls.keys()].map(endPull));
    },
  };
}

/** Smoothed over some seconds; null at first. */
function createSpeed(): (doneBytes: number, nowMs: number) => number | null {
  let last: { readonly bytes: number; readonly ms: number } | null = null;
  let smoothed: number | null = null;
  return (bytes, ms) => {
    if (last === null) {
      last = { bytes, ms };
      return null;
    }
    const seconds = (ms - last.ms) / 1_000;
    if (seconds < 0.5) return smoothed;
    const rate = Math.max(0, bytes - last.bytes) / seconds;
    smoothed = smoothed === null ? rate : 0.7 * smoothed + 0.3 * rate;
    last = { bytes, ms };
    return smoothed;
  };
}

/** One list of both. What is done with files goes to the library that has them. */
export function withOutsideModels(library: Library, outside: OutsideModels): Library {
  const isOutside = (id: string): boolean => outsideKindOf(id) !== null;
  const theirs = (id: string): AppFault => {
    const kind = outsideKindOf(id);
    const name = kind === null ? 'its engine' : ENGINE_NAMES[kind];
    return new AppFault('refused', `The files of this model belong to ${name}.`, `Do it in ${name}.`);
  };
  return {
    ...library,
    models: () => [...library.models(), ...outside.models()],
    async refresh() {
      await Promise.all([library.refresh(), outside.refresh()]);
    },
    async begin() {
      await Promise.all([library.begin(), outside.refresh()]);
    },
    locate: (id) => (isOutside(id) ? outside.locate(id) : library.locate(id)),
    async download(id) {
      if (isOutside(id)) outside.download(id);
      else await library.download(id);
    },
    pause: (id) => (isOutside(id) ? outside.pause(id) : library.pause(id)),
    cancel: (id) => (isOutside(id) ? outside.cancel(id) : library.cancel(id)),
    check(id, kind) {
      if (isOutside(id)) throw theirs(id);
      library.check(id, kind);
    },
    async remove(id, evenIfShared) {
      if (isOutside(id)) throw theirs(id);
      return library.remove(id, evenIfShared);
    },
    async dispose() {
      await Promise.all([library.dispose(), outside.dispose()]);
    },
  };
}
