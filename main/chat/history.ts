/** What the model is sent of a conversation. */
import type { Message } from '../../preload/contract.ts';
import type { EngineMessage } from '../engine/engine.ts';

/**
 * The path from the root to `leafId`, oldest first, in the engine's form. Answers without text (stopped while
 * thinking, failed) say nothing and are left out. Reasoning is left out too: the template drops it from earlier turns.
 */
export function historyFor(messages: readonly Message[], leafId: string): EngineMessage[] {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const path: EngineMessage[] = [];
  for (let at = byId.get(leafId); at !== undefined; at = at.parentId === null ? undefined : byId.get(at.parentId)) {
    if (at.role === 'user') path.push({ role: 'user', content: at.text });
    else if (at.text !== '') path.push({ role: 'assistant', content: at.text });
  }
  return path.reverse();
}
