import type { FitWay } from '../../preload/contract.ts';
import { useMirror } from '../mirror/react.ts';
import { useOpenSheet } from '../sheets.ts';
import { Button } from '../ui/button.tsx';
import styles from './fit-ways.module.css';
import { wayWords } from './model-words.ts';

interface Props {
  readonly ways: readonly FitWay[];
  /** The limit can only be raised for the model that is chosen; for others it is asked when they start. */
  readonly isChosen: boolean;
  /** Something was done about it here, without another sheet. */
  readonly onDone?: () => void;
}

/** What would make it fit, each way with its numbers and a button that leads there. */
export function FitWays({ ways, isChosen, onDone }: Props) {
  const mirror = useMirror();
  const open = useOpenSheet();
  const go = (way: FitWay): void => {
    switch (way.kind) {
      case 'quit-apps':
        open('memory');
        return;
      case 'raise-limit':
        open('wired-limit');
        return;
      case 'smaller-context':
        void mirror.models.setContext(way.tokens).then(onDone);
        return;
      case 'other-model':
        mirror.models.lookAt(way.modelId);
        open('models');
    }
  };
  if (ways.length === 0) return null;
  const isBesideRaise = ways.some(({ kind }) => kind === 'raise-limit');
  return (
    <ul className={styles.ways}>
      {ways.map((way) => {
        const { text, short } = wayWords(way, isBesideRaise);
        const isOnlyTold = way.kind === 'raise-limit' && !isChosen;
        return (
          <li key={`${way.kind} ${text}`} className={styles.way}>
            <span>{text}</span>
            {!isOnlyTold && (
              <Button aria-label={`${short} ${text}`} onClick={() => go(way)}>
                {short}
              </Button>
            )}
          </li>
        );
      })}
    </ul>
  );
}
