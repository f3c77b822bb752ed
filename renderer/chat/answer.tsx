import { memo } from 'react';
import type { AssistantMessage } from '../../preload/contract.ts';
import { Markdown } from '../markdown/markdown.tsx';
import { useAnswer, useMirrored } from '../mirror/react.ts';
import { CopyButton } from '../ui/copy-button.tsx';
import { Hidden } from '../ui/hidden.tsx';
import { Progress } from '../ui/progress.tsx';
import styles from './answer.module.css';
import { isFinal } from '../../preload/answer-status.ts';
import { endOf, metaWords, waitOf } from './answer-words.ts';
import { Reasoning } from './reasoning.tsx';

interface Props {
  readonly message: AssistantMessage;
  readonly isLast: boolean;
}

/** An answer: reasoning folded, text plain on the background, and what it cost. */
export const Answer = memo(function Answer({ message, isLast }: Props) {
  const { text, reasoning, status, thinkingSinceMs } = useAnswer(message);
  const isDone = isFinal(status);
  const end = endOf(status);
  return (
    <article
      className={styles.answer}
      aria-busy={!isDone}
      data-testid="answer"
      data-status={status.kind}
      data-last={isLast}
    >
      <Hidden>
        <h2>Answer</h2>
      </Hidden>
      {!isDone && text === '' && reasoning === '' && <Waiting message={message} />}
      {(reasoning !== '' || status.kind === 'thinking') && (
        <Reasoning
          text={reasoning}
          isRunning={status.kind === 'thinking'}
          sinceMs={thinkingSinceMs}
          tookMs={message.reasoningMs}
        />
      )}
      {text !== '' && (
        <div data-testid="answer-text">
          <Markdown text={text} isGrowing={!isDone} />
        </div>
      )}
      {end !== null && (
        <div className={status.kind === 'failed' ? `${styles.end} ${styles.failed}` : styles.end} data-testid="end">
          <p>{end.title}</p>
          {end.detail !== null && <p className={styles.detail}>{end.detail}</p>}
        </div>
      )}
      {isDone && (text !== '' || message.usage !== null) && (
        <div className={styles.meta}>
          {message.usage !== null && <span data-testid="meta">{metaWords(message.usage)}</span>}
          {text !== '' && <CopyButton label="Copy the answer" text={() => text} />}
        </div>
      )}
    </article>
  );
});

function Waiting({ message }: { readonly message: AssistantMessage }) {
  const { status } = useAnswer(message);
  // Only the loading progress is needed from the engine: nothing else may wake a waiting answer.
  const engine = useMirrored((state) => state.app?.engine);
  const wait = engine === undefined ? null : waitOf(status, engine);
  if (wait === null) return null;
  return (
    <div className={styles.wait} data-testid="wait">
      <p>{wait.words}</p>
      <Progress label={wait.words} progress={wait.progress ?? 'indeterminate'} />
    </div>
  );
}
