import type { LucideIcon } from 'lucide-react';
import type { ComponentProps } from 'react';
import styles from './icon-button.module.css';

interface Props extends Omit<ComponentProps<'button'>, 'children' | 'aria-label'> {
  readonly icon: LucideIcon;
  /** Said by screen readers and shown as tooltip. */
  readonly label: string;
  readonly isSmall?: boolean;
  /** Shown after the label in the tooltip. */
  readonly shortcut?: string;
}

export function IconButton({ icon: Icon, label, isSmall = false, shortcut, ...rest }: Props) {
  return (
    <button
      type="button"
      className={isSmall ? `${styles.button} ${styles.small}` : styles.button}
      aria-label={label}
      title={shortcut === undefined ? label : `${label} (${shortcut})`}
      {...rest}
    >
      <Icon size={isSmall ? 14 : 16} strokeWidth={1.75} aria-hidden />
    </button>
  );
}
