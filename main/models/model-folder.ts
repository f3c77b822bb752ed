/** A folder on disk that claims to be a model: what it is, how big, how to sample from it. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import * as v from 'valibot';
import type { ModelInfo } from '../../preload/contract.ts';
import { AppFault } from '../fault.ts';

export interface ModelFolder {
  readonly info: ModelInfo;
  readonly folder: string;
  /** What the model's makers recommend; OpenAI's 1.0 / 1.0 for gpt-oss where they say nothing. */
  readonly sampling: { readonly temperature: number; readonly topP: number };
  /** Longest context the model was made for, tokens; null when its config does not say. */
  readonly maxContextTokens: number | null;
}

export const DEMO_MODEL_ID = 'headroom-demo';

const positive = v.pipe(v.number(), v.finite(), v.minValue(0));
const generationConfig = v.object({
  temperature: v.fallback(v.optional(v.pipe(positive, v.maxValue(2))), undefined),
  top_p: v.fallback(v.optional(v.pipe(positive, v.maxValue(1))), undefined),
});
const config = v.object({
  max_position_embeddings: v.fallback(v.optional(v.pipe(positive, v.integer())), undefined),
});

/** Reads what can be known without loading. Throws AppFault (not-found) in words when the folder is no model. */
export function readModelFolder(path: string): ModelFolder {
  const folder = resolve(path);
  const pick = 'Choose a folder with an MLX model: config.json and model*.safetensors.';
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    throw new AppFault('not-found', `There is no folder ${folder}.`, pick);
  }
  const weights = names.filter((name) => name.endsWith('.safetensors'));
  if (!names.includes('config.json') || weights.length === 0) {
    const missing = names.includes('config.json') ? 'weights (model*.safetensors)' : 'config.json';
    throw new AppFault('not-found', `The folder ${folder} has no ${missing}.`, pick);
  }
  const generation = readJson(join(folder, 'generation_config.json'), generationConfig);
  const isToy = basename(folder) === DEMO_MODEL_ID;
  return {
    folder,
    info: {
      id: isToy ? DEMO_MODEL_ID : folder,
      name: isToy ? 'Demo model' : basename(folder),
      // Links are followed: in a Hugging Face cache the files of a snapshot are links to blobs.
      sizeBytes: weights.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0),
      isToy,
    },
    sampling: { temperature: generation?.temperature ?? 1, topP: generation?.top_p ?? 1 },
    maxContextTokens: readJson(join(folder, 'config.json'), config)?.max_position_embeddings ?? null,
  };
}

function readJson<T>(file: string, schema: v.GenericSchema<unknown, T>): T | null {
  try {
    const result = v.safeParse(schema, JSON.parse(readFileSync(file, 'utf8')));
    return result.success ? result.output : null;
  } catch {
    return null;
  }
}
