import type { ContextUse } from '../../preload/contract.ts';
import { useModels } from '../mirror/react.ts';
import { contextLength } from '../models/model-words.ts';
import { Hidden } from '../ui/hidden.tsx';
import styles from './context-meter.module.css';
import { spokenUse } from './context-words.ts';

interface Props {
  /** Null until it was counted. */
  readonly use: ContextUse | null;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}

/** How full the context is: used, reserved for the answer, left. One click opens the slider. Nothing without a model. */
export function ContextMeter({ use, isOpen, onToggle }: Props) {
  const ceiling = useModels((state) => state.plan?.chosenTokens ?? null);
  const limit = use?.limitTokens ?? ceiling;
  if (limit === null) return null;
  const used = use === null ? null : use.kind === 'counted' ? use.usedTokens : use.lastUsedTokens;
  const share = (tokens: number): string => `${Math.min(1, Math.max(0, tokens / limit)) * 100}%`;
  const words = spokenUse(use, limit);
  const shown = used === null ? contextLength(limit) : `${contextLength(used)} of ${contextLength(limit)}`;
  return (
    <button
      type="button"
      className={styles.meter}
      data-testid="context-meter"
      data-full={use?.kind === 'counted' && use.leftTokens < 0}
      aria-expanded={isOpen}
      aria-label={`Context ${shown}: ${words}`}
      title={words}
      onClick={onToggle}
    >
      <Hidden>Context</Hidden>
      <span className={styles.track} aria-hidden>
        <span className={styles.used} style={{ width: share(used ?? 0) }} />
        <span className={styles.reserved} style={{ width: share(use?.reservedTokens ?? 0) }} />
      </span>
      {shown}
    </button>
  );
}
