import { ChevronRight } from 'lucide-react';
import { memo, useId, useState } from 'react';
import { splitPlainText } from '../markdown/plain-text.ts';
import { directionOf } from '../markdown/visible-text.ts';
import { useNow } from '../mirror/react.ts';
import { lastLine, reasoningWords } from './answer-words.ts';
import styles from './reasoning.module.css';

interface Props {
  readonly text: string;
  readonly isRunning: boolean;
  readonly sinceMs: number | null;
  readonly tookMs: number | null;
  /** Once the engine has counted them. */
  readonly tokens: number | null;
  /** Null where the engine cannot end its thinking. */
  readonly onAnswerNow: (() => void) | null;
}

const Piece = memo(function Piece({ text }: { readonly text: string }) {
  return <p {...directionOf(text)}>{text}</p>;
});

/** What the model thought, folded to one quiet line. While it runs its last line is shown. */
export function Reasoning({ text, isRunning, sinceMs, tookMs, tokens, onAnswerNow }: Props) {
  const [isOpen, setIsOpen] = useState(false);
  const id = useId();
  const nowMs = useNow(isRunning && sinceMs !== null);
  const elapsedMs = isRunning ? (sinceMs === null ? null : nowMs - sinceMs) : tookMs;
  return (
    <div className={styles.reasoning} data-testid="reasoning">
      <div className={styles.line}>
        <button
          type="button"
          className={styles.fold}
          aria-expanded={isOpen}
          aria-controls={isOpen ? id : undefined}
          onClick={() => setIsOpen(!isOpen)}
        >
          <ChevronRight size={12} strokeWidth={2.25} aria-hidden />
          {reasoningWords(isRunning, elapsedMs, tokens)}
        </button>
        {isRunning && onAnswerNow !== null && (
          <button type="button" className={styles.now} title="Ends the thinking" onClick={onAnswerNow}>
            Answer now
          </button>
        )}
      </div>
      {isRunning && !isOpen && (
        <p className={styles.preview} aria-hidden>
          <bdi>{lastLine(text)}</bdi>
        </p>
      )}
      {isOpen && (
        <div id={id} className={styles.text}>
          {splitPlainText(text).map((piece, index) => (
            <Piece key={index} text={piece} />
          ))}
        </div>
      )}
    </div>
  );
}
