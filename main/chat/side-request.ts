/** Small requests beside the conversations: titles and summaries. They leave the conversations' prompt cache alone. */
import type { Engine, EngineMessage } from '../engine/engine.ts';

/** The final text of the answer, trimmed. Rejects with EngineError. */
export async function askAside(
  engine: Pick<Engine, 'generate'>,
  request: {
    readonly messages: readonly EngineMessage[];
    readonly date: string;
    readonly maxTokens: number;
    readonly thinkingBudgetTokens: number;
  },
  /** `api`: behind every answer somebody waits for. */
  options: { readonly signal: AbortSignal; readonly priority: 'window' | 'api' },
): Promise<string> {
  let text = '';
  const events = engine.generate({ ...request, effort: 'low', temperature: 0, cache: 'none' }, options);
  for await (const event of events) if (event.kind === 'content') text += event.text;
  return text.trim();
}
