import { useMemory } from '../mirror/react.ts';
import { Dial } from './dial.tsx';
import styles from './gauge.module.css';
import { gaugeSpoken, LEVEL_WORDS } from './pressure-words.ts';

/** Finer movements cannot be seen on the dial: it rests. */
const STEPS = 200;

/** Memory pressure at a glance. Nothing is drawn before the first reading. */
export function Gauge({ onOpen }: { readonly onOpen: () => void }) {
  const level = useMemory(({ samples }) => samples.at(-1)?.level ?? null);
  const source = useMemory(({ samples }) => samples.at(-1)?.source ?? null);
  const needle = useMemory(({ samples }) => Math.round((samples.at(-1)?.needle ?? 0) * STEPS) / STEPS);
  if (level === null || source === null) return null;
  return (
    <div className={styles.gauge} data-testid="gauge" data-level={level}>
      <div
        role="meter"
        aria-label="Memory pressure"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(needle * 100)}
        aria-valuetext={gaugeSpoken({ level, needle, source })}
      >
        <Dial level={level} needle={needle} size="small" />
      </div>
      <button
        type="button"
        className={styles.open}
        aria-haspopup="dialog"
        aria-label={`${LEVEL_WORDS[level]}, memory`}
        title="Memory"
        onClick={onOpen}
      >
        {LEVEL_WORDS[level]}
      </button>
    </div>
  );
}
