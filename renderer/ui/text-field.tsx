import type { ComponentProps } from 'react';
import { useId } from 'react';
import styles from './text-field.module.css';

interface Props extends Omit<ComponentProps<'input'>, 'id'> {
  readonly label: string;
  /** One line below it: what it is for, or how it stands. */
  readonly hint?: string | undefined;
}

/** A line to write in, named above and explained below. Nothing is corrected or completed: what goes in is exact. */
export function TextField({ label, hint, ...rest }: Props) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        autoComplete="off"
        autoCapitalize="off"
        autoCorrect="off"
        spellCheck={false}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        {...rest}
      />
      {hint !== undefined && (
        <p className={styles.hint} id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}
