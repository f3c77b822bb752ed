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
  within,
} from './request-fields.ts';
import { ResponseAnswer, readSealed } from './responses-answer.ts';

const messageItem = v.looseObject({
  type: v.optional(v.literal('message'), 'message'),
  role: v.picklist(['system', 'developer', 'user', 'assistant']),
  content: messageContent,
});
const callItem = v.looseObject({
  type: v.literal('function_call'),
  call_id: callId,
  name: toolName,
  arguments: v.string(),
});
const outputItem = v.looseObject({ type: v.literal('function_call_output'), call_id: callId, output: messageContent });
const reasoningItem = v.looseObject({
  type: v.literal('reasoning'),
  content: v.nullish(v.array(textPart)),
  encrypted_content: v.nullish(v.string()),
});
const item = v.union(
  [messageItem, callItem, outputItem, reasoningItem],
  'must be a message, a function_call, a function_call_output or reasoning',
);

const tool = v.looseObject({
  type: v.literal('function', 'must be "function": other tools are not offered'),
  name: toolName,
  description: v.nullish(v.string()),
  parameters: v.nullish(toolSchema),
  strict: v.nullish(v.boolean()),
});
const toolChoice = v.union(
  [v.picklist(['auto', 'none', 'required']), v.object({ type: v.literal('function'), name: toolName })],
  'must be "auto", "none", "required" or a function',
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
  input: v.union(
    [v.string(), v.pipe(v.array(item), v.minLength(1), v.maxLength(MOST_MESSAGES))],
    'must be text or a list of items that this endpoint knows',
  ),
  instructions: v.nullish(v.string()),
  stream: v.nullish(v.boolean(), false),
  stream_options: v.nullish(v.object({ include_obfuscation: v.nullish(v.boolean()) })),
  max_output_tokens: tokenBound,
  temperature: within(0, 2),
  top_p: within(0, 1),
  tools: v.nullish(v.pipe(v.array(tool), v.maxLength(MOST_TOOLS))),
  tool_choice: v.nullish(toolChoice),
  parallel_tool_calls: v.nullish(v.boolean()),
  reasoning: v.nullish(
    v.object({
      effort: effortField,
      summary: anything,
      generate_summary: anything,
    }),
  ),
  text: v.nullish(
    v.object({ format: v.nullish(format), verbosity: only(['medium'], 'is not offered: leave it at "medium"') }),
  ),
  include: v.nullish(
    v.array(v.picklist(['reasoning.encrypted_content'], 'can name "reasoning.encrypted_content" only')),
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
  client_metadata: anything,
});

/** Throws ApiFault. `date` as YYYY-MM-DD. */
export function parseResponsesRequest(value: unknown, date: string): Asked {
  const asked = parsedBody(body, value);
  const choice = asked.tool_choice ?? 'auto';
  const tools =
    choice === 'none'
      ? []
      : (asked.tools ?? []).map(({ name, description, parameters }) => ({
          type: 'function',
          function: { name, ...(description == null ? {} : { description }), parameters: parameters ?? {} },
        }));
  if (choice !== 'auto' && choice !== 'none' && tools.length === 0)
    throw new ApiFault(400, 'invalid_request', 'tool_choice needs tools to choose from.', 'tool_choice');
  const { temperature, top_p: topP } = asked;
  const responseFormat = asked.text?.format;
  const messages = messagesOf(asked.input, asked.instructions ?? null);
  return {
    model: asked.model,
    stream: asked.stream,
    generation: {
      messages,
      effort: effortOf(asked.reasoning?.effort),
      date,
      maxTokens: Math.min(asked.max_output_tokens ?? DEFAULT_MAX_TOKENS, LARGEST_MAX_TOKENS),
      ...(temperature == null ? {} : { temperature }),
      ...(topP == null ? {} : { topP }),
      ...(tools.length === 0 ? {} : { tools }),
      ...(choice === 'auto' || choice === 'none'
        ? {}
        : { toolChoice: typeof choice === 'string' ? choice : { type: 'function', function: { name: choice.name } } }),
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
        tools: asked.tools ?? [],
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
      case 'function_call': {
        const call = {
          id: sent.call_id,
          type: 'function' as const,
          function: { name: sent.name, arguments: sent.arguments },
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
        messages.push({ role: 'tool', content: textOf(sent.output, `${place}.output`), tool_call_id: sent.call_id });
        break;
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

function textOf(sent: v.InferOutput<typeof messageContent>, place: string): string {
  if (typeof sent === 'string') return sent;
  return sent
    .map(({ type, text }, index) => {
      if ((type === 'input_text' || type === 'output_text' || type === 'text') && text !== undefined) return text;
      throw noImages(`${place}.${index}`);
    })
    .join('\n');
}
