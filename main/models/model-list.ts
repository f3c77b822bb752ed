/** The list of models as the window shows it: what is known of each, and what it comes to on this machine. Pure. */
import type { ContextPlan, FitPrediction, FitVerdict, MachineInfo, ModelEntry } from '../../preload/contract.ts';
import { CATALOG } from './catalog.ts';
import { type ModelOnMachine, contextStops, predictFor, stopTokens, unknownStops } from './context-stops.ts';
import type { Calibration, Correction } from './fit.ts';
import type { KnownModel } from './library.ts';
import { type ModelShape, readModelShape } from './model-shape.ts';
import { type Candidate, type Room, verdictOf } from './verdict.ts';

/** What this machine has taught about a model. */
export interface Learned {
  readonly calibration: Calibration | null;
  readonly correction: Correction;
  readonly measured: ModelEntry['measured'];
  /** Tokens a second; null before the first prompt of some length. */
  readonly prefillRate: number | null;
}

/** Everything a verdict rests on, but the model. */
export interface Circumstances {
  readonly machine: MachineInfo;
  readonly isMac: boolean;
  readonly room: Room;
  /** The user's ceiling. */
  readonly contextTokens: number;
  readonly diskFreeBytes: number | null;
  readonly models: readonly KnownModel[];
  learned(modelId: string): Learned;
  /** See `AppOptions.countEngineBytes`. */
  countEngineBytes(bytes: number): number;
}

export function modelEntries(about: Circumstances): readonly ModelEntry[] {
  const recommended = recommendedId(about);
  return about.models.map((model) => {
    const { config: _config, weightsBytes: _weightsBytes, ...shown } = model;
    const candidate = candidateOf(model, about);
    return {
      ...shown,
      isRecommended: model.id === recommended,
      verdict: verdictOn(model, candidate, about),
      prediction: candidate?.prediction ?? null,
      measured: about.learned(model.id).measured,
    };
  });
}

export function contextPlan(model: KnownModel, about: Circumstances): ContextPlan {
  const onMachine = modelOnMachine(model, about);
  const { prefillRate } = about.learned(model.id);
  const stops =
    onMachine === null
      ? unknownStops(prefillRate, verdictOn(model, null, about))
      : contextStops({
          model: onMachine,
          room: about.room,
          others: (tokens) => othersAt(model.id, tokens, about),
          prefillRate,
        });
  return { modelId: model.id, chosenTokens: about.contextTokens, stops };
}

/** What a model is predicted to take at the user's context. Null where its config cannot be understood. */
export function predictionOf(model: KnownModel, about: Circumstances): FitPrediction | null {
  const onMachine = modelOnMachine(model, about);
  return onMachine === null ? null : predictFor(onMachine, within(onMachine, about.contextTokens), about.room);
}

/** What a model comes to at the user's context. Null where its config cannot be understood. */
export function candidateOf(model: KnownModel, about: Circumstances): Candidate | null {
  const onMachine = modelOnMachine(model, about);
  if (onMachine === null) return null;
  const tokens = within(onMachine, about.contextTokens);
  const at = (each: number): FitPrediction => predictFor(onMachine, each, about.room);
  return {
    prediction: at(tokens),
    shorter: stopTokens(onMachine.shape.maxContextTokens)
      .filter((each) => each < tokens)
      .map(at),
    others: othersAt(model.id, tokens, about),
    disk: isToBeFetched(model) ? { neededBytes: stillNeeded(model), freeBytes: about.diskFreeBytes } : null,
  };
}

/** What a model comes to, whosever memory it takes. */
export function verdictOn(model: KnownModel, candidate: Candidate | null, about: Circumstances): FitVerdict {
  if (model.host !== undefined) {
    return { kind: 'fits', message: `It runs on ${model.host} and takes no memory here.` };
  }
  const verdict = verdictFor(candidate, about);
  return verdict.kind === 'unknown' && model.engineName !== undefined
    ? {
        ...verdict,
        message: `${model.engineName} tells too little of it: what it takes is not known before it is tried.`,
      }
    : verdict;
}

function verdictFor(candidate: Candidate | null, { machine, room }: Circumstances): FitVerdict {
  if (machine.cannotRun !== null) return { kind: 'not-on-this-mac', message: machine.cannotRun.message, ways: [] };
  return verdictOf(candidate, room);
}

/**
 * The first of the catalog that this machine can hold, whatever runs on it now. Elsewhere than on a Mac there is no GPU
 * for MLX, and only the demo model is quick enough to be recommended.
 */
function recommendedId(about: Circumstances): string | null {
  if (about.machine.cannotRun !== null) return null;
  if (!about.isMac) return about.models.find(({ origin }) => origin === 'demo')?.id ?? null;
  const empty: Circumstances = { ...about, room: { ...about.room, availableBytes: null }, diskFreeBytes: null };
  const found = catalogModels(about).find((model) => {
    const { kind } = verdictFor(candidateOf(model, empty), empty);
    return kind === 'fits' || kind === 'fits-after-raise';
  });
  return found?.id ?? null;
}

const catalogModels = ({ models }: Circumstances): readonly KnownModel[] =>
  CATALOG.flatMap(({ repository }) => models.filter(({ id }) => id === repository));

function modelOnMachine(model: KnownModel, about: Circumstances): ModelOnMachine | null {
  const shape = model.host === undefined ? shapeOf(model.config) : null;
  if (shape === null || model.weightsBytes === null) return null;
  const { calibration, correction } = about.learned(model.id);
  const isHere = model.presence.kind === 'here';
  const weightsBytes = isHere ? about.countEngineBytes(model.weightsBytes) : model.weightsBytes;
  return { shape, weightsBytes, calibration, correction };
}

const within = ({ shape }: ModelOnMachine, tokens: number): number =>
  shape.maxContextTokens === null ? tokens : Math.min(tokens, shape.maxContextTokens);

/** A config is read when the list is made, four times a second while something is fetched; it does not change. */
const shapes = new WeakMap<object, ModelShape | null>();
function shapeOf(config: unknown): ModelShape | null {
  if (typeof config !== 'object' || config === null) return null;
  const known = shapes.get(config);
  if (known !== undefined) return known;
  const shape = readModelShape(config);
  shapes.set(config, shape);
  return shape;
}

/** The catalog's other models, best first: what can be had instead. */
const othersAt = (modelId: string, tokens: number, about: Circumstances): Candidate['others'] =>
  catalogAt(tokens, about).filter((other) => other.modelId !== modelId);

/** By context length: the same for every model of a list. */
const catalogs = new WeakMap<Circumstances, Map<number, Candidate['others']>>();
function catalogAt(tokens: number, about: Circumstances): Candidate['others'] {
  const byTokens = catalogs.get(about) ?? new Map<number, Candidate['others']>();
  catalogs.set(about, byTokens);
  const known = byTokens.get(tokens);
  if (known !== undefined) return known;
  const predicted = catalogModels(about).flatMap((model) => {
    const onMachine = modelOnMachine(model, about);
    if (onMachine === null) return [];
    const prediction = predictFor(onMachine, within(onMachine, tokens), about.room);
    return [{ modelId: model.id, name: model.name, prediction }];
  });
  byTokens.set(tokens, predicted);
  return predicted;
}

const isToBeFetched = ({ presence }: KnownModel): boolean => presence.kind === 'absent' || presence.kind === 'getting';

function stillNeeded({ presence, sizeBytes }: KnownModel): number {
  const done = presence.kind === 'getting' && 'doneBytes' in presence.download ? presence.download.doneBytes : 0;
  return Math.max(0, (sizeBytes ?? 0) - done);
}
