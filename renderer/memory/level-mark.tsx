import type { PressureLevel } from '../../preload/contract.ts';
import styles from './level-mark.module.css';

/** The level's own shape, so that nobody needs to see its colour: disc, triangle, diamond. In a box of 12 × 12. */
export function LevelShape({ level }: { readonly level: PressureLevel }) {
  switch (level) {
    case 'normal':
      return <circle className={styles.normal} cx="6" cy="6" r="4.5" />;
    case 'warning':
      return <path className={styles.warning} d="M6 1.6 11 10.4H1Z" />;
    case 'critical':
      return <path className={styles.critical} d="M6 .6 11.4 6 6 11.4 .6 6Z" />;
  }
}

export function LevelMark({ level }: { readonly level: PressureLevel }) {
  return (
    <svg className={styles.mark} width="10" height="10" viewBox="0 0 12 12" aria-hidden>
      <LevelShape level={level} />
    </svg>
  );
}
