/** Text zoom: every measure of type is in rem, so the root's size enlarges it all, and the window does not grow. */
const KEY = 'headroom.text-zoom';
const STEPS = [0.85, 1, 1.15, 1.3, 1.5, 1.75, 2] as const;
const NORMAL = STEPS.indexOf(1);

function apply(index: number): void {
  document.documentElement.style.fontSize = index === NORMAL ? '' : `${(STEPS[index] ?? 1) * 100}%`;
}

const kept = (): number => {
  const index = Number.parseInt(localStorage.getItem(KEY) ?? '', 10);
  return index in STEPS ? index : NORMAL;
};

/** What was chosen earlier, before the first paint. */
export const applyTextZoom = (): void => apply(kept());

/** One step larger (1), smaller (−1), or back to normal (0). */
export function zoomText(by: 1 | -1 | 0): void {
  const index = by === 0 ? NORMAL : Math.min(STEPS.length - 1, Math.max(0, kept() + by));
  localStorage.setItem(KEY, String(index));
  apply(index);
}
