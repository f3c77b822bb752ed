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

/** What a chat template puts around the messages: gpt-oss has some 70 tokens of its own, and a few for each message. */
const MOST_TEMPLATE_TOKENS = 512;
const MOST_TOKENS_AROUND_A_MESSAGE = 64;

/** More tokens than the prompt can have: none is shorter than a byte. */
function mostPromptTokens({ messages, tools, continueFrom }: GenerationRequest): number {
  const texts = messages.map((message) => JSON.stringify(message));
  const begun = continueFrom === undefined ? '' : continueFrom.reasoning + continueFrom.content;
  const bytes = Buffer.byteLength(texts.join('') + begun + (tools === undefined ? '' : JSON.stringify(tools)));
  return bytes + MOST_TEMPLATE_TOKENS + messages.length * MOST_TOKENS_AROUND_A_MESSAGE;
}

/** An answer that broke off is part of what is read. */
const counted = ({ continueFrom, ...request }: GenerationRequest): GenerationRequest =>
  continueFrom === undefined
    ? request
    : {
        ...request,
        messages: [...request.messages, { role: 'assistant', content: continueFrom.reasoning + continueFrom.content }],
      };

/** The request with its answer bounded by the room left. Throws ContextFull, or what counting throws. */
export async function withinCeiling(
  request: GenerationRequest,
  ports: CeilingPorts,
  signal: AbortSignal,
): Promise<GenerationRequest> {
  const before = ports.ceilingTokens();
  // Asking the tokenizer takes some milliseconds: not where the answer is plain.
  if (before === null || mostPromptTokens(request) + request.maxTokens <= before) return request;
  const promptTokens = await ports.engine.count(counted(request), signal);
  // The slider may have been moved while the prompt was counted.
  const ceilingTokens = ports.ceilingTokens() ?? before;
  const maxTokens = answerRoom({ promptTokens, maxTokens: request.maxTokens, ceilingTokens });
  if (maxTokens === null) throw new ContextFull({ promptTokens, ceilingTokens, mostTokens: ports.mostTokens() });
  return { ...request, maxTokens };
}
