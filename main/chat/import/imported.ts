/** What a reader of a foreign file gives back. */
import type { ImportReport } from '../../../preload/contract.ts';
import type { TransferredConversation, TransferredMessage } from '../transfer.ts';

export interface Imported {
  readonly from: ImportReport['from'];
  readonly conversations: readonly TransferredConversation[];
  /** What could not be taken over, in words, with how often. */
  readonly skipped: ReadonlyMap<string, number>;
}

/** The file is not what it should be; nothing of it is taken. The message is for people. */
export class ImportRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ImportRefused';
  }
}

export class Skipped {
  readonly reasons = new Map<string, number>();

  note(reason: string): void {
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
  }
}

/** A message of another app: what Headroom keeps and they do not have is left out. */
export const foreignMessage = (
  over: Pick<TransferredMessage, 'id' | 'parentId' | 'role' | 'createdAtMs' | 'text'> & Partial<TransferredMessage>,
): TransferredMessage => ({
  attachments: [],
  effort: null,
  model: null,
  reasoning: '',
  reasoningMs: null,
  status: over.role === 'assistant' ? { kind: 'complete' } : null,
  usage: null,
  cut: null,
  ...over,
});

export interface ForeignNode {
  readonly id: string;
  readonly parentId: string | null;
  /** Null: not shown here (a system message, a tool's output); its children hang on what it hangs on. */
  readonly message: TransferredMessage | null;
}

/**
 * The kept messages of a foreign tree, parents first, each hanging on the nearest kept one above. What is in a cycle or
 * hangs on nothing known begins a branch of its own at the root, so that it is not lost. Children keep their order.
 */
export function keptTree(nodes: readonly ForeignNode[]): TransferredMessage[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const children = new Map<string | null, ForeignNode[]>();
  for (const node of byId.values()) {
    const parent =
      node.parentId !== null && byId.has(node.parentId) && node.parentId !== node.id ? node.parentId : null;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [node]);
    else siblings.push(node);
  }
  const kept: TransferredMessage[] = [];
  const seen = new Set<string>();
  // An own stack: a conversation may be longer than the call stack is deep.
  const walk = (first: ForeignNode): void => {
    const stack: { node: ForeignNode; parentId: string | null }[] = [{ node: first, parentId: null }];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const { node, parentId } = next;
      if (seen.has(node.id)) continue;
      seen.add(node.id);
      if (node.message !== null) kept.push({ ...node.message, parentId });
      const below = node.message === null ? parentId : node.id;
      for (const child of [...(children.get(node.id) ?? [])].reverse()) stack.push({ node: child, parentId: below });
    }
  };
  for (const root of children.get(null) ?? []) walk(root);
  for (const node of byId.values()) if (!seen.has(node.id)) walk(node);
  return kept;
}

/** The message at or above `id` that was kept. */
export function keptAt(nodes: readonly ForeignNode[], id: string | null): string | null {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  let at = id === null ? undefined : byId.get(id);
  for (let steps = 0; at !== undefined && steps <= nodes.length; steps += 1) {
    if (at.message !== null) return at.id;
    at = at.parentId === null ? undefined : byId.get(at.parentId);
  }
  return null;
}

const SHORTEST_NAME = 'Imported conversation';

export function foreignConversation(input: {
  readonly id: string;
  readonly title: string | null;
  readonly createdAtMs: number | null;
  readonly updatedAtMs: number | null;
  readonly pinnedAtMs?: number | null;
  readonly archivedAtMs?: number | null;
  readonly leafId: string | null;
  readonly messages: readonly TransferredMessage[];
}): TransferredConversation {
  const { messages } = input;
  const createdAtMs = input.createdAtMs ?? messages[0]?.createdAtMs ?? 0;
  return {
    id: input.id,
    title: input.title ?? SHORTEST_NAME,
    createdAtMs,
    updatedAtMs: input.updatedAtMs ?? messages.at(-1)?.createdAtMs ?? createdAtMs,
    pinnedAtMs: input.pinnedAtMs ?? null,
    archivedAtMs: input.archivedAtMs ?? null,
    toldDate: null,
    settings: {},
    leafId: input.leafId,
    messages,
  };
}
