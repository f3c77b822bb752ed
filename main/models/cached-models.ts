/** The language models among what lies in the Hugging Face cache, whoever fetched it. Read only. */
import { basename } from 'node:path';
import * as v from 'valibot';
import { AppFault } from '../fault.ts';
import type { CachedSnapshot } from './hub/cache-contents.ts';
import { fileRole } from './hub/file-names.ts';
import { type ModelFolder, readModelFolder } from './model-folder.ts';

export interface CachedModel {
  readonly repository: string;
  readonly commit: string;
  readonly folder: string;
  readonly bytes: number;
  readonly isMain: boolean;
  /** What can run; `fault` says why nothing can. */
  readonly content:
    | { readonly kind: 'whole'; readonly model: ModelFolder }
    | { readonly kind: 'unusable'; readonly fault: string };
}

const config = v.object({
  architectures: v.optional(v.array(v.string()), []),
  is_encoder_decoder: v.optional(v.boolean(), false),
});

/** What writes text one token after another, as transformers names it. */
const WRITES_TEXT = /(ForCausalLM|ForConditionalGeneration|LMHeadModel)$/;

/** Null for what is no language model in safetensors: the cache also holds datasets' helpers, embeddings, speech. */
export function cachedModel(snapshot: CachedSnapshot, name: string): CachedModel | null {
  const { repository, commit, folder, bytes, files, refs } = snapshot;
  if (![...files.keys()].some((path) => fileRole(path) === 'weights')) return null;
  const lies = { repository, commit, folder, bytes, isMain: refs.includes('main') };
  try {
    const model = readModelFolder(folder, { id: repository, name });
    const parsed = v.safeParse(config, model.config);
    if (parsed.success) {
      const { architectures, is_encoder_decoder: readsAndWrites } = parsed.output;
      if (readsAndWrites || (architectures.length > 0 && !architectures.some((each) => WRITES_TEXT.test(each))))
        return null;
    }
    const missing = missingShards(model.shards, files);
    return {
      ...lies,
      content:
        missing.length === 0
          ? { kind: 'whole', model }
          : {
              kind: 'unusable',
              fault: `${missing.length === 1 ? 'A file is' : `${missing.length} files are`} missing.`,
            },
    };
  } catch (error) {
    if (error instanceof AppFault) return { ...lies, content: { kind: 'unusable', fault: error.message } };
    throw error;
  }
}

const missingShards = (shards: readonly string[], files: ReadonlyMap<string, number>): readonly string[] =>
  shards.filter((shard) => !files.has(basename(shard)));

/** Which of two versions is used: the one that was fetched on purpose, one that is whole, the newest, the larger. */
export function better(a: CachedModel, b: CachedModel, wantedCommit: string | null): CachedModel {
  const rank = (each: CachedModel): readonly number[] => [
    Number(each.content.kind === 'whole'),
    Number(each.commit === wantedCommit),
    Number(each.isMain),
    each.bytes,
  ];
  const [ranksA, ranksB] = [rank(a), rank(b)];
  const decides = ranksA.findIndex((value, index) => value !== ranksB[index]);
  return decides === -1 || (ranksA[decides] ?? 0) > (ranksB[decides] ?? 0) ? a : b;
}
