/** `POST /v1/responses` as sent → what the engine is asked. Pure. Nothing is stored: whoever asks sends the whole history. */
import * as v from 'valibot';
import type { EngineMessage } from '../engine/engine.ts';
import type { Asked } from './answer-writer.ts';
import { ApiFault } from './api-fault.ts';
import {
  anything,
  callId,
  DEFAULT_MAX_TOKENS,
  effortField,
  effortOf,
  handlingFields,
  jsonSchemaFormat,
  LARGEST_MAX_TOKENS,
  messageContent,
  modelName,
  MOST_MESSAGES,
  MOST_TOOLS,
  noImages,
  only,
  parsedBody,
  textPart,
  tokenBound,
  toolName,
  toolSchema,
  UNREADABLE_RESULT,
  within,
} from './request-fields.ts';
import { ResponseAnswer } from './responses-answer.ts';
import {
  argumentsOfInput,
  engineNameOf,
  forcedTool,
  responsesTool,
  responsesToolChoice,
  toolsForEngine,
} from './responses-tools.ts';
import { readSealed } from './sealed-reasoning.ts';

const messageItem = v.looseObject({
  type: v.literal('message'),
  role: v.picklist(['system', 'developer', 'user', 'assistant']),
  content: messageContent,
});
const callItem = v.looseObject({
  type: v.literal('function_call'),
  call_id: callId,
  name: toolName,
  namespace: v.nullish(toolName),
  arguments: v.string(),
});
const customCallItem = v.looseObject({
  type: v.literal('custom_tool_call'),
  call_id: callId,
  name: toolName,
  namespace: v.nullish(toolName),
  input: v.string(),
});
const outputItem = v.looseObject({
  type: v.picklist(['function_call_output', 'custom_tool_call_output']),
  call_id: callId,
  output: messageContent,
});
const reasoningItem = v.looseObject({
  type: v.literal('reasoning'),
  content: v.nullish(v.array(textPart)),
  encrypted_content: v.nullish(v.string()),
});
const referenceItem = v.looseObject({ type: v.literal('item_reference') });
const item = v.pipe(
  v.looseObject({ type: v.optional(v.string(), 'message') }),
  v.variant(
    'type',
    [messageItem, callItem, customCallItem, outputItem, reasoningItem, referenceItem],
    'must be a message, a function or custom tool call, its output, or reasoning: other items are not offered',
  ),
);

const format = v.variant(
  'type',
  [
    v.object({ type: v.literal('text') }),
    v.object({ type: v.literal('json_object') }),
    v.looseObject({ type: v.literal('json_schema'), name: v.optional(v.string(), 'answer'), schema: toolSchema }),
  ],
  'must be "text", "json_object" or "json_schema"',
);

const body = v.strictObject({
  model: modelName,
  // Not a union: that would say of the whole list what is wrong with one item.
  input: v.lazy((sent) =>
    Array.isArray(sent)
      ? v.pipe(v.array(item), v.minLength(1), v.maxLength(MOST_MESSAGES))
      : v.string('must be text or a list of items'),
  ),
  instructions: v.nullish(v.string()),
  stream: v.nullish(v.boolean(), false),
  stream_options: v.nullish(v.strictObject({ include_obfuscation: v.nullish(v.boolean()) })),
  max_output_tokens: tokenBound,
  temperature: within(0, 2),
  top_p: within(0, 1),
  tools: v.nullish(v.pipe(v.array(responsesTool), v.maxLength(MOST_TOOLS))),
  tool_choice: v.nullish(responsesToolChoice),
  parallel_tool_calls: v.nullish(v.boolean()),
  reasoning: v.nullish(
    v.strictObject({
      effort: effortField,
      // All of it comes, and none of it is summarised.
      summary: anything,
      generate_summary: anything,
      context: only(['auto'], 'is not offered: leave it at "auto"'),
      mode: only(['standard'], 'is not offered: leave it at "standard"'),
    }),
  ),
  text: v.nullish(
    v.strictObject({ format: v.nullish(format), verbosity: only(['medium'], 'is not offered: leave it at "medium"') }),
  ),
  // Everything but the first belongs to calls that never come here.
  include: v.nullish(
    v.array(
      v.picklist(
        [
          'reasoning.encrypted_content',
          'web_search_call.action.sources',
          'web_search_call.results',
          'file_search_call.results',
          'code_interpreter_call.outputs',
          'computer_call_output.output.image_url',
          'message.input_image.image_url',
        ],
        'names something that is not offered',
      ),
    ),
  ),
  truncation: only(['disabled'], 'must be "disabled": nothing is cut silently'),
  previous_response_id: v.nullish(v.never('is not offered: nothing is stored, send the whole history')),
  conversation: v.nullish(v.never('is not offered: nothing is stored, send the whole history')),
  prompt: v.nullish(v.never('is not offered: send the text itself')),
  background: only([false], 'must be false'),
  top_logprobs: only([0], 'is offered by /v1/chat/completions only'),
  max_tool_calls: v.nullish(v.never('is not offered')),
  // True is what the API means by saying nothing; the answer says that nothing was stored.
  store: v.nullish(v.boolean()),
  ...handlingFields,
});

/** Throws ApiFault. `date` as YYYY-MM-DD. */
export function parseResponsesRequest(value: unknown, date: string): Asked {
  const asked = parsedBody(body, value);
  const choice = asked.tool_choice ?? 'auto';
  const tools = toolsForEngine(asked.tools ?? []);
  const functions = choice === 'none' ? [] : tools.functions;
  if (choice !== 'auto' && choice !== 'none' && functions.length === 0)
    throw new ApiFault(400, 'invalid_request', 'tool_choice needs tools to choose from.', 'tool_choice');
  const { temperature, top_p: topP } = asked;
  const responseFormat = asked.text?.format;
  const messages = messagesOf(asked.input, asked.instructions ?? null);
  return {
    model: asked.model,
    stream: asked.stream,
    leftOut: tools.leftOut,
    generation: {
      messages,
      effort: effortOf(asked.reasoning?.effort),
      date,
      maxTokens: Math.min(asked.max_output_tokens ?? DEFAULT_MAX_TOKENS, LARGEST_MAX_TOKENS),
      ...(temperature == null ? {} : { temperature }),
      ...(topP == null ? {} : { topP }),
      ...(functions.length === 0 ? {} : { tools: functions }),
      ...(choice === 'auto' || choice === 'none'
        ? {}
        : { toolChoice: typeof choice === 'string' ? choice : forcedTool(tools, choice.name, choice.namespace) }),
      ...(responseFormat == null || responseFormat.type === 'text'
        ? {}
        : {
            responseFormat:
              responseFormat.type === 'json_object'
                ? { type: 'json_object' }
                : jsonSchemaFormat(responseFormat.name, responseFormat.schema),
          }),
    },
    writer: (head) =>
      new ResponseAnswer(head, {
        instructions: asked.instructions ?? null,
        maxOutputTokens: asked.max_output_tokens ?? null,
        temperature: temperature ?? null,
        topP: topP ?? null,
        tools,
        toolChoice: choice,
        effort: effortOf(asked.reasoning?.effort),
        format: responseFormat ?? { type: 'text' },
        sealsReasoning: asked.include?.includes('reasoning.encrypted_content') ?? false,
      }),
  };
}

type Item = v.InferOutput<typeof item>;

/** Reasoning and calls come as items of their own; the engine has them in the assistant's message that they led to. */
function messagesOf(input: string | readonly Item[], instructions: string | null): EngineMessage[] {
  const messages: EngineMessage[] = instructions === null ? [] : [{ role: 'system', content: instructions }];
  if (typeof input === 'string') return [...messages, { role: 'user', content: input }];
  let reasoning = '';
  for (const [index, sent] of input.entries()) {
    const place = `input.${index}`;
    switch (sent.type) {
      case 'reasoning':
        reasoning += reasoningOf(sent);
        break;
      case 'function_call':
      case 'custom_tool_call': {
        const call = {
          id: sent.call_id,
          type: 'function' as const,
          function: {
            name: engineNameOf(sent.name, sent.namespace),
            arguments: sent.type === 'function_call' ? sent.arguments : argumentsOfInput(sent.input),
          },
        };
        const last = messages.at(-1);
        if (last?.role === 'assistant' && reasoning === '') {
          messages[messages.length - 1] = { ...last, tool_calls: [...(last.tool_calls ?? []), call] };
        } else {
          messages.push({
            role: 'assistant',
            content: null,
            ...(reasoning === '' ? {} : { reasoning }),
            tool_calls: [call],
          });
        }
        reasoning = '';
        break;
      }
      case 'function_call_output':
      case 'custom_tool_call_output':
        messages.push({ role: 'tool', content: resultOf(sent.output), tool_call_id: sent.call_id });
        break;
      case 'item_reference':
        throw new ApiFault(
          400,
          'unsupported_item',
          `${place} refers to an item that was not stored. Send the item itself: most programs do with store: false.`,
          place,
        );
      case 'message': {
        const text = textOf(sent.content, `${place}.content`);
        messages.push(
          sent.role === 'assistant'
            ? { role: 'assistant', content: text, ...(reasoning === '' ? {} : { reasoning }) }
            : { role: sent.role, content: text },
        );
        reasoning = '';
      }
    }
  }
  return messages;
}

function reasoningOf(sent: v.InferOutput<typeof reasoningItem>): string {
  const told = (sent.content ?? []).map(({ text }) => text ?? '').join('');
  return told === '' && sent.encrypted_content != null ? (readSealed(sent.encrypted_content) ?? '') : told;
}

type Content = v.InferOutput<typeof messageContent>;
type Part = Exclude<Content, string>[number];

const partText = ({ type, text }: Part): string | null =>
  type === 'input_text' || type === 'output_text' || type === 'text' ? (text ?? null) : null;

function textOf(sent: Content, place: string): string {
  if (typeof sent === 'string') return sent;
  return sent
    .map((part, index) => {
      const text = partText(part);
      if (text === null) throw noImages(`${place}.${index}`);
      return text;
    })
    .join('\n');
}

const resultOf = (sent: Content): string =>
  typeof sent === 'string' ? sent : sent.map((part) => partText(part) ?? UNREADABLE_RESULT).join('\n');
