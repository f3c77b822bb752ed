/** What the APIs' requests have in common: bounds, and how a wrong field is named. Pure. */
import * as v from 'valibot';
import type { Effort } from '../../preload/contract.ts';
import type { GenerationRequest } from '../engine/engine.ts';
import { shapeFault } from '../plain-data.ts';
import { ApiFault } from './api-fault.ts';

/** When the request names no bound: long enough for reasoning and an answer, short enough to end. Tokens. */
export const DEFAULT_MAX_TOKENS = 8_192;
/** gpt-oss's whole context. A larger bound means the same, so it is lowered and not refused. */
export const LARGEST_MAX_TOKENS = 131_072;

export const tokenBound = v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1)));
export const within = (least: number, most: number) =>
  v.nullish(v.pipe(v.number(), v.minValue(least), v.maxValue(most)));
const stopText = v.pipe(v.string(), v.minLength(1), v.maxLength(500));
export const stopTexts = v.pipe(v.array(stopText), v.maxLength(16));
const stopField = v.nullish(v.union([stopText, stopTexts], 'must be text or up to 16 texts'));
const isBias = (given: unknown): boolean =>
  typeof given === 'object' &&
  given !== null &&
  !Array.isArray(given) &&
  Object.entries(given).every(
    ([token, value]) => /^\d{1,9}$/.test(token) && typeof value === 'number' && Math.abs(value) <= 100,
  );

/** How the next token is chosen and where to stop, as OpenAI's chat completions and completions have it. */
export const samplingFields = {
  temperature: within(0, 2),
  top_p: within(0, 1),
  top_k: v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  min_p: within(0, 1),
  seed: v.nullish(v.pipe(v.number(), v.safeInteger())),
  stop: stopField,
  frequency_penalty: within(-2, 2),
  presence_penalty: within(-2, 2),
  repetition_penalty: within(0, 2),
  logit_bias: v.nullish(
    v.custom<Record<string, number>>(isBias, 'must give the numbers of tokens values from -100 to 100'),
  ),
};
const samplingSchema = v.object(samplingFields);

/** What asks for nothing is left out: not every engine knows every field. */
export function samplingOf(asked: v.InferOutput<typeof samplingSchema>): Partial<GenerationRequest> {
  const { temperature, top_p: topP, top_k: topK, min_p: minP, seed, stop, logit_bias: logitBias } = asked;
  const { frequency_penalty: frequencyPenalty, presence_penalty: presencePenalty } = asked;
  // Some say 0 for none.
  const repetitionPenalty = asked.repetition_penalty || 1;
  return {
    ...(temperature == null ? {} : { temperature }),
    ...(topP == null ? {} : { topP }),
    ...(topK == null ? {} : { topK }),
    ...(minP == null ? {} : { minP }),
    ...(seed == null ? {} : { seed }),
    ...(stop == null || stop.length === 0 ? {} : { stop: typeof stop === 'string' ? [stop] : stop }),
    ...(frequencyPenalty ? { frequencyPenalty } : {}),
    ...(presencePenalty ? { presencePenalty } : {}),
    ...(repetitionPenalty === 1 ? {} : { repetitionPenalty }),
    ...(logitBias == null || Object.keys(logitBias).length === 0 ? {} : { logitBias }),
  };
}
export const modelName = v.nullish(v.pipe(v.string(), v.maxLength(1_000)), 'default');
export const callId = v.pipe(v.string(), v.maxLength(200));
export const toolName = v.pipe(v.string(), v.regex(/^[\w.-]{1,128}$/, 'must be 1 to 128 letters, digits, _, - or .'));
export const toolSchema = v.record(v.string(), v.unknown());
export const MOST_TOOLS = 256;
export const MOST_MESSAGES = 10_000;

/** A field that says how a request is to be handled, not what is to be answered: taken, without effect. */
export const anything = v.optional(v.unknown());
/** A field whose usual value asks for nothing; any other is refused by name. */
export const only = (usual: readonly (string | number | boolean)[], refusal: string) =>
  v.nullish(v.picklist(usual as readonly [string], refusal));

/** The model knows three efforts. The APIs have more names: the nearest is meant; what none comes near is refused. */
const efforts: Readonly<Record<string, Effort>> = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
};
export const effortField = v.nullish(
  v.picklist(Object.keys(efforts), 'must be low, medium or high: the model always thinks'),
);
export const effortOf = (name: string | null | undefined): Effort => efforts[name ?? 'medium'] ?? 'medium';

/**
 * Whose request it is, who pays, and how a provider's own servers and caches are to treat it: here nothing depends on
 * them, and the answer is the same. These are all the fields that are taken without effect; every other one is followed
 * or refused by name. Inside messages and tools the same holds for their `cache_control`, for a writer's `name`, and for
 * how tools are loaded (`defer_loading`, `allowed_callers`, `eager_input_streaming`). A tool's `strict` is kept where its
 * call is forced: to keep it everywhere would slow every token of every agent's answer.
 */
export const handlingFields = {
  user: anything,
  metadata: anything,
  service_tier: anything,
  safety_identifier: anything,
  prompt_cache_key: anything,
  prompt_cache_options: anything,
  prompt_cache_retention: anything,
  client_metadata: anything,
  // A guess of the answer, to be faster.
  prediction: anything,
};
export const messagesHandlingFields = {
  metadata: anything,
  service_tier: anything,
  speed: anything,
  inference_geo: anything,
  user_profile_id: anything,
  workspace_id: anything,
  billing_policy: anything,
  diagnostics: anything,
  cache_control: anything,
};

export const textPart = v.looseObject({
  type: v.string(),
  text: v.optional(v.string()),
  refusal: v.optional(v.string()),
});
/** A message's content, as chat completions and responses write it. */
export const messageContent = v.union([v.string(), v.array(textPart)], 'must be text or a list of text parts');

/** Deep enough for any tool's schema, shallow enough that nothing later runs out of stack. */
const shape = { depth: 64, nodes: 500_000, textLength: 16 * 1024 * 1024 };

/** Throws ApiFault. */
export function parsedBody<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const oddShape = shapeFault(value, shape);
  if (oddShape !== null) throw new ApiFault(400, 'invalid_request', `The request ${oddShape}.`);
  const parsed = v.safeParse(schema, withoutNulls(value), { abortEarly: true });
  if (!parsed.success) throw requestFault(parsed.issues[0]);
  return parsed.output;
}

/** Clients send null for what they have not been given. */
const withoutNulls = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null))
    : value;

function requestFault(issue: v.BaseIssue<unknown>): ApiFault {
  const place = v.getDotPath(issue);
  if (place === null) return new ApiFault(400, 'invalid_request', 'The request must be a JSON object.');
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    // What is unknown may be anything: only names that look like a parameter's are said back.
    const name = /^[\w.-]{1,80}$/.test(place) ? place : null;
    const message = `${name ?? 'A field of the request'} is not offered by this endpoint.`;
    return new ApiFault(400, 'unknown_parameter', message, name);
  }
  // Valibot's own messages quote what was received, which may be the user's text.
  const isOwnSentence = !issue.message.startsWith('Invalid');
  const told = isOwnSentence ? issue.message : expectation(issue);
  return new ApiFault(400, 'invalid_request', `${place} ${told}.`, place);
}

function expectation({ type, received, expected, requirement }: v.BaseIssue<unknown>): string {
  if (received === 'undefined') return 'is missing';
  const bound = Number(requirement);
  switch (type) {
    case 'min_value':
      return `must be at least ${bound}`;
    case 'max_value':
      return `must be ${bound} at most`;
    case 'integer':
    case 'safe_integer':
      return 'must be a whole number';
    case 'min_length':
      return 'must not be empty';
    case 'max_length':
      return `may have ${bound} at most`;
    default:
      return `must be ${expected ?? 'something else'}`;
  }
}

/**
 * Tools that a provider's servers run, such as a search of the web. To offer one is no order to use it: an agent that
 * brings tools of its own works without, and a refusal would keep it from starting. So the model is not told of it, and
 * the caller is told that it was left out. Sent alone it is what the request is about. Throws ApiFault.
 */
export function leftOut(hosted: readonly string[], ownTools: number): readonly string[] {
  const [first] = hosted;
  if (first === undefined || ownTools > 0) return [...new Set(hosted)];
  const message = `${first} is run by a provider's servers and not offered here. Send tools that your program runs.`;
  throw new ApiFault(400, 'unsupported_tool', message, 'tools');
}

/**
 * What a tool gave back that cannot be read. The model asked for it and is told: a refusal would come again with every
 * request that has this result in its history.
 */
export const UNREADABLE_RESULT = '[An image or a file was here. This model reads text only.]';

export const noImages = (param: string): ApiFault =>
  new ApiFault(400, 'unsupported_content', 'The model reads text only: images, audio and files cannot be sent.', param);

/** An answer in a form that was asked for, as OpenAI's chat completions write it. */
export const jsonSchemaFormat = (name: string, schema: object): object => ({
  type: 'json_schema',
  json_schema: { name, schema, strict: true },
});
