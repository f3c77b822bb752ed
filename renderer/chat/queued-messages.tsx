import { CornerDownRight, Pencil, X } from 'lucide-react';
import type { Draft, QueuedMessage } from '../../preload/contract.ts';
import { liveAnswer } from '../mirror/mirror.ts';
import { useMirror, useMirrored } from '../mirror/react.ts';
import { Button } from '../ui/button.tsx';
import { IconButton } from '../ui/icon-button.tsx';
import styles from './queued-messages.module.css';

const NONE: readonly QueuedMessage[] = [];

/** Messages that wait for the answer under way. After a failure or a pause they wait for a word. */
export function QueuedMessages({ onTakeBack }: { readonly onTakeBack: (draft: Draft) => void }) {
  const mirror = useMirror();
  const queued = useMirrored(({ pane }) => (pane.kind === 'open' ? pane.about.queued : NONE));
  const isWaiting = useMirrored(({ pane }) => liveAnswer(pane) !== null);
  if (queued.length === 0) return null;

  const remove = async (id: string, then: 'edit' | 'drop'): Promise<void> => {
    const taken = await mirror.chat.unqueue(id);
    if (taken !== null && then === 'edit') onTakeBack({ text: taken.text, attachments: taken.attachments });
    mirror.requestFocus();
  };
  return (
    <ul className={styles.list} aria-label="Waiting to be sent">
      {queued.map(({ id, text, attachments }, index) => (
        <li key={id} className={styles.item} data-testid="queued">
          <CornerDownRight size={14} strokeWidth={1.75} aria-hidden />
          <span className={styles.text} title={text}>
            {text.trim() === '' ? attachments.map(({ name }) => name).join(', ') : text}
          </span>
          {!isWaiting && index === 0 && (
            <Button onClick={() => void mirror.chat.sendQueued(id).then(() => mirror.requestFocus())}>Send now</Button>
          )}
          <IconButton isSmall icon={Pencil} label="Edit the waiting message" onClick={() => void remove(id, 'edit')} />
          <IconButton isSmall icon={X} label="Remove the waiting message" onClick={() => void remove(id, 'drop')} />
        </li>
      ))}
    </ul>
  );
}
