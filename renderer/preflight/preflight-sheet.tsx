import { Check, Minus } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { Preflight } from '../../preload/contract.ts';
import { useMirror, useMirrored, useModels } from '../mirror/react.ts';
import { FitWays } from '../models/fit-ways.tsx';
import { Button } from '../ui/button.tsx';
import { Progress } from '../ui/progress.tsx';
import { Sheet } from '../ui/sheet.tsx';
import styles from './preflight-sheet.module.css';
import { CHECK_WORDS, verdictTitle, WAYS_TITLES } from './preflight-words.ts';

/** What loading the chosen model would meet now, before anything is loaded. */
export function PreflightSheet({ onClose }: { readonly onClose: () => void }) {
  const { models } = useMirror();
  const view = useModels((state) => state.preflight);
  const kind = view.kind;
  useEffect(() => {
    if (kind === 'none') void models.lookBeforeLoading();
  }, [models, kind]);
  useEffect(() => () => models.forgetPreflight(), [models]);
  return (
    <Sheet label="Before loading" width="full" onClose={onClose}>
      <div className={styles.body} data-testid="preflight" data-state={kind}>
        {(kind === 'none' || kind === 'looking') && (
          <>
            <h2 className={styles.title}>Looking at this computer</h2>
            <Progress label="Looking at this computer" progress="indeterminate" />
          </>
        )}
        {view.kind === 'failed' && (
          <>
            <h2 className={styles.title}>{view.error.message}</h2>
            <p className={styles.text}>{view.error.nextStep}</p>
          </>
        )}
        {view.kind === 'known' && <Found preflight={view.preflight} isHeld={view.isHeld} onClose={onClose} />}
      </div>
    </Sheet>
  );
}

interface FoundProps {
  readonly preflight: Preflight;
  readonly isHeld: boolean;
  readonly onClose: () => void;
}

function Found({ preflight, isHeld, onClose }: FoundProps) {
  const mirror = useMirror();
  const name = useMirrored(({ app }) => app?.model?.name ?? 'The model');
  const { verdict, message, checks, ways, canLoadAnyway } = preflight;
  const [isLooking, setIsLooking] = useState(false);
  const look = (): void => {
    setIsLooking(true);
    void mirror.models.lookBeforeLoading().finally(() => setIsLooking(false));
  };
  const load = (how: 'as usual' | 'anyway'): void => {
    onClose();
    void mirror.turnOn(how);
    mirror.requestFocus();
  };
  return (
    <>
      <div>
        {/* Enter meant for the composer must not load anything: the focus starts here. */}
        <h2 className={styles.title} tabIndex={-1} data-first-focus>
          {verdictTitle(preflight, name)}
        </h2>
        <p className={styles.text}>{message}</p>
      </div>
      <ul className={styles.checks}>
        {checks.map((check) => (
          <li key={check.name} data-fine={check.isFine}>
            {check.isFine ? (
              <Check size={14} strokeWidth={2.25} aria-label="Fine" role="img" />
            ) : (
              <Minus size={14} strokeWidth={2.25} aria-label="Not enough" role="img" />
            )}
            <span>
              <span className={styles.name}>{CHECK_WORDS[check.name]}</span>
              <span className={styles.detail}>{check.message}</span>
            </span>
          </li>
        ))}
      </ul>
      {ways.length > 0 && (
        <section aria-labelledby="ways-title">
          <h3 className={styles.heading} id="ways-title">
            {WAYS_TITLES[verdict]}
          </h3>
          <FitWays ways={ways} isChosen={verdict !== 'go'} onDone={look} />
        </section>
      )}
      <div className={styles.actions}>
        {verdict === 'go' && (
          <Button isPrimary onClick={() => load('as usual')}>
            Load it
          </Button>
        )}
        {verdict !== 'go' && (
          <Button aria-busy={isLooking} onClick={look}>
            {isLooking ? 'Looking…' : 'Look again'}
          </Button>
        )}
        {verdict !== 'go' && canLoadAnyway && <Button onClick={() => load('anyway')}>Load anyway</Button>}
        <Button onClick={onClose}>{isHeld ? 'Not now' : 'Close'}</Button>
      </div>
      {verdict !== 'go' && canLoadAnyway && (
        <p className={styles.detail}>Loading anyway is slow, not dangerous: Headroom goes on watching.</p>
      )}
    </>
  );
}
