import { RefreshCw } from 'lucide-react';
import { memo } from 'react';
import { isFinal } from '../../preload/answer-status.ts';
import type { AnswerStatus, AssistantMessage } from '../../preload/contract.ts';
import { Markdown } from '../markdown/markdown.tsx';
import { useAbility, useAnswer, useMirror, useMirrored } from '../mirror/react.ts';
import { Button } from '../ui/button.tsx';
import { CopyButton } from '../ui/copy-button.tsx';
import { Hidden } from '../ui/hidden.tsx';
import { IconButton } from '../ui/icon-button.tsx';
import { Progress } from '../ui/progress.tsx';
import styles from './answer.module.css';
import { endOf, metaWords, waitOf } from './answer-words.ts';
import { BranchWalker } from './branch-walker.tsx';
import { Reasoning } from './reasoning.tsx';

interface Props {
  readonly message: AssistantMessage;
  readonly isLast: boolean;
}

/** An answer: reasoning folded, text plain on the background, and what it cost. */
export const Answer = memo(function Answer({ message, isLast }: Props) {
  const mirror = useMirror();
  const { text, reasoning, status, thinkingSinceMs } = useAnswer(message);
  const canAnswerNow = useAbility('answer-now');
  const isDone = isFinal(status);
  const end = endOf(status);
  const answerNow = () => {
    void mirror.chat.answerNow(message.id);
    // The button goes with the thinking.
    mirror.requestFocus();
  };
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
          tokens={message.usage?.reasoningTokens ?? null}
          onAnswerNow={canAnswerNow ? answerNow : null}
        />
      )}
      {text !== '' && (
        <div data-testid="answer-text" data-find="">
          <Markdown text={text} isGrowing={!isDone} />
        </div>
      )}
      {end !== null && (
        <div className={status.kind === 'failed' ? `${styles.end} ${styles.failed}` : styles.end} data-testid="end">
          <p>{end.title}</p>
          {end.detail !== null && <p className={styles.detail}>{end.detail}</p>}
          {isLast && <Onward message={message} status={status} />}
        </div>
      )}
      {isDone && (
        <div className={styles.meta}>
          <BranchWalker messageId={message.id} of="answer" />
          {text !== '' && <CopyButton label="Copy the answer" text={() => text} />}
          <IconButton
            isSmall
            icon={RefreshCw}
            label="Answer again"
            onClick={() => void mirror.chat.regenerate(message.id)}
          />
          {message.usage !== null && (
            <span className={styles.cost} title={metaWords(message.usage)} data-testid="meta">
              {metaWords(message.usage)}
            </span>
          )}
        </div>
      )}
    </article>
  );
});

/** What can be done with an answer that did not simply finish. */
function Onward({ message, status }: { readonly message: AssistantMessage; readonly status: AnswerStatus }) {
  const mirror = useMirror();
  const ownModel = useMirrored(({ pane }) => (pane.kind === 'open' ? pane.about.settings.modelId : null));
  const canGoOn = useAbility('continue', ownModel);
  const goOn = () => void mirror.chat.goOn(message.id);
  switch (status.kind) {
    case 'paused':
      return (
        <div className={styles.onward}>
          {canGoOn && (
            <Button isPrimary onClick={goOn}>
              Go on
            </Button>
          )}
          <Button onClick={() => void mirror.leaveAnswer(message.id)}>Leave it at that</Button>
        </div>
      );
    case 'stopped':
    case 'interrupted':
    case 'length':
      if (!canGoOn) return null;
      return (
        <div className={styles.onward}>
          <Button onClick={goOn}>Continue</Button>
        </div>
      );
    case 'failed':
      return (
        <div className={styles.onward}>
          <Button onClick={() => void mirror.chat.regenerate(message.id)}>Try again</Button>
        </div>
      );
    default:
      return null;
  }
}

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
