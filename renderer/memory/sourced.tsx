import { createContext, type ReactNode, useContext, useMemo, useState } from 'react';
import styles from './sourced.module.css';

const ShowContext = createContext<(source: string | null) => void>(() => undefined);

/** A number that says where it comes from while it is pointed at or has the focus. */
export function Sourced({ source, children }: { readonly source: string; readonly children: ReactNode }) {
  const show = useContext(ShowContext);
  return (
    <span
      className={styles.number}
      // Focusable, so that the keyboard gets to the source too.
      tabIndex={0}
      onPointerEnter={() => show(source)}
      onPointerLeave={() => show(null)}
      onFocus={() => show(source)}
      onBlur={() => show(null)}
    >
      {children}
      <span className={styles.spoken}> ({source})</span>
    </span>
  );
}

/** Around numbers: shows the source of one of them in a line at the foot. */
export function Sources({ children }: { readonly children: ReactNode }) {
  const [source, setSource] = useState<string | null>(null);
  const body = useMemo(() => children, [children]);
  return (
    <ShowContext value={setSource}>
      {body}
      <p className={source === null ? `${styles.foot} ${styles.hint}` : styles.foot} aria-hidden data-testid="source">
        {source ?? 'Point at a number to see where it comes from'}
      </p>
    </ShowContext>
  );
}
