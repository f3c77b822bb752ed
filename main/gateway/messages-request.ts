/** `POST /v1/messages`, Anthropic's API, as sent → what the engine is asked. Pure. */
import * as v from 'valibot';
import type { Effort } from '../../preload/contract.ts';
import type { EngineMessage, PromptRequest } from '../engine/engine.ts';
import type { Asked } from './answer-writer.ts';
import { ApiFault } from './api-fault.ts';
import { MessagesAnswer, type PlaceOfThinking } from './messages-answer.ts';
import {
  anything,
  callId,
  effortField,
  effortOf,
  jsonSchemaFormat,
  leftOut,
  LARGEST_MAX_TOKENS,
  messagesHandlingFields,
  modelName,
  MOST_MESSAGES,
  MOST_TOOLS,
  noImages,
  parsedBody,
  stopTexts,
  toolName,
  toolSchema,
  UNREADABLE_RESULT,
  within,
} from './request-fields.ts';
import { readSealed } from './sealed-reasoning.ts';

const textBlock = v.looseObject({ type: v.literal('text'), text: v.string() });
const someText = v.union([v.string(), v.array(textBlock)], 'must be text or a list of text blocks');
/** Marks where a provider's cache should end: this one finds that by itself. */
const resultBlock = v.looseObject({
  type: v.literal('tool_result'),
  tool_use_id: callId,
  content: v.nullish(v.union([v.string(), v.array(v.looseObject({ type: v.string(), text: v.optional(v.string()) }))])),
  is_error: v.nullish(v.boolean(), false),
});
const useBlock = v.looseObject({
  type: v.literal('tool_use'),
  id: callId,
  name: toolName,
  input: v.record(v.string(), v.unknown()),
});
const thinkingBlock = v.looseObject({
  type: v.literal('thinking'),
  thinking: v.string(),
  signature: v.nullish(v.string()),
});
const sealedBlock = v.looseObject({ type: v.literal('redacted_thinking') });
const imageBlock = v.looseObject({ type: v.picklist(['image', 'document']) });
const block = v.union(
  [textBlock, resultBlock, useBlock, thinkingBlock, sealedBlock, imageBlock],
  'must be a block of text, tool_use, tool_result or thinking',
);
const message = v.object({
  role: v.picklist(['user', 'assistant', 'system']),
  content: v.union([v.string(), v.array(block)], 'must be text or a list of blocks that this endpoint knows'),
});

const ownTool = v.looseObject({
  type: v.nullish(v.literal('custom', 'must be "custom": send the tool with an input_schema'), 'custom'),
  name: toolName,
  description: v.nullish(v.string()),
  input_schema: toolSchema,
  input_examples: v.nullish(v.pipe(v.array(v.record(v.string(), v.unknown())), v.maxLength(100))),
});
/** What Anthropic's own servers run; the type's end is a date. */
const SERVER_TOOL = /^(web_search|web_fetch|code_execution|tool_search_tool_(regex|bm25)|advisor)_\d{8}$/;
const serverTool = v.looseObject({ type: v.pipe(v.string(), v.regex(SERVER_TOOL)), name: toolName });
const tool = v.lazy((sent) => {
  const type = typeof sent === 'object' && sent !== null && 'type' in sent ? sent.type : undefined;
  return typeof type === 'string' && SERVER_TOOL.test(type) ? serverTool : ownTool;
});
type OwnTool = v.InferOutput<typeof ownTool>;
const toolChoice = v.variant('type', [
  v.object({ type: v.literal('auto'), disable_parallel_tool_use: anything }),
  v.object({ type: v.literal('any'), disable_parallel_tool_use: anything }),
  v.object({ type: v.literal('none') }),
  v.object({ type: v.literal('tool'), name: toolName, disable_parallel_tool_use: anything }),
]);
const display = v.nullish(v.picklist(['summarized', 'omitted']));
const thinking = v.variant('type', [
  v.looseObject({
    type: v.literal('enabled'),
    budget_tokens: v.pipe(v.number(), v.integer(), v.minValue(1)),
    display,
  }),
  v.looseObject({ type: v.literal('adaptive'), display }),
  v.looseObject({ type: v.literal('disabled') }),
]);
const jsonFormat = v.looseObject({ type: v.literal('json_schema'), schema: toolSchema });

const prompt = {
  model: modelName,
  messages: v.pipe(v.array(message), v.minLength(1), v.maxLength(MOST_MESSAGES)),
  system: v.nullish(someText),
  tools: v.nullish(v.pipe(v.array(tool), v.maxLength(MOST_TOOLS))),
  tool_choice: v.nullish(toolChoice),
  thinking: v.nullish(thinking),
  output_config: v.nullish(v.strictObject({ effort: effortField, format: v.nullish(jsonFormat) })),
  output_format: v.nullish(jsonFormat),
  ...messagesHandlingFields,
};
/** Old thinking is left out by the model's own template. Nothing else is: the ceiling is told with numbers. */
const contextEdits = v.nullish(
  v.object({
    edits: v.nullish(
      v.array(v.looseObject({ type: v.pipe(v.string(), v.regex(/^clear_thinking/, 'is not offered: send less')) })),
    ),
  }),
);
const notOffered = v.nullish(v.never('is not offered'));

const body = v.strictObject({
  ...prompt,
  max_tokens: v.pipe(v.number(), v.integer(), v.minValue(1)),
  stream: v.nullish(v.boolean(), false),
  stop_sequences: v.nullish(stopTexts),
  temperature: within(0, 1),
  top_p: within(0, 1),
  top_k: v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  context_management: contextEdits,
  mcp_servers: v.nullish(v.pipe(v.array(v.unknown()), v.length(0, 'are not offered'))),
  container: notOffered,
});

const countBody = v.strictObject({ ...prompt, context_management: contextEdits });

/** Throws ApiFault. `date` as YYYY-MM-DD. */
export function parseMessagesRequest(value: unknown, date: string): Asked {
  const asked = parsedBody(body, value);
  const { temperature, top_p: topP, top_k: topK, stop_sequences: stop } = asked;
  const choice = asked.tool_choice ?? { type: 'auto' };
  const format = asked.output_config?.format ?? asked.output_format;
  const budget = asked.thinking?.type === 'enabled' ? asked.thinking.budget_tokens : null;
  return {
    model: asked.model,
    stream: asked.stream,
    leftOut: sorted(asked.tools).leftOut,
    generation: {
      ...promptOf(asked, date),
      maxTokens: Math.min(asked.max_tokens, LARGEST_MAX_TOKENS),
      ...(temperature == null ? {} : { temperature }),
      ...(topP == null ? {} : { topP }),
      ...(topK == null ? {} : { topK }),
      ...(stop == null || stop.length === 0 ? {} : { stop }),
      ...(budget === null ? {} : { thinkingBudgetTokens: budget }),
      ...(choice.type === 'any' ? { toolChoice: 'required' } : {}),
      ...(choice.type === 'tool' ? { toolChoice: { type: 'function', function: { name: choice.name } } } : {}),
      ...(format == null ? {} : { responseFormat: jsonSchemaFormat('answer', format.schema) }),
    },
    // Programs that did not ask for thinking read the first block as the answer.
    writer: (head) => new MessagesAnswer(head, { thinking: placeOfThinking(asked.thinking) }),
  };
}

function placeOfThinking(asked: v.InferOutput<typeof prompt.thinking>): PlaceOfThinking {
  if (asked == null || asked.type === 'disabled') return 'nowhere';
  return asked.display === 'omitted' ? 'sealed' : 'shown';
}

/** `POST /v1/messages/count_tokens`. Throws ApiFault. */
export function parseCountRequest(
  value: unknown,
  date: string,
): { readonly model: string; readonly prompt: PromptRequest } {
  const asked = parsedBody(countBody, value);
  return { model: asked.model, prompt: promptOf(asked, date) };
}

function promptOf(asked: v.InferOutput<typeof countBody>, date: string): PromptRequest {
  const choice = asked.tool_choice ?? { type: 'auto' };
  const { own } = sorted(asked.tools);
  if ((choice.type === 'any' || choice.type === 'tool') && own.length === 0)
    throw new ApiFault(400, 'invalid_request', 'tool_choice needs tools to choose from.', 'tool_choice');
  const tools =
    choice.type === 'none'
      ? []
      : own.map((one) => {
          const description = described(one);
          const about = description === '' ? {} : { description };
          return { type: 'function', function: { name: one.name, ...about, parameters: one.input_schema } };
        });
  const system = asked.system == null ? '' : joined(asked.system);
  return {
    messages: [
      ...(system === '' ? [] : [{ role: 'system' as const, content: system }]),
      ...asked.messages.flatMap((one, index) => engineMessages(one, `messages.${index}`)),
    ],
    effort: effortFor(asked.thinking?.type ?? null, asked.output_config?.effort),
    date,
    ...(tools.length === 0 ? {} : { tools }),
  };
}

/** The model's template has no place of their own for examples. */
const described = ({ description, input_examples: examples }: OwnTool): string =>
  [description ?? '', ...(examples ?? []).map((example) => `Example of its input: ${JSON.stringify(example)}`)]
    .filter((line) => line !== '')
    .join('\n');

const isOwn = (one: v.InferOutput<typeof tool>): one is OwnTool => one.type === 'custom';

/** Throws ApiFault. */
function sorted(tools: v.InferOutput<typeof prompt.tools>): {
  readonly own: readonly OwnTool[];
  readonly leftOut: readonly string[];
} {
  const own: OwnTool[] = [];
  const others: string[] = [];
  for (const one of tools ?? []) {
    if (isOwn(one)) own.push(one);
    else others.push(one.type);
  }
  return { own, leftOut: leftOut(others, own.length) };
}

/** The model cannot be kept from thinking: who wants none gets the least. */
const effortFor = (thinkingType: string | null, effort: string | null | undefined): Effort =>
  effort == null && thinkingType === 'disabled' ? 'low' : effortOf(effort);

const joined = (text: v.InferOutput<typeof someText>): string =>
  typeof text === 'string' ? text : text.map((one) => one.text).join('\n');

/** A user's message holds results of tools beside its text: the engine has a message for each. */
function engineMessages({ role, content }: v.InferOutput<typeof message>, place: string): EngineMessage[] {
  if (role === 'system') return [{ role, content: typeof content === 'string' ? content : onlyText(content, place) }];
  if (typeof content === 'string') return [{ role, content }];
  if (role === 'user') {
    const messages: EngineMessage[] = [];
    for (const [index, one] of content.entries()) {
      if (one.type === 'tool_result') {
        messages.push({
          role: 'tool',
          content: resultOf(one),
          tool_call_id: one.tool_use_id,
        });
      } else {
        messages.push({ role: 'user', content: onlyText([one], `${place}.content`, index) });
      }
    }
    return mergedText(messages);
  }
  let text: string | null = null;
  let reasoning = '';
  const calls = [];
  for (const [index, one] of content.entries()) {
    switch (one.type) {
      case 'text':
        text = text === null ? one.text : `${text}\n${one.text}`;
        break;
      case 'thinking':
        reasoning += one.thinking === '' ? (readSealed(one.signature ?? '') ?? '') : one.thinking;
        break;
      case 'redacted_thinking':
        break;
      case 'tool_use':
        calls.push({
          id: one.id,
          type: 'function' as const,
          function: { name: one.name, arguments: JSON.stringify(one.input) },
        });
        break;
      default:
        throw noImages(`${place}.content.${index}`);
    }
  }
  return [
    {
      role: 'assistant',
      content: text ?? (calls.length === 0 ? '' : null),
      ...(reasoning === '' ? {} : { reasoning }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    },
  ];
}

function onlyText(blocks: readonly v.InferOutput<typeof block>[], place: string, first = 0): string {
  return blocks
    .map((one, index) => {
      if (one.type === 'text') return one.text;
      throw noImages(`${place}.${first + index}`);
    })
    .join('\n');
}

function resultOf({ content, is_error }: v.InferOutput<typeof resultBlock>): string {
  const text =
    typeof content === 'string'
      ? content
      : (content ?? [])
          .map((one) => (one.type === 'text' && one.text !== undefined ? one.text : UNREADABLE_RESULT))
          .join('\n');
  return is_error ? `Error: ${text}` : text;
}

/** Text in several blocks is one message. */
function mergedText(messages: readonly EngineMessage[]): EngineMessage[] {
  const merged: EngineMessage[] = [];
  for (const one of messages) {
    const last = merged.at(-1);
    if (one.role === 'user' && last?.role === 'user') {
      merged[merged.length - 1] = { role: 'user', content: `${last.content}\n${one.content}` };
    } else {
      merged.push(one);
    }
  }
  return merged;
}
