import styles from './progress.module.css';

interface Props {
  readonly label: string;
  readonly progress: { readonly done: number; readonly total: number } | 'indeterminate';
}

/** A bar that tells the truth: how far, or that it is not known how far. */
export function Progress({ label, progress }: Props) {
  if (progress === 'indeterminate')
    return (
      <div className={styles.track} role="progressbar" aria-label={label}>
        <div className={`${styles.bar} ${styles.indeterminate}`} />
      </div>
    );
  const share = progress.total > 0 ? Math.min(1, Math.max(0, progress.done / progress.total)) : 0;
  return (
    <div
      className={styles.track}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share * 100)}
    >
      <div className={styles.bar} style={{ transform: `scaleX(${share})` }} />
    </div>
  );
}
