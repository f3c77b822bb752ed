import type { GenerationRequest } from './engine.ts';

/** How to choose the next token and where to stop, under the names that every engine's API uses. */
export const samplingFields = (request: GenerationRequest): Readonly<Record<string, unknown>> => ({
  ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
  ...(request.topP === undefined ? {} : { top_p: request.topP }),
  ...(request.topK === undefined ? {} : { top_k: request.topK }),
  ...(request.minP === undefined ? {} : { min_p: request.minP }),
  ...(request.seed === undefined ? {} : { seed: request.seed }),
  ...(request.stop === undefined ? {} : { stop: request.stop }),
  ...(request.frequencyPenalty === undefined ? {} : { frequency_penalty: request.frequencyPenalty }),
  ...(request.presencePenalty === undefined ? {} : { presence_penalty: request.presencePenalty }),
  ...(request.logitBias === undefined ? {} : { logit_bias: request.logitBias }),
});

/** What everybody but the bundled engine and its relatives calls `repetition_penalty`. */
export const repeatPenaltyField = ({ repetitionPenalty }: GenerationRequest): Readonly<Record<string, unknown>> =>
  repetitionPenalty === undefined ? {} : { repeat_penalty: repetitionPenalty };
