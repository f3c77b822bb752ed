/** The context slider's positions, each with what it costs on this machine. Pure. */
import { type ContextStop, type FitPrediction, type FitVerdict, LEAST_CONTEXT_TOKENS } from '../../preload/contract.ts';
import { type FitInput, chooseStep, predict } from './fit.ts';
import { type Candidate, type Room, leavesBytes, stepRoom, verdictOf } from './verdict.ts';

/** Longest context offered where a config does not say what the model was made for. */
const MAX_WHEN_UNKNOWN_TOKENS = 32_768;

/** Rising, doubling from 1k, the model's own maximum last. */
export function stopTokens(maxContextTokens: number | null): readonly number[] {
  const most = maxContextTokens ?? MAX_WHEN_UNKNOWN_TOKENS;
  const stops: number[] = [];
  for (let tokens = LEAST_CONTEXT_TOKENS; tokens < most; tokens *= 2) stops.push(tokens);
  return [...stops, most];
}

/** Where a model stands on this machine. The step is chosen for each length from the room that is left. */
export type ModelOnMachine = Omit<FitInput, 'contextTokens' | 'stepTokens'>;

/** With the largest step that leaves the Mac what it needs. */
export function predictFor(model: ModelOnMachine, contextTokens: number, room: Room): FitPrediction {
  const input = { ...model, contextTokens };
  return predict({ ...input, stepTokens: chooseStep(input, stepRoom(room)) });
}

/** A model nobody understands has a context too: the user sets its ceiling without being told what it costs. */
export function unknownStops(prefillRate: number | null, verdict: FitVerdict): readonly ContextStop[] {
  return stopTokens(null).map((tokens) => ({
    tokens,
    kvBytes: null,
    peakBytes: null,
    leavesBytes: null,
    prefillSeconds: prefillRate === null ? null : tokens / prefillRate,
    verdict,
  }));
}

export interface SliderInput {
  readonly model: ModelOnMachine;
  readonly room: Room;
  readonly others: (contextTokens: number) => Candidate['others'];
  /** Tokens a second, null before the first measured prompt. */
  readonly prefillRate: number | null;
}

export function contextStops({ model, room, others, prefillRate }: SliderInput): readonly ContextStop[] {
  const predictions = stopTokens(model.shape.maxContextTokens).map((tokens) => predictFor(model, tokens, room));
  return predictions.map((prediction) => ({
    tokens: prediction.contextTokens,
    kvBytes: prediction.kvBytes,
    peakBytes: prediction.peakBytes,
    leavesBytes: leavesBytes(prediction, room),
    prefillSeconds: prefillRate === null ? null : prediction.contextTokens / prefillRate,
    verdict: verdictOf(
      { prediction, shorter: predictions, others: others(prediction.contextTokens), disk: null },
      room,
    ),
  }));
}
