import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { branchesOf, latestLeaf, pathTo, type TreeNode } from './tree.ts';

const node = (id: string, parentId: string | null): TreeNode => ({ id, parentId });
/** 1 ─ 2 ─ 3 ─ 4, with 2' beside 2 and 4' beside 4; 1' beside 1. */
const nodes = [
  node('1', null),
  node('2', '1'),
  node('3', '2'),
  node('4', '3'),
  node("2'", '1'),
  node("4'", '3'),
  node("1'", null),
];
const ids = (path: readonly TreeNode[]): string[] => path.map(({ id }) => id);

/** Any tree: each node hangs on an earlier one or on none. */
const tree = fc
  .array(fc.nat(), { minLength: 1, maxLength: 40 })
  .map((picks) =>
    picks.map((pick, index) => node(String(index), pick % (index + 1) === index ? null : String(pick % (index + 1)))),
  );

describe('a tree of messages', () => {
  it('is read as one path', () => {
    expect(ids(pathTo(nodes, '4'))).toEqual(['1', '2', '3', '4']);
    expect(ids(pathTo(nodes, "2'"))).toEqual(['1', "2'"]);
    expect(pathTo(nodes, 'gone')).toEqual([]);
  });

  it('ends a branch at its latest message', () => {
    expect(latestLeaf(nodes, '2')).toBe("4'");
    expect(latestLeaf(nodes, "2'")).toBe("2'");
  });

  it('tells the siblings along a path, roots too', () => {
    expect(branchesOf(nodes, pathTo(nodes, "4'"))).toEqual([
      { messageId: '1', siblingIds: ['1', "1'"] },
      { messageId: '2', siblingIds: ['2', "2'"] },
      { messageId: "4'", siblingIds: ['4', "4'"] },
    ]);
  });

  it('walks from any message to a leaf whose path holds it', () => {
    fc.assert(
      fc.property(tree, fc.nat(), (any, pick) => {
        const from = String(pick % any.length);
        const leaf = latestLeaf(any, from);
        const path = pathTo(any, leaf);
        expect(ids(path)).toContain(from);
        expect(any.some(({ parentId }) => parentId === leaf)).toBe(false);
        for (const { messageId, siblingIds } of branchesOf(any, path)) expect(siblingIds).toContain(messageId);
      }),
    );
  });

  it('comes to an end in a cycle', () => {
    const cycle = [node('a', 'b'), node('b', 'a')];
    expect(pathTo(cycle, 'a').length).toBeLessThan(5);
    expect(['a', 'b']).toContain(latestLeaf(cycle, 'a'));
  });
});
