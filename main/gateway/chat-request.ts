/** `POST /v1/chat/completions` as sent → what the engine is asked. Pure; refuses in OpenAI's words what it cannot do. */
import * as v from 'valibot';
import type { EngineMessage, GenerationRequest } from '../engine/engine.ts';
import type { Asked } from './answer-writer.ts';
import { ApiFault } from './api-fault.ts';
import { ChatAnswer } from './chat-answer.ts';
import {
  callId,
  DEFAULT_MAX_TOKENS,
  effortField,
  effortOf,
  handlingFields,
  LARGEST_MAX_TOKENS,
  messageContent,
  modelName,
  MOST_MESSAGES,
  MOST_TOOLS,
  noImages,
  only,
  parsedBody,
  samplingFields,
  samplingOf,
  tokenBound,
  toolName,
  toolSchema,
} from './request-fields.ts';

const toolCall = v.object({
  id: callId,
  type: v.optional(v.literal('function'), 'function'),
  function: v.object({ name: v.pipe(v.string(), v.minLength(1), v.maxLength(200)), arguments: v.string() }),
});
const message = v.variant('role', [
  v.object({ role: v.picklist(['system', 'developer', 'user']), content: messageContent }),
  v.object({
    role: v.literal('assistant'),
    content: v.nullish(messageContent, null),
    reasoning: v.nullish(v.string()),
    reasoning_content: v.nullish(v.string()),
    refusal: v.nullish(v.string()),
    audio: v.nullish(v.never('cannot be read: send its text as content')),
    function_call: v.nullish(v.never('is obsolete: use tool_calls')),
    tool_calls: v.nullish(v.pipe(v.array(toolCall), v.maxLength(128))),
  }),
  v.object({ role: v.literal('tool'), content: messageContent, tool_call_id: v.nullish(callId) }),
]);

const tool = v.looseObject({
  type: v.literal('function', 'must be "function": other tools are not offered'),
  function: v.looseObject({
    name: toolName,
    description: v.nullish(v.string()),
    parameters: v.nullish(toolSchema),
  }),
});

const toolChoice = v.union(
  [
    v.picklist(['auto', 'none', 'required']),
    v.object({ type: v.literal('function'), function: v.object({ name: toolName }) }),
  ],
  'must be "auto", "none", "required" or a function',
);

const responseFormat = v.variant(
  'type',
  [
    v.object({ type: v.literal('text') }),
    v.object({ type: v.literal('json_object') }),
    v.object({
      type: v.literal('json_schema'),
      json_schema: v.looseObject({ name: v.optional(v.string(), 'answer'), schema: toolSchema }),
    }),
  ],
  'must be "text", "json_object" or "json_schema"',
);

/** Whatever is not named here is refused by name: an option that is not followed must not look as if it were. */
const body = v.strictObject({
  model: modelName,
  messages: v.pipe(v.array(message), v.minLength(1), v.maxLength(MOST_MESSAGES)),
  stream: v.nullish(v.boolean(), false),
  stream_options: v.nullish(
    v.strictObject({ include_usage: v.nullish(v.boolean(), false), include_obfuscation: v.nullish(v.boolean()) }),
  ),
  max_tokens: tokenBound,
  max_completion_tokens: tokenBound,
  ...samplingFields,
  tools: v.nullish(v.pipe(v.array(tool), v.maxLength(MOST_TOOLS))),
  tool_choice: v.nullish(toolChoice),
  // A permission, not an order: the model's template has one call a message.
  parallel_tool_calls: v.nullish(v.boolean()),
  reasoning_effort: effortField,
  logprobs: v.nullish(v.boolean(), false),
  top_logprobs: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(20))),
  response_format: v.nullish(responseFormat),
  n: only([1], 'must be 1: one answer at a time'),
  modalities: v.nullish(v.pipe(v.array(v.literal('text', 'can be ["text"] only')), v.maxLength(1))),
  verbosity: only(['medium'], 'is not offered: leave it at "medium"'),
  store: only([false], 'must be false: nothing is stored'),
  functions: v.nullish(v.never('is obsolete: use tools')),
  function_call: v.nullish(v.never('is obsolete: use tool_choice')),
  ...handlingFields,
});

/** Throws ApiFault. `date` as YYYY-MM-DD. */
export function parseChatRequest(value: unknown, date: string): Asked {
  const asked = parsedBody(body, value);
  const choice = asked.tool_choice ?? 'auto';
  const tools = choice === 'none' ? [] : (asked.tools ?? []);
  if (choice !== 'auto' && choice !== 'none' && tools.length === 0)
    throw new ApiFault(400, 'invalid_request', 'tool_choice needs tools to choose from.', 'tool_choice');
  if (asked.top_logprobs != null && !asked.logprobs)
    throw new ApiFault(400, 'invalid_request', 'top_logprobs needs logprobs.', 'top_logprobs');
  const maxTokens = asked.max_completion_tokens ?? asked.max_tokens ?? DEFAULT_MAX_TOKENS;
  const { response_format: format } = asked;
  const generation: GenerationRequest = {
    messages: asked.messages.map((one, index) => engineMessage(one, `messages.${index}`)),
    effort: effortOf(asked.reasoning_effort),
    date,
    maxTokens: Math.min(maxTokens, LARGEST_MAX_TOKENS),
    ...samplingOf(asked),
    ...(tools.length === 0 ? {} : { tools }),
    ...(choice === 'auto' || choice === 'none' ? {} : { toolChoice: choice }),
    ...(format == null || format.type === 'text' ? {} : { responseFormat: format }),
    ...(asked.logprobs ? { topLogprobs: asked.top_logprobs ?? 0 } : {}),
  };
  const includeUsage = asked.stream_options?.include_usage ?? false;
  return {
    model: asked.model,
    stream: asked.stream,
    generation,
    writer: (head) => new ChatAnswer(head, includeUsage),
  };
}

function engineMessage(sent: v.InferOutput<typeof message>, place: string): EngineMessage {
  switch (sent.role) {
    case 'assistant': {
      const reasoning = sent.reasoning ?? sent.reasoning_content;
      const calls = sent.tool_calls ?? [];
      // What another model has refused to say, it has said.
      const content = sent.content ?? sent.refusal ?? null;
      if (content === null && calls.length === 0)
        throw new ApiFault(
          400,
          'invalid_request',
          `${place}: an assistant message needs content or tool_calls.`,
          place,
        );
      return {
        role: 'assistant',
        content: content === null ? null : textOf(content, place),
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

function textOf(sent: v.InferOutput<typeof messageContent>, place: string): string {
  if (typeof sent === 'string') return sent;
  return sent
    .map(({ type, text, refusal }, index) => {
      if (type === 'text' && text !== undefined) return text;
      if (type === 'refusal' && refusal !== undefined) return refusal;
      const param = `${place}.content.${index}`;
      throw type === 'text'
        ? new ApiFault(400, 'invalid_request', `${param}: a text part needs text.`, param)
        : noImages(param);
    })
    .join('\n');
}
