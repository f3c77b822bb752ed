/** Where the popover goes. Pure: screens and the icon's bounds in, a position out. All lengths are display points. */

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Screen {
  readonly bounds: Rectangle;
  /** Without menu bar, Dock and panels. */
  readonly workArea: Rectangle;
}

export type Placement =
  /** Centred under (or over, when the panel is at the bottom) the icon. */
  | { readonly kind: 'at-icon'; readonly x: number; readonly y: number }
  /** The icon's place is unknown: the corner where menu-bar icons live, on the screen in use. */
  | { readonly kind: 'in-corner'; readonly x: number; readonly y: number };

/** Gap kept to the edges of the work area when clamping. */
const EDGE_GAP = 8;
/** A menu bar (24–38) or a Linux panel is no higher than this. */
const BAR_HEIGHT = 64;

function contains(area: Rectangle, point: Point): boolean {
  return point.x >= area.x && point.x < area.x + area.width && point.y >= area.y && point.y < area.y + area.height;
}

function centre(area: Rectangle): Point {
  return { x: area.x + area.width / 2, y: area.y + area.height / 2 };
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}

/**
 * The screen whose bar holds the icon, or null when the bounds cannot be true. An icon hidden by the notch, by the
 * user's menu-bar settings or by a desktop without a tray reports x = 0, an empty rectangle, or a place in no bar.
 */
export function screenOfIcon(icon: Rectangle | null, screens: readonly Screen[]): Screen | null {
  if (icon === null || icon.width <= 0 || icon.height <= 0 || icon.x === 0) return null;
  if (![icon.x, icon.y, icon.width, icon.height].every(Number.isFinite)) return null;
  const middle = centre(icon);
  const screen = screens.find(({ bounds }) => contains(bounds, middle));
  if (screen === undefined) return null;
  const fromTop = middle.y - screen.bounds.y;
  const fromBottom = screen.bounds.y + screen.bounds.height - middle.y;
  return fromTop <= BAR_HEIGHT || fromBottom <= BAR_HEIGHT ? screen : null;
}

function screenInUse(cursor: Point, screens: readonly Screen[]): Screen | null {
  return screens.find(({ bounds }) => contains(bounds, cursor)) ?? screens[0] ?? null;
}

export function placePopover(input: {
  readonly icon: Rectangle | null;
  readonly cursor: Point;
  readonly screens: readonly Screen[];
  readonly size: { readonly width: number; readonly height: number };
}): Placement {
  const { icon, size } = input;
  const ofIcon = screenOfIcon(icon, input.screens);
  const screen = ofIcon ?? screenInUse(input.cursor, input.screens);
  if (screen === null) return { kind: 'in-corner', x: 0, y: 0 };
  const { workArea } = screen;
  const leastX = workArea.x + EDGE_GAP;
  const mostX = Math.max(leastX, workArea.x + workArea.width - size.width - EDGE_GAP);
  const mostY = Math.max(workArea.y, workArea.y + workArea.height - size.height);
  if (ofIcon === null || icon === null) {
    return { kind: 'in-corner', x: Math.round(mostX), y: Math.round(workArea.y) };
  }
  const middle = centre(icon);
  const atBottom = middle.y > centre(screen.bounds).y;
  return {
    kind: 'at-icon',
    x: Math.round(clamp(middle.x - size.width / 2, leastX, mostX)),
    y: Math.round(atBottom ? mostY : workArea.y),
  };
}

/** Of a window kept from last time: its bounds where a screen still shows enough of it to take hold of, else null. */
export function onScreen(bounds: Rectangle, screens: readonly Screen[]): Rectangle | null {
  if (![bounds.x, bounds.y, bounds.width, bounds.height].every(Number.isFinite)) return null;
  if (bounds.width <= 0 || bounds.height <= 0) return null;
  const handle = { x: bounds.x + bounds.width / 2, y: bounds.y + EDGE_GAP };
  const screen = screens.find(({ workArea }) => contains(workArea, handle));
  if (screen === undefined) return null;
  const { workArea } = screen;
  const width = Math.min(bounds.width, workArea.width);
  const height = Math.min(bounds.height, workArea.height);
  return {
    width,
    height,
    x: clamp(bounds.x, workArea.x, workArea.x + workArea.width - width),
    y: clamp(bounds.y, workArea.y, workArea.y + workArea.height - height),
  };
}
