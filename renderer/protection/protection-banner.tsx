import { X } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { ProtectionState } from '../../preload/contract.ts';
import { LevelMark } from '../memory/level-mark.tsx';
import { useMemory, useMirror } from '../mirror/react.ts';
import { Button } from '../ui/button.tsx';
import { IconButton } from '../ui/icon-button.tsx';
import { useSay } from '../ui/live-region.tsx';
import styles from './protection-banner.module.css';
import { bannerOf } from './protection-words.ts';

/** What protection did, why, and how to overrule it. Said once; dismissed until it takes another step. */
export function ProtectionBanner() {
  const mirror = useMirror();
  const state = useMemory(({ protection }) => protection);
  // The mark is the kernel's level now, never the one of the moment that is told of.
  const level = useMemory(({ samples }) => samples.at(-1)?.level ?? null);
  const [dismissed, setDismissed] = useState<string | null>(null);
  const say = useSay();
  const banner = state === null ? null : bannerOf(state);
  const step = state === null || banner === null ? null : stepOf(state);
  const message = banner?.message ?? null;
  useEffect(() => {
    if (step !== null && message !== null) say(message);
  }, [step, message, say]);
  if (banner === null || step === null || step === dismissed) return null;
  return (
    <section
      className={banner.isAmber ? `${styles.banner} ${styles.amber}` : styles.banner}
      aria-label="Protection"
      data-testid="protection"
    >
      <div className={styles.text}>
        {banner.isOfPressure && level !== null && level !== 'normal' && (
          <span className={styles.mark}>
            <LevelMark level={level} />
          </span>
        )}
        <p>{banner.message}</p>
        {banner.nextStep !== null && <p className={styles.next}>{banner.nextStep}</p>}
        {banner.action !== null && (
          <div className={styles.actions}>
            <Button
              onClick={() => {
                void (banner.action === 'overrule' ? mirror.memory.undoProtection() : mirror.turnOn());
                // The button goes with what it ends.
                mirror.requestFocus();
              }}
            >
              {banner.action === 'overrule' ? 'Overrule for 10 minutes' : 'Load it now'}
            </Button>
          </div>
        )}
      </div>
      <IconButton
        isSmall
        icon={X}
        label="Dismiss"
        onClick={() => {
          setDismissed(step);
          mirror.requestFocus();
        }}
      />
    </section>
  );
}

const stepOf = (state: ProtectionState): string => ('sinceMs' in state ? `${state.kind} ${state.sinceMs}` : state.kind);
