import { useMirrored, useModels } from '../mirror/react.ts';
import { contextLength } from '../models/model-words.ts';
import { count } from '../ui/numbers.ts';
import styles from './context-meter.module.css';
import { usedTokens } from './context-words.ts';

interface Props {
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}

/** How full the context is; one click opens the slider. Nothing without a model. */
export function ContextMeter({ isOpen, onToggle }: Props) {
  const limit = useModels((state) => state.plan?.chosenTokens ?? null);
  const used = useMirrored(({ pane }) => (pane.kind === 'open' ? usedTokens(pane.messages) : null));
  if (limit === null) return null;
  const share = Math.min(1, (used ?? 0) / limit);
  return (
    <button
      type="button"
      className={styles.meter}
      aria-expanded={isOpen}
      aria-label={
        used === null ? `Context, ${count(limit)} tokens` : `Context, ${count(used)} of ${count(limit)} tokens`
      }
      title="How much of the conversation the model keeps in mind"
      onClick={onToggle}
    >
      <span className={styles.track} aria-hidden>
        <span className={styles.used} style={{ width: `${share * 100}%` }} />
      </span>
      {used === null ? contextLength(limit) : `${contextLength(used)} of ${contextLength(limit)}`}
    </button>
  );
}
