/**
 * The tools of a Responses request as the engine has them, and back: it knows functions by one name each. The API also
 * has functions in namespaces and custom tools, which take plain text. All of these the caller runs. Pure.
 */
import * as v from 'valibot';
import { ApiFault } from './api-fault.ts';
import { leftOut, toolName, toolSchema } from './request-fields.ts';

const functionTool = v.looseObject({
  type: v.literal('function'),
  name: toolName,
  description: v.nullish(v.string()),
  parameters: v.nullish(toolSchema),
  strict: v.nullish(v.boolean()),
});
const customTool = v.looseObject({
  type: v.literal('custom'),
  name: toolName,
  description: v.nullish(v.string()),
  format: v.nullish(
    v.looseObject({ type: v.string(), syntax: v.nullish(v.string()), definition: v.nullish(v.string()) }),
  ),
});
const namespaceTool = v.looseObject({
  type: v.literal('namespace'),
  name: toolName,
  description: v.nullish(v.string()),
  tools: v.array(v.variant('type', [functionTool, customTool], 'must be "function" or "custom"')),
});
/** What OpenAI's own servers run. */
const hostedTool = v.looseObject({
  type: v.picklist([
    'web_search',
    'web_search_2025_08_26',
    'web_search_preview',
    'web_search_preview_2025_03_11',
    'file_search',
    'code_interpreter',
    'image_generation',
    'mcp',
    'tool_search',
  ]),
});
export const responsesTool = v.variant(
  'type',
  [functionTool, customTool, namespaceTool, hostedTool],
  'must be "function", "custom" or "namespace": other tools are not offered',
);
export const responsesToolChoice = v.union(
  [
    v.picklist(['auto', 'none', 'required']),
    v.looseObject({ type: v.picklist(['function', 'custom']), name: toolName, namespace: v.nullish(toolName) }),
  ],
  'must be "auto", "none", "required", a function or a custom tool',
);

type ResponsesTool = v.InferOutput<typeof responsesTool>;
type OwnTool = v.InferOutput<typeof functionTool> | v.InferOutput<typeof customTool>;

/** What the caller calls a tool. */
export interface ToolIdentity {
  readonly kind: 'function' | 'custom';
  readonly name: string;
  readonly namespace: string | null;
}

export interface ToolsForEngine {
  /** Chat completions' shape. */
  readonly functions: readonly object[];
  /** What was offered and cannot be had here. */
  readonly leftOut: readonly string[];
  /** The tools as sent, without those left out: what the response says the model had. */
  readonly given: readonly object[];
  /** Whose tool the model calls. What it makes up is a function of that name. */
  identityOf(engineName: string): ToolIdentity;
}

/** What the engine calls a tool. A dot is how harmony sets namespaces apart; no function's own name needs one. */
export const engineNameOf = (name: string, namespace: string | null | undefined): string =>
  namespace == null ? name : `${namespace}.${name}`;

/** Throws ApiFault. */
export function toolsForEngine(sent: readonly ResponsesTool[]): ToolsForEngine {
  const identities = new Map<string, ToolIdentity>();
  const functions: object[] = [];
  const add = (tool: OwnTool, namespace: string | null, about: string | null): void => {
    const name = engineNameOf(tool.name, namespace);
    identities.set(name, { kind: tool.type, name: tool.name, namespace });
    // A model may leave the namespace out. Where two tools have the name, the first is as good a guess.
    if (namespace !== null && !identities.has(tool.name))
      identities.set(tool.name, { kind: tool.type, name: tool.name, namespace });
    const description = [about, tool.description, inputForm(tool)].filter((text) => text != null && text !== '');
    functions.push({
      type: 'function',
      function: {
        name,
        ...(description.length === 0 ? {} : { description: description.join('\n') }),
        parameters: tool.type === 'custom' ? TEXT_INPUT : (tool.parameters ?? {}),
      },
    });
  };
  const given: object[] = [];
  const hosted: string[] = [];
  for (const tool of sent) {
    if (tool.type === 'function' || tool.type === 'custom') {
      add(tool, null, null);
    } else if (tool.type === 'namespace') {
      for (const [index, one] of tool.tools.entries())
        add(one, tool.name, index === 0 ? (tool.description ?? null) : null);
    } else {
      hosted.push(tool.type);
      continue;
    }
    given.push(tool);
  }
  return {
    functions,
    given,
    leftOut: leftOut(hosted, functions.length),
    identityOf: (name) => identities.get(name) ?? { kind: 'function', name, namespace: null },
  };
}

/** The engine's name of a tool that must be used. Throws ApiFault where it was not sent. */
export function forcedTool({ functions }: ToolsForEngine, name: string, namespace: string | null | undefined): object {
  const engineName = engineNameOf(name, namespace);
  const isThere = functions.some((one) => (one as { function: { name: string } }).function.name === engineName);
  if (!isThere)
    throw new ApiFault(400, 'invalid_request', 'tool_choice names a tool that was not sent.', 'tool_choice');
  return { type: 'function', function: { name: engineName } };
}

const TEXT_INPUT = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
  additionalProperties: false,
};

/** A grammar cannot be imposed on a text inside JSON, so the model is told. */
function inputForm(tool: OwnTool): string | null {
  if (tool.type !== 'custom' || tool.format?.definition == null) return null;
  return `"input" follows this ${tool.format.syntax ?? ''} grammar:\n${tool.format.definition}`;
}

/** A custom tool's call as the engine knows it, from the history. */
export const argumentsOfInput = (input: string): string => JSON.stringify({ input });

/** A custom tool's input in the arguments that the model wrote; what is no JSON is meant as the input itself. */
export function inputOfArguments(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'input' in value && typeof value.input === 'string')
      return value.input;
  } catch {
    // Below.
  }
  return text;
}
