/** `/api/pull` tells each layer's progress by itself; here is the sum. Pure. */
import * as v from 'valibot';
import type { Pulled } from '../outside-engine.ts';
import { Refused } from '../talk.ts';

const lineSchema = v.object({
  error: v.optional(v.string()),
  status: v.optional(v.string(), ''),
  digest: v.optional(v.string()),
  total: v.optional(v.number()),
  completed: v.optional(v.number(), 0),
});

export class PullReader {
  done = false;
  readonly #layers = new Map<string, { readonly total: number; readonly completed: number }>();

  /** One line; null when it says nothing about progress. Throws Refused where Ollama says that it failed. */
  read(value: unknown): Pulled | null {
    const { error, status, digest, total, completed } = v.parse(lineSchema, value);
    if (error !== undefined) throw new Refused(500, { error });
    if (status === 'success') this.done = true;
    if (digest === undefined || total === undefined) return null;
    const before = this.#layers.get(digest)?.completed ?? 0;
    this.#layers.set(digest, { total, completed: Math.min(total, Math.max(before, completed)) });
    const layers = [...this.#layers.values()];
    return {
      doneBytes: layers.reduce((sum, each) => sum + each.completed, 0),
      totalBytes: layers.reduce((sum, each) => sum + each.total, 0),
    };
  }
}
