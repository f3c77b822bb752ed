import type { ComponentProps } from 'react';
import styles from './button.module.css';

interface Props extends ComponentProps<'button'> {
  /** At most one a view: the thing most people want next. */
  readonly isPrimary?: boolean;
}

export function Button({ isPrimary = false, ...rest }: Props) {
  return (
    <button type="button" className={isPrimary ? `${styles.button} ${styles.primary}` : styles.button} {...rest} />
  );
}
