import { useState } from 'react';
import { useMirror, useMirrored } from '../mirror/react.ts';
import { count } from '../ui/numbers.ts';
import styles from './context-cut-mark.module.css';

/** Stands after the last message the model no longer reads: never a silent cut. */
export function ContextCutMark({ messageId }: { readonly messageId: string }) {
  const mirror = useMirror();
  const cut = useMirrored(({ pane }) =>
    pane.kind === 'open' && pane.about.cut?.afterMessageId === messageId ? pane.about.cut : null,
  );
  const conversationId = useMirrored(({ pane }) => (pane.kind === 'open' ? pane.conversationId : null));
  const [isOpen, setIsOpen] = useState(false);
  if (cut === null || conversationId === null) return null;
  const what = cut.messages === 1 ? 'the message above' : `the ${count(cut.messages)} messages above`;
  return (
    <div className={styles.mark} role="note" data-testid="context-cut">
      <p>
        {cut.kind === 'trimmed' ? `The model no longer reads ${what}.` : `The model reads a summary of ${what}.`}{' '}
        {cut.kind === 'summarised' && (
          <button type="button" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
            {isOpen ? 'Hide it' : 'Show it'}
          </button>
        )}{' '}
        <button
          type="button"
          onClick={() => {
            void mirror.chat.fit(conversationId, 'everything', { text: '', attachments: [] });
            mirror.requestFocus();
          }}
        >
          Undo
        </button>
      </p>
      {cut.kind === 'summarised' && isOpen && <p className={styles.summary}>{cut.summary}</p>}
    </div>
  );
}
