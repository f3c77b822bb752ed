import type { ReactNode } from 'react';
import { NEEDLE_CRITICAL, NEEDLE_WARNING, type PressureLevel } from '../../preload/contract.ts';
import { areaPath, type Frame, HEIGHT, linePath, type Point, stretches, WIDTH, yAt } from './sparkline-path.ts';
import styles from './sparkline.module.css';

interface Props {
  /** Said in the picture's place. */
  readonly label: string;
  readonly points: readonly Point[];
  readonly frame: Frame;
}

/** A quantity over the last ten minutes. */
export function Sparkline({ label, points, frame }: Props) {
  return (
    <Box label={label}>
      {stretches(points).map((stretch) => (
        <g key={stretch[0]?.atMs}>
          <path className={styles.area} d={areaPath(stretch, frame)} />
          <path className={styles.line} d={linePath(stretch, frame)} />
        </g>
      ))}
    </Box>
  );
}

interface LevelPoint extends Point {
  readonly level: PressureLevel;
}

/** Stretches of one level each, every one reaching to where the next begins. */
function byLevel(points: readonly LevelPoint[]): readonly { level: PressureLevel; points: readonly LevelPoint[] }[] {
  const runs: { level: PressureLevel; points: LevelPoint[] }[] = [];
  for (const point of points) {
    const run = runs.at(-1);
    if (run !== undefined && run.level === point.level) run.points.push(point);
    else {
      run?.points.push(point);
      runs.push({ level: point.level, points: [point] });
    }
  }
  return runs;
}

/** The needle over the last ten minutes, in the colours of the levels it had; dashes where the level changes. */
export function PressureLine({
  label,
  points,
  frame,
}: Omit<Props, 'points'> & { readonly points: readonly LevelPoint[] }) {
  return (
    <Box label={label}>
      {[NEEDLE_WARNING, NEEDLE_CRITICAL].map((threshold) => (
        <path key={threshold} className={styles.threshold} d={`M0 ${yAt(threshold, frame)}H${WIDTH}`} />
      ))}
      {stretches(points)
        .flatMap(byLevel)
        .map(({ level, points: run }) => (
          <path key={run[0]?.atMs} className={`${styles.line} ${styles[level]}`} d={linePath(run, frame)} />
        ))}
    </Box>
  );
}

function Box({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <svg
      className={styles.box}
      role="img"
      aria-label={label}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
    >
      {children}
    </svg>
  );
}
