/** Text zoom: every measure of type is in rem, so the root's size enlarges it all, and the window does not grow. */
const KEY = 'headroom.text-zoom';
export const TEXT_SIZES = [0.85, 1, 1.15, 1.3, 1.5, 1.75, 2] as const;
const NORMAL = TEXT_SIZES.indexOf(1);

const kept = (): number => {
  const index = Number.parseInt(localStorage.getItem(KEY) ?? '', 10);
  return index in TEXT_SIZES ? index : NORMAL;
};

/** Of the type's own size. */
export const textSize = (): number => TEXT_SIZES[kept()] ?? 1;

/** What was chosen earlier, before the first paint. */
export function applyTextZoom(): void {
  const size = textSize();
  document.documentElement.style.fontSize = size === 1 ? '' : `${size * 100}%`;
}

/** One step larger (1), smaller (−1), or back to normal (0). */
export function zoomText(by: 1 | -1 | 0): void {
  const index = by === 0 ? NORMAL : Math.min(TEXT_SIZES.length - 1, Math.max(0, kept() + by));
  localStorage.setItem(KEY, String(index));
  applyTextZoom();
}
