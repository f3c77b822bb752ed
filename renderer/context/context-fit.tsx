import type { ContextUse, Draft } from '../../preload/contract.ts';
import { useMirror, useMirrored } from '../mirror/react.ts';
import { useOpenSheet } from '../sheets.ts';
import { Button } from '../ui/button.tsx';
import { count } from '../ui/numbers.ts';
import styles from './context-fit.module.css';

interface Props {
  readonly use: ContextUse;
  readonly draft: Draft;
  readonly onRaise: () => void;
}

/** The conversation no longer fits: what to leave out is the person's choice, never made for them. */
export function ContextFit({ use, draft, onRaise }: Props) {
  const mirror = useMirror();
  const conversationId = useMirrored(({ pane }) => (pane.kind === 'open' ? pane.conversationId : null));
  const isSummarising = useMirrored(({ pane }) => pane.kind === 'open' && pane.about.isSummarising);
  const isLong = useMirrored(({ pane }) => pane.kind === 'open' && pane.messages.length >= 2);
  const ownLimit = useMirrored(({ pane }) =>
    pane.kind === 'open' ? pane.about.settings.contextTokens : pane.kind === 'new' ? pane.settings.contextTokens : null,
  );
  const open = useOpenSheet();
  if (isSummarising && conversationId !== null)
    return (
      <div className={styles.fit} role="status" data-testid="context-fit">
        <p className={styles.title}>The model is writing a summary of the oldest messages.</p>
        <div className={styles.ways}>
          <Button onClick={() => void mirror.chat.fit(conversationId, 'everything', draft)}>Cancel</Button>
        </div>
      </div>
    );
  // Who only reads is not asked: the meter says it.
  const isWriting = draft.text !== '' || draft.attachments.length > 0;
  if (use.kind !== 'counted' || use.leftTokens >= 0 || !isWriting) return null;
  return (
    <div className={styles.fit} role="status" data-testid="context-fit">
      <p className={styles.title}>{count(-use.leftTokens)} tokens more than the context holds</p>
      <p>
        {count(use.usedTokens)} for the conversation and {count(use.reservedTokens)} kept for the answer do not fit{' '}
        {count(use.limitTokens)}.
      </p>
      <div className={styles.ways}>
        {conversationId !== null && isLong && (
          <>
            <Button onClick={() => void mirror.chat.fit(conversationId, 'trim', draft)}>Leave out the oldest</Button>
            <Button onClick={() => void mirror.chat.fit(conversationId, 'summarise', draft)}>Summarise them</Button>
          </>
        )}
        {/* The slider would not move a limit that is this conversation's own. */}
        {ownLimit === use.limitTokens ? (
          <Button onClick={() => open('conversation')}>Its own limit…</Button>
        ) : (
          <Button onClick={onRaise}>More context…</Button>
        )}
      </div>
    </div>
  );
}
