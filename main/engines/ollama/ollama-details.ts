/** What `/api/show` says of a model, which is its GGUF's metadata under the same names. Pure. */
import { ggufModel } from '../gguf-fit.ts';

export interface OllamaDetails {
  readonly capabilities: readonly string[];
  readonly info: Readonly<Record<string, unknown>>;
  /** See `canPrefill`. */
  readonly canPrefill: boolean;
}

const modelOf = (info: OllamaDetails['info']) => {
  const known = Object.entries(info).filter(
    (entry): entry is [string, string | number | boolean] =>
      typeof entry[1] === 'string' || typeof entry[1] === 'number' || typeof entry[1] === 'boolean',
  );
  return ggufModel({ metadata: new Map(known), tensors: [] });
};

export const configOf = (info: OllamaDetails['info']): unknown => modelOf(info).config;
export const contextOf = (info: OllamaDetails['info']): number | null => modelOf(info).maxContextTokens;

/**
 * Whether an answer that has begun can be handed over to be gone on with. Ollama leaves that to the model's template;
 * gpt-oss's own keeps the last message open in a variable of this name.
 */
export const canPrefill = (template: string): boolean => template.includes('$prefillingContent');
