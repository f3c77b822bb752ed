import { type ComponentProps, useState } from 'react';
import { useMirror, useMirrored } from '../mirror/react.ts';
import { Button } from './button.tsx';
import styles from './path-field.module.css';
import { TextField } from './text-field.tsx';

/** Null: it was dismissed. */
type ChoosePath = (startAt: string | null) => Promise<string | null>;

/** What opens the system's dialog; null where there is none, as for a page in a browser, which keeps its fields. */
export function useChoosePath(what: 'folder' | 'file'): ChoosePath | null {
  const mirror = useMirror();
  const hasDialog = useMirrored(({ app }) => app !== null && app.windowForm !== 'page');
  return hasDialog ? (startAt) => mirror.choosePath(what, startAt) : null;
}

interface Props extends Omit<ComponentProps<typeof TextField>, 'value' | 'onChange'> {
  readonly what: 'folder' | 'file';
  readonly value: string;
  /** Where the dialog begins while nothing is written; null for where the system thinks fit. */
  readonly startAt?: string | null;
  readonly onPath: (path: string) => void;
}

/** A place on the disk, written or chosen in the system's dialog. */
export function PathField({ what, value, startAt = null, onPath, ...rest }: Props) {
  const choosePath = useChoosePath(what);
  const [isOpen, setIsOpen] = useState(false);
  const choose = async (ask: ChoosePath): Promise<void> => {
    setIsOpen(true);
    const path = await ask(value.startsWith('/') ? value : startAt);
    setIsOpen(false);
    if (path !== null) onPath(path);
  };
  return (
    <div className={styles.line}>
      <TextField {...rest} value={value} onChange={(event) => onPath(event.target.value)} />
      {choosePath !== null && (
        <Button
          aria-label={`Choose: ${rest.label}`}
          aria-haspopup="dialog"
          // Not disabled: the focus comes back to it.
          aria-busy={isOpen}
          onClick={() => void choose(choosePath)}
        >
          Choose…
        </Button>
      )}
    </div>
  );
}
