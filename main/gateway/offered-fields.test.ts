/** Every field of the four APIs' requests, as their official clients declare them: followed, without effect, or refused by name. */
import { describe, expect, it } from 'vitest';
import type { Asked } from './answer-writer.ts';
import { ApiFault } from './api-fault.ts';
import { parseChatRequest } from './chat-request.ts';
import { parseCompletionRequest } from './completion-request.ts';
import { parseMessagesRequest } from './messages-request.ts';
import { parseResponsesRequest } from './responses-request.ts';

interface Api {
  readonly parse: (value: unknown, date: string) => Asked;
  readonly least: object;
  readonly withoutEffect: Readonly<Record<string, unknown>>;
  readonly refused: Readonly<Record<string, unknown>>;
}
const messages = [{ role: 'user', content: 'Hello' }];
const openAiHandling = {
  user: 'ada',
  metadata: { a: 'b' },
  service_tier: 'priority',
  safety_identifier: 'x',
  prompt_cache_key: 'k',
  prompt_cache_options: { ttl: '1h' },
  prompt_cache_retention: '24h',
};

const apis: Readonly<Record<string, Api>> = {
  'chat completions': {
    parse: parseChatRequest,
    least: { messages },
    withoutEffect: {
      ...openAiHandling,
      prediction: { type: 'content', content: 'x' },
      parallel_tool_calls: true,
      modalities: ['text'],
      n: 1,
      store: false,
      verbosity: 'medium',
    },
    refused: {
      audio: { voice: 'x', format: 'wav' },
      function_call: 'auto',
      functions: [{ name: 'f' }],
      modalities: ['audio'],
      moderation: { model: 'x' },
      n: 2,
      store: true,
      verbosity: 'low',
      web_search_options: {},
    },
  },
  completions: {
    parse: parseCompletionRequest,
    least: { prompt: 'Hello' },
    withoutEffect: { user: 'ada', n: 1, best_of: 1, echo: false, suffix: '' },
    refused: { best_of: 2, echo: true, logprobs: 1, n: 2, suffix: 'x', prompt: [1, 2] },
  },
  responses: {
    parse: parseResponsesRequest,
    least: { input: 'Hello' },
    withoutEffect: {
      ...openAiHandling,
      background: false,
      parallel_tool_calls: true,
      store: true,
      top_logprobs: 0,
      truncation: 'disabled',
    },
    refused: {
      access_programs: {},
      background: true,
      context_management: [{ type: 'compaction' }],
      conversation: 'c',
      image: {},
      max_tool_calls: 3,
      moderation: { model: 'x' },
      previous_response_id: 'r',
      prompt: { id: 'p' },
      top_logprobs: 2,
      truncation: 'auto',
    },
  },
  messages: {
    parse: parseMessagesRequest,
    least: { messages, max_tokens: 50 },
    withoutEffect: {
      metadata: { user_id: 'x' },
      service_tier: 'auto',
      speed: 'fast',
      inference_geo: 'eu',
      user_profile_id: 'x',
      workspace_id: 'x',
      billing_policy: { type: 'billing_policy' },
      diagnostics: { previous_message_id: null },
      cache_control: { type: 'ephemeral' },
      mcp_servers: [],
    },
    refused: {
      compaction: { type: 'auto' },
      container: 'c',
      fallback_credit_token: 'x',
      fallbacks: [{ model: 'x' }],
      mcp_servers: [{ type: 'url' }],
      thread: {},
    },
  },
};

describe.each(Object.entries(apis))('%s', (_name, { parse, least, withoutEffect, refused }) => {
  const asked = (more: object): Asked => parse({ ...least, ...more }, '2026-01-02');
  const plain = asked({}).generation;

  it.each(Object.entries(withoutEffect))('answers the same with %s', (name, value) => {
    expect(asked({ [name]: value }).generation).toEqual(plain);
  });

  it.each(Object.entries(refused))('refuses %s by its name', (name, value) => {
    const parsed = (): Asked => asked({ [name]: value });
    expect(parsed).toThrow(ApiFault);
    expect(parsed).toThrow(expect.objectContaining({ status: 400, param: expect.stringMatching(`^${name}`) }));
  });

  it('takes null for anything that it knows or does not know', () => {
    const names = [...Object.keys(withoutEffect), ...Object.keys(refused), 'what_comes_next'];
    const nulls = Object.fromEntries(names.filter((name) => !(name in least)).map((name) => [name, null]));
    expect(asked(nulls).generation).toEqual(plain);
  });
});
