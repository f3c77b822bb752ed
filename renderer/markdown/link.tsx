import { type ReactNode, useState } from 'react';
import { useMirror } from '../mirror/react.ts';
import styles from './link.module.css';
import { linkTarget } from './links.ts';

interface Props {
  readonly href: string;
  readonly label: string;
  readonly children: ReactNode;
}

/** A link shows where it leads before it is followed; main opens it, outside of this window. */
export function Link({ href, label, children }: Props) {
  const mirror = useMirror();
  const [isPointedAt, setIsPointedAt] = useState(false);
  const target = linkTarget(href, label);
  if (target.kind === 'text')
    return label === href ? (
      href
    ) : (
      <>
        {children}{' '}
        <span className={styles.plain} data-find-skip="">
          ({target.shown})
        </span>
      </>
    );
  return (
    <>
      <a
        className={styles.link}
        href={target.url}
        rel="noreferrer"
        title={target.shown}
        onClick={(event) => {
          event.preventDefault();
          void mirror.openLink(target.url);
        }}
        // A middle click would open a second window.
        onAuxClick={(event) => event.preventDefault()}
        onPointerEnter={() => setIsPointedAt(true)}
        onPointerLeave={() => setIsPointedAt(false)}
        onFocus={() => setIsPointedAt(true)}
        onBlur={() => setIsPointedAt(false)}
      >
        {children}
      </a>
      {target.warnHost !== null && (
        <span className={styles.plain} data-find-skip="">
          {' '}
          ({target.warnHost})
        </span>
      )}
      {isPointedAt && (
        <span className={styles.status} aria-hidden data-find-skip="" data-testid="link-status">
          {target.shown}
        </span>
      )}
    </>
  );
}
