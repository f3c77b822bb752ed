/**
 * The user's ceiling for a conversation's context, kept before the engine sees a request: the prompt is counted by the
 * engine's own tokenizer, refused with numbers when it is too long, and the answer is bounded by the room left. Chat
 * and endpoint go through here alike; a changed ceiling counts from the next request on.
 */
import { ContextFull, type Engine, type GenerationRequest } from '../engine/engine.ts';

/** Less room than this is no room for an answer. */
const LEAST_ANSWER_TOKENS = 64;

/** The numbers of a request. `maxTokens` is the caller's bound on the answer. */
export interface ContextRequest {
  readonly promptTokens: number;
  readonly maxTokens: number;
  readonly ceilingTokens: number;
}

/** Tokens the answer may have; null when there is no room for one. */
export function answerRoom({ promptTokens, maxTokens, ceilingTokens }: ContextRequest): number | null {
  const left = ceilingTokens - promptTokens;
  return left < Math.min(maxTokens, LEAST_ANSWER_TOKENS) ? null : Math.min(maxTokens, left);
}

/** The ceiling of a request: the user's, but never more than the model was made for. */
export const ceilingOf = (contextTokens: number, maxContextTokens: number | null): number =>
  maxContextTokens === null ? contextTokens : Math.min(contextTokens, maxContextTokens);

interface CeilingPorts {
  readonly engine: Pick<Engine, 'count'>;
  /** Null where no model is chosen. */
  ceilingTokens(): number | null;
  /** The longest context the model was made for; null when it does not say. */
  mostTokens(): number | null;
}

/** The request with its answer bounded by the room left. Throws ContextFull, or what counting throws. */
export async function withinCeiling(
  request: GenerationRequest,
  ports: CeilingPorts,
  signal: AbortSignal,
): Promise<GenerationRequest> {
  const promptTokens = await ports.engine.count(request, signal);
  // The slider may have been moved while the prompt was counted.
  const ceilingTokens = ports.ceilingTokens();
  if (ceilingTokens === null) return request;
  const maxTokens = answerRoom({ promptTokens, maxTokens: request.maxTokens, ceilingTokens });
  if (maxTokens === null) throw new ContextFull({ promptTokens, ceilingTokens, mostTokens: ports.mostTokens() });
  return { ...request, maxTokens };
}
