/** The gauge's dial in a box of 100 × 100: an arc of 270°, open at the bottom. Pure. */
export const CENTRE = 50;
const RADIUS = 40;
const SWEEP_DEGREES = 270;

/** Degrees clockwise from straight up, for a share of the scale. */
export const angleAt = (share: number): number => -SWEEP_DEGREES / 2 + SWEEP_DEGREES * Math.min(1, Math.max(0, share));

export function pointAt(share: number, radius: number = RADIUS): { readonly x: number; readonly y: number } {
  const radians = (angleAt(share) * Math.PI) / 180;
  return { x: round(CENTRE + radius * Math.sin(radians)), y: round(CENTRE - radius * Math.cos(radians)) };
}

/** An SVG path along the scale. */
export function arc(from: number, to: number): string {
  const start = pointAt(from);
  const end = pointAt(to);
  const isLarge = (to - from) * SWEEP_DEGREES > 180;
  return `M${start.x} ${start.y}A${RADIUS} ${RADIUS} 0 ${isLarge ? 1 : 0} 1 ${end.x} ${end.y}`;
}

const round = (value: number): number => Math.round(value * 100) / 100;
