/** A folder on disk that claims to be a model: what it is, how big, how to sample from it. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import * as v from 'valibot';
import type { ModelInfo } from '../../preload/contract.ts';
import { AppFault } from '../fault.ts';
import { externalVolume } from './hub/volume.ts';
import { readModelShape } from './model-shape.ts';
import { loadedBytes, readTensorsOfFile } from './safetensors-header.ts';
import { parsedJson } from '../plain-data.ts';
import { noAccessTo } from './folder-access.ts';

export interface ModelFolder {
  readonly info: ModelInfo;
  readonly folder: string;
  /** What the model's makers recommend; OpenAI's 1.0 / 1.0 for gpt-oss where they say nothing. */
  readonly sampling: { readonly temperature: number; readonly topP: number };
  /** Longest context the model was made for, tokens; null when its config does not say. */
  readonly maxContextTokens: number | null;
  /** What MLX will hold once it is loaded, by the headers of the weights. */
  readonly weightsBytes: number;
  /** Of `weightsBytes`: what its engine can leave with the CPU when the GPU may not keep it; none when left out. */
  readonly cpuCapableBytes?: number;
  /** config.json, for what memory the model takes. */
  readonly config: unknown;
  /** Files of weights that its index names; empty without an index. */
  readonly shards: readonly string[];
}

export const DEMO_MODEL_ID = 'headroom-demo';

const positive = v.pipe(v.number(), v.finite(), v.minValue(0));
const generationConfig = v.object({
  temperature: v.fallback(v.optional(v.pipe(positive, v.maxValue(2))), undefined),
  top_p: v.fallback(v.optional(v.pipe(positive, v.maxValue(1))), undefined),
});
const context = v.object({
  max_position_embeddings: v.fallback(v.optional(v.pipe(positive, v.integer())), undefined),
});
/** The language part of a multimodal model is nested. */
const config = v.object({ ...context.entries, text_config: v.fallback(v.optional(context), undefined) });

const INDEX_FILE = 'model.safetensors.index.json';
const index = v.object({ weight_map: v.record(v.string(), v.string()) });

/** A config is some kilobytes, an index with a line for every tensor of a very large model some MB. */
const LARGEST_JSON_BYTES = 16 * 1024 * 1024;

/**
 * Reads what can be known without loading. Throws AppFault (not-found, refused) in words when the folder is no model.
 * `as`: what the model is called where the folder's name says nothing (a snapshot in the Hugging Face cache).
 */
export function readModelFolder(path: string, as?: { readonly id: string; readonly name: string }): ModelFolder {
  const folder = resolve(path);
  const pick = 'Choose a folder with an MLX model: config.json and model*.safetensors.';
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    throw unreadable(folder, error, pick);
  }
  const weights = names.filter((name) => name.endsWith('.safetensors'));
  if (!names.includes('config.json') || weights.length === 0) {
    const other = otherFormat(names);
    if (other !== null) {
      throw new AppFault(
        'refused',
        `The folder ${folder} holds ${other}.`,
        'Look for the same model in MLX format, for example from mlx-community.',
      );
    }
    const missing = names.includes('config.json') ? 'weights (model*.safetensors)' : 'config.json';
    throw new AppFault('not-found', `The folder ${folder} has no ${missing}.`, pick);
  }
  const generation = readJson(join(folder, 'generation_config.json'), generationConfig);
  const isToy = as === undefined && basename(folder) === DEMO_MODEL_ID;
  const parsed = readJson(join(folder, 'config.json'), v.unknown());
  const limits = v.safeParse(config, parsed);
  return {
    folder,
    info: {
      id: as?.id ?? (isToy ? DEMO_MODEL_ID : folder),
      name: as?.name ?? (isToy ? 'Demo model' : basename(folder)),
      // Links are followed: in a Hugging Face cache the files of a snapshot are links to blobs.
      sizeBytes: weights.reduce((sum, name) => sum + sizeOf(join(folder, name), pick), 0),
      isToy,
    },
    weightsBytes: weights.reduce((sum, name) => sum + loadedFrom(join(folder, name), parsed), 0),
    sampling: { temperature: generation?.temperature ?? 1, topP: generation?.top_p ?? 1 },
    maxContextTokens: limits.success
      ? (limits.output.max_position_embeddings ?? limits.output.text_config?.max_position_embeddings ?? null)
      : null,
    config: parsed,
    shards: [...new Set(Object.values(readJson(join(folder, INDEX_FILE), index)?.weight_map ?? {}))],
  };
}

/**
 * The folder with the model where somebody chose one above it: a model's folder in a Hugging Face cache, or a folder that
 * holds one model and nothing of the kind beside. Throws AppFault (refused) where there are several to choose from.
 */
export function modelFolderBelow(path: string): string {
  const folder = resolve(path);
  if (isModel(folder)) return folder;
  // Of several versions the one that was fetched last.
  const snapshots = foldersIn(join(folder, 'snapshots')).filter(isModel);
  const [only, another] =
    snapshots.length > 0 ? snapshots.toSorted(laterFirst).slice(0, 1) : foldersIn(folder).filter(isModel);
  if (only === undefined && foldersIn(folder).some((each) => basename(each).startsWith('models--'))) {
    throw new AppFault(
      'refused',
      `The folder ${folder} is a Hugging Face cache.`,
      'To use all of its models, make it the folder for models under Downloads.',
    );
  }
  if (another !== undefined) {
    throw new AppFault('refused', `The folder ${folder} holds several models.`, 'Choose one of the folders in it.');
  }
  return only ?? folder;
}

/** Most entries of a folder that are looked at: whoever chooses their home does not wait for all of it. */
const MOST_LOOKED_AT = 500;

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .slice(0, MOST_LOOKED_AT)
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(folder, name));
  } catch {
    return [];
  }
}

function isModel(folder: string): boolean {
  try {
    const names = readdirSync(folder);
    return names.includes('config.json') && names.some((name) => name.endsWith('.safetensors'));
  } catch {
    return false;
  }
}

const laterFirst = (one: string, other: string): number => statSync(other).mtimeMs - statSync(one).mtimeMs;

/** In the Hugging Face cache a file is a link, whose target another tool may have removed. */
function sizeOf(file: string, nextStep: string): number {
  try {
    return statSync(file).size;
  } catch (error) {
    throw new AppFault('not-found', `${file} cannot be read: the model is not whole.`, nextStep, { cause: error });
  }
}

/** What weights of another kind are called; null when there are none. */
function otherFormat(names: readonly string[]): string | null {
  if (names.some((name) => name.endsWith('.safetensors'))) return null;
  if (names.some((name) => name.endsWith('.gguf'))) return 'GGUF files, which llama.cpp reads and MLX does not';
  return names.some((name) => /\.(bin|pt|pth|ckpt)$/.test(name))
    ? 'PyTorch files, which can carry programs and are never loaded here'
    : null;
}

function unreadable(folder: string, error: unknown, pick: string): AppFault {
  const closed = noAccessTo(folder, error);
  if (closed !== null) return closed;
  const volume = externalVolume(folder);
  return volume === null
    ? new AppFault('not-found', `There is no folder ${folder}.`, pick)
    : new AppFault('not-found', `The disk with ${folder} is not connected.`, 'Connect it, or choose another model.');
}

function readJson<T>(file: string, schema: v.GenericSchema<unknown, T>): T | null {
  try {
    const facts = statSync(file);
    // Reading a pipe would wait for ever.
    if (!facts.isFile() || facts.size > LARGEST_JSON_BYTES) return null;
    return parsedJson(schema, readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** A damaged file counts by its size: what it lacks is for loading or verifying to find. */
function loadedFrom(file: string, config: unknown): number {
  try {
    return loadedBytes(readTensorsOfFile(file), readModelShape(config)?.unloadedPrefixes ?? []);
  } catch {
    return statSync(file).size;
  }
}
