import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Placement, placePopover, type Rectangle, type Screen, screenOfIcon } from './placement.ts';

const size = { width: 420, height: 640 };
const laptop: Screen = {
  bounds: { x: 0, y: 0, width: 1512, height: 982 },
  workArea: { x: 0, y: 38, width: 1512, height: 874 },
};
const right: Screen = {
  bounds: { x: 1512, y: -200, width: 2560, height: 1440 },
  workArea: { x: 1512, y: -176, width: 2560, height: 1416 },
};
const left: Screen = {
  bounds: { x: -1920, y: 0, width: 1920, height: 1080 },
  workArea: { x: -1920, y: 24, width: 1920, height: 1056 },
};
const panelBelow: Screen = {
  bounds: { x: 0, y: 0, width: 1920, height: 1080 },
  workArea: { x: 0, y: 0, width: 1920, height: 1040 },
};
const small: Screen = {
  bounds: { x: 0, y: 0, width: 400, height: 300 },
  workArea: { x: 0, y: 24, width: 400, height: 276 },
};
const icon = (x: number, y: number): Rectangle => ({ x, y, width: 24, height: 24 });
const cursor = { x: 700, y: 400 };

const table: readonly [string, Rectangle | null, readonly Screen[], { x: number; y: number }, Placement][] = [
  ['centred under the icon', icon(900, 7), [laptop], cursor, { kind: 'at-icon', x: 702, y: 38 }],
  ['clamped at the right edge', icon(1480, 7), [laptop], cursor, { kind: 'at-icon', x: 1084, y: 38 }],
  ['clamped at the left edge', icon(100, 7), [laptop], cursor, { kind: 'at-icon', x: 8, y: 38 }],
  [
    'on a second screen above and right',
    icon(3900, -200),
    [laptop, right],
    cursor,
    { kind: 'at-icon', x: 3644, y: -176 },
  ],
  ['on a screen left of the first', icon(-400, 0), [laptop, left], cursor, { kind: 'at-icon', x: -598, y: 24 }],
  ['over a panel at the bottom', icon(1700, 1048), [panelBelow], cursor, { kind: 'at-icon', x: 1492, y: 400 }],
  ['no bounds', null, [laptop], cursor, { kind: 'in-corner', x: 1084, y: 38 }],
  ['empty bounds', { x: 0, y: 0, width: 0, height: 0 }, [laptop], cursor, { kind: 'in-corner', x: 1084, y: 38 }],
  ['x = 0, as a hidden item says', icon(0, 7), [laptop], cursor, { kind: 'in-corner', x: 1084, y: 38 }],
  ['in the middle of the screen', icon(700, 500), [laptop], cursor, { kind: 'in-corner', x: 1084, y: 38 }],
  ['outside every screen', icon(9000, 7), [laptop], cursor, { kind: 'in-corner', x: 1084, y: 38 }],
  ['not a number', icon(Number.NaN, 7), [laptop], cursor, { kind: 'in-corner', x: 1084, y: 38 }],
  [
    'in the corner of the screen under the cursor',
    null,
    [laptop, right],
    { x: 2000, y: 0 },
    { kind: 'in-corner', x: 3644, y: -176 },
  ],
  [
    'cursor nowhere: the first screen',
    null,
    [laptop, right],
    { x: -5000, y: 0 },
    { kind: 'in-corner', x: 1084, y: 38 },
  ],
  [
    'a screen smaller than the window: its top left stays visible',
    icon(300, 2),
    [small],
    cursor,
    { kind: 'at-icon', x: 8, y: 24 },
  ],
  ['no screen at all', icon(300, 2), [], cursor, { kind: 'in-corner', x: 0, y: 0 }],
];

describe('placePopover', () => {
  it.each(table)('%s', (_name, bounds, screens, at, expected) => {
    expect(placePopover({ icon: bounds, cursor: at, screens, size })).toEqual(expected);
  });

  it('always stays inside one work area that is big enough', () => {
    const number = fc.integer({ min: -6000, max: 6000 });
    fc.assert(
      fc.property(number, number, fc.nat(200), fc.nat(200), number, number, (x, y, width, height, cx, cy) => {
        const screens = [laptop, right, left];
        const at = placePopover({ icon: { x, y, width, height }, cursor: { x: cx, y: cy }, screens, size });
        const inside = screens.filter(
          ({ workArea }) =>
            at.x >= workArea.x &&
            at.y >= workArea.y &&
            at.x + size.width <= workArea.x + workArea.width &&
            at.y + size.height <= workArea.y + workArea.height,
        );
        expect(inside).toHaveLength(1);
      }),
    );
  });
});

describe('screenOfIcon', () => {
  it('finds the screen whose bar holds the icon', () => {
    expect(screenOfIcon(icon(3900, -200), [laptop, right])).toBe(right);
    expect(screenOfIcon(icon(0, 0), [laptop])).toBeNull();
  });
});
