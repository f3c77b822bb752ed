import { useId } from 'react';
import { NEEDLE_CRITICAL, NEEDLE_WARNING, type PressureLevel } from '../../preload/contract.ts';
import { angleAt, arc, CENTRE } from './dial-geometry.ts';
import styles from './dial.module.css';
import { LevelShape } from './level-mark.tsx';

/** Half the gap at a threshold, as a share of the scale. */
const GAP = { small: 0.025, large: 0.012 } as const;

interface Props {
  readonly level: PressureLevel;
  readonly needle: number;
  readonly size: 'small' | 'large';
}

/**
 * An arc with gaps where the level changes, filled up to the needle. The fill's colour is the kernel's level, wherever
 * the needle stands. Pure decoration: the meter around it speaks.
 */
export function Dial({ level, needle, size }: Props) {
  const mask = useId();
  const gap = GAP[size];
  return (
    <svg className={`${styles.dial} ${styles[size]}`} data-level={level} viewBox="0 0 100 100" aria-hidden>
      <mask id={mask} maskUnits="userSpaceOnUse" x="0" y="0" width="100" height="100">
        <path className={styles.segment} d={arc(0, NEEDLE_WARNING - gap)} />
        <path className={styles.segment} d={arc(NEEDLE_WARNING + gap, NEEDLE_CRITICAL - gap)} />
        <path className={styles.segment} d={arc(NEEDLE_CRITICAL + gap, 1)} />
      </mask>
      <g mask={`url(#${mask})`}>
        <path className={styles.track} d={arc(0, 1)} />
        {/* The rest of the dash lies beyond the end; a hair's breadth below zero hides the round start. */}
        <path className={styles.fill} d={arc(0, 1)} pathLength={100} style={{ strokeDashoffset: 100 - needle * 100 }} />
      </g>
      <g className={styles.needle} style={{ transform: `rotate(${angleAt(needle)}deg)` }}>
        <path d={`M${CENTRE} ${CENTRE}V${size === 'small' ? 26 : 22}`} />
      </g>
      <circle className={styles.hub} cx={CENTRE} cy={CENTRE} r={size === 'small' ? 7 : 4.5} />
      {size === 'large' && (
        <svg x="42" y="76" width="16" height="16" viewBox="0 0 12 12">
          <LevelShape level={level} />
        </svg>
      )}
    </svg>
  );
}
