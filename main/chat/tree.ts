/** Messages as a tree: an edited message or a regenerated answer is a sibling of what it replaces. */

export interface TreeNode {
  readonly id: string;
  readonly parentId: string | null;
}

/** From the root to `leafId`, oldest first. Empty when `leafId` is not there. */
export function pathTo<N extends TreeNode>(nodes: readonly N[], leafId: string): N[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const path: N[] = [];
  // Bounded by the number of nodes: a cycle, which no writer of ours makes, must not hang the app.
  for (let at = byId.get(leafId); at !== undefined && path.length <= nodes.length; ) {
    path.push(at);
    at = at.parentId === null ? undefined : byId.get(at.parentId);
  }
  return path.reverse();
}

/** The end of the latest branch below `id`: always its latest child. `nodes` are oldest first. */
export function latestLeaf(nodes: readonly TreeNode[], id: string): string {
  const latestChild = new Map<string | null, string>();
  for (const node of nodes) latestChild.set(node.parentId, node.id);
  let leaf = id;
  for (let steps = 0; steps <= nodes.length; steps += 1) {
    const child = latestChild.get(leaf);
    if (child === undefined) return leaf;
    leaf = child;
  }
  return leaf;
}

export interface Branching {
  readonly messageId: string;
  readonly siblingIds: readonly string[];
}

/** For every node of the path that has siblings: all of them, itself included, oldest first. */
export function branchesOf(nodes: readonly TreeNode[], path: readonly TreeNode[]): Branching[] {
  const children = new Map<string | null, string[]>();
  for (const { id, parentId } of nodes) {
    const siblings = children.get(parentId);
    if (siblings === undefined) children.set(parentId, [id]);
    else siblings.push(id);
  }
  return path.flatMap(({ id, parentId }) => {
    const siblingIds = children.get(parentId) ?? [];
    return siblingIds.length > 1 ? [{ messageId: id, siblingIds }] : [];
  });
}
