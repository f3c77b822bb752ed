/** `POST /v1/chat/completions` as sent → what the engine is asked. Pure; refuses in OpenAI's words what it cannot do. */
import * as v from 'valibot';
import { EFFORTS } from '../../preload/contract.ts';
import type { EngineMessage, GenerationRequest } from '../engine/engine.ts';
import { shapeFault } from '../plain-data.ts';
import { ApiFault } from './api-fault.ts';

/** When the request names no bound: long enough for reasoning and an answer, short enough to end. Tokens. */
const DEFAULT_MAX_TOKENS = 8_192;
/** gpt-oss's whole context. A larger bound means the same, so it is lowered and not refused. */
export const LARGEST_MAX_TOKENS = 131_072;

export interface ChatRequest {
  readonly generation: GenerationRequest;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** What the caller called the model, for the answer. */
  readonly model: string;
}

export interface OfferedModel {
  readonly id: string;
  readonly name: string;
}

export interface RequestSurroundings {
  readonly model: OfferedModel | null;
  /** The model makers' own values, where the request says nothing. */
  readonly sampling: { readonly temperature: number; readonly topP: number } | null;
  /** YYYY-MM-DD. */
  readonly date: string;
}

const part = v.looseObject({ type: v.string(), text: v.optional(v.string()) });
const content = v.union([v.string(), v.array(part)], 'must be text or a list of text parts');
const toolCall = v.object({
  id: v.pipe(v.string(), v.maxLength(200)),
  type: v.optional(v.literal('function'), 'function'),
  function: v.object({ name: v.pipe(v.string(), v.minLength(1), v.maxLength(200)), arguments: v.string() }),
});
const message = v.variant('role', [
  v.object({ role: v.picklist(['system', 'developer', 'user']), content }),
  v.object({
    role: v.literal('assistant'),
    content: v.nullish(content, null),
    reasoning: v.nullish(v.string()),
    reasoning_content: v.nullish(v.string()),
    tool_calls: v.nullish(v.pipe(v.array(toolCall), v.maxLength(128))),
  }),
  v.object({ role: v.literal('tool'), content, tool_call_id: v.nullish(v.pipe(v.string(), v.maxLength(200))) }),
]);

const tool = v.looseObject({
  type: v.literal('function'),
  function: v.looseObject({
    name: v.pipe(v.string(), v.regex(/^[\w.-]{1,64}$/, 'must be 1 to 64 letters, digits, _, - or .')),
    description: v.nullish(v.string()),
    parameters: v.nullish(v.record(v.string(), v.unknown())),
  }),
});

const tokenBound = v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1)));
const within = (least: number, most: number) => v.nullish(v.pipe(v.number(), v.minValue(least), v.maxValue(most)));
const stopText = v.pipe(v.string(), v.minLength(1), v.maxLength(500));

/** Fields this endpoint does not know (penalties, user, metadata, …) have no effect, as with other local servers. */
const body = v.object({
  model: v.nullish(v.pipe(v.string(), v.maxLength(1_000)), 'default'),
  messages: v.pipe(v.array(message), v.minLength(1), v.maxLength(10_000)),
  stream: v.nullish(v.boolean(), false),
  stream_options: v.nullish(v.object({ include_usage: v.nullish(v.boolean(), false) })),
  max_tokens: tokenBound,
  max_completion_tokens: tokenBound,
  temperature: within(0, 2),
  top_p: within(0, 1),
  seed: v.nullish(v.pipe(v.number(), v.safeInteger())),
  stop: v.nullish(v.union([stopText, v.pipe(v.array(stopText), v.maxLength(16))], 'must be text or up to 16 texts')),
  tools: v.nullish(v.pipe(v.array(tool), v.maxLength(128))),
  tool_choice: v.optional(v.unknown()),
  reasoning_effort: v.nullish(v.picklist(EFFORTS, `must be ${EFFORTS.join(', ')}`), 'medium'),
  n: v.nullish(v.literal(1, 'must be 1: one answer at a time')),
  logprobs: v.nullish(v.literal(false, 'is not offered')),
  response_format: v.nullish(v.looseObject({ type: v.literal('text', 'must be "text": JSON modes are not offered') })),
  functions: v.nullish(v.never('is obsolete: use tools')),
});

/** Deep enough for any tool's schema, shallow enough that nothing later runs out of stack. */
const shape = { depth: 64, nodes: 500_000, textLength: 16 * 1024 * 1024 };

/** Throws ApiFault. */
export function parseChatRequest(value: unknown, surroundings: RequestSurroundings): ChatRequest {
  const oddShape = shapeFault(value, shape);
  if (oddShape !== null) throw new ApiFault(400, 'invalid_request', `The request ${oddShape}.`);
  const parsed = v.safeParse(body, value, { abortEarly: true });
  if (!parsed.success) throw requestFault(parsed.issues[0]);
  const asked = parsed.output;
  const { model, sampling, date } = surroundings;
  if (model === null)
    throw new ApiFault(503, 'no_model', 'No model has been chosen yet. Open Headroom and choose one.');
  if (![model.id, model.name, 'default'].includes(asked.model))
    throw new ApiFault(
      404,
      'model_not_found',
      `Headroom runs "${model.name}" now. Ask for that, or for "default".`,
      'model',
    );

  const tools = offeredTools(asked.tools ?? [], asked.tool_choice);
  const maxTokens = asked.max_completion_tokens ?? asked.max_tokens ?? DEFAULT_MAX_TOKENS;
  const temperature = asked.temperature ?? sampling?.temperature;
  const topP = asked.top_p ?? sampling?.topP;
  return {
    model: model.name,
    stream: asked.stream,
    includeUsage: asked.stream_options?.include_usage ?? false,
    generation: {
      messages: asked.messages.map((one, index) => engineMessage(one, `messages.${index}`)),
      effort: asked.reasoning_effort,
      date,
      maxTokens: Math.min(maxTokens, LARGEST_MAX_TOKENS),
      ...(temperature === undefined ? {} : { temperature }),
      ...(topP === undefined ? {} : { topP }),
      ...(asked.seed == null ? {} : { seed: asked.seed }),
      ...(asked.stop == null ? {} : { stop: typeof asked.stop === 'string' ? [asked.stop] : asked.stop }),
      ...(tools.length === 0 ? {} : { tools }),
    },
  };
}

function engineMessage(sent: v.InferOutput<typeof message>, place: string): EngineMessage {
  switch (sent.role) {
    case 'assistant': {
      const reasoning = sent.reasoning ?? sent.reasoning_content;
      const calls = sent.tool_calls ?? [];
      if (sent.content === null && calls.length === 0)
        throw new ApiFault(
          400,
          'invalid_request',
          `${place}: an assistant message needs content or tool_calls.`,
          place,
        );
      return {
        role: 'assistant',
        content: sent.content === null ? null : textOf(sent.content, place),
        ...(reasoning ? { reasoning } : {}),
        ...(calls.length === 0 ? {} : { tool_calls: calls }),
      };
    }
    case 'tool':
      return {
        role: 'tool',
        content: textOf(sent.content, place),
        ...(sent.tool_call_id == null ? {} : { tool_call_id: sent.tool_call_id }),
      };
    default:
      return { role: sent.role, content: textOf(sent.content, place) };
  }
}

function textOf(sent: v.InferOutput<typeof content>, place: string): string {
  if (typeof sent === 'string') return sent;
  return sent
    .map(({ type, text }, index) => {
      if (type === 'text' && text !== undefined) return text;
      const param = `${place}.content.${index}`;
      throw type === 'text'
        ? new ApiFault(400, 'invalid_request', `${param}: a text part needs text.`, param)
        : new ApiFault(
            400,
            'unsupported_content',
            'The model reads text only: images, audio and files cannot be sent.',
            param,
          );
    })
    .join('\n');
}

/** The model decides by itself whether to call a tool; it can be kept from it, not forced. */
function offeredTools(tools: readonly unknown[], choice: unknown): readonly unknown[] {
  if (choice === 'none') return [];
  if (choice == null || choice === 'auto') return tools;
  throw new ApiFault(
    400,
    'unsupported_value',
    'tool_choice can be "auto" or "none": the model cannot be forced.',
    'tool_choice',
  );
}

function requestFault(issue: v.BaseIssue<unknown>): ApiFault {
  const place = v.getDotPath(issue);
  if (place === null) return new ApiFault(400, 'invalid_request', 'The request must be a JSON object.');
  // Valibot's own messages quote what was received, which may be the user's text.
  const isOwnSentence = !issue.message.startsWith('Invalid');
  const expected = issue.received === 'undefined' ? 'is missing' : `must be ${issue.expected ?? 'something else'}`;
  return new ApiFault(400, 'invalid_request', `${place} ${isOwnSentence ? issue.message : expected}.`, place);
}
