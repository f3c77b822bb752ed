import { Pencil } from 'lucide-react';
import { type FormEvent, type KeyboardEvent, memo, useEffect, useRef, useState } from 'react';
import type { UserMessage } from '../../preload/contract.ts';
import { splitPlainText } from '../markdown/plain-text.ts';
import { directionOf } from '../markdown/visible-text.ts';
import { useMirror, useMirrored } from '../mirror/react.ts';
import { Button } from '../ui/button.tsx';
import { CopyButton } from '../ui/copy-button.tsx';
import { Hidden } from '../ui/hidden.tsx';
import { IconButton } from '../ui/icon-button.tsx';
import { AttachmentBlock } from './attachment-block.tsx';
import { BranchWalker } from './branch-walker.tsx';
import styles from './user-bubble.module.css';

export const UserBubble = memo(function UserBubble({ message }: { readonly message: UserMessage }) {
  const mirror = useMirror();
  const isEdited = useMirrored(({ editingId }) => editingId === message.id);
  return (
    <article className={styles.message} data-testid="user-message">
      <Hidden>
        <h2>You</h2>
      </Hidden>
      {isEdited ? (
        <Editor message={message} />
      ) : (
        <>
          {message.attachments.length > 0 && (
            <div className={styles.attachments}>
              {message.attachments.map((attachment) => (
                <AttachmentBlock key={attachment.id} attachment={attachment} />
              ))}
            </div>
          )}
          {message.text.trim() !== '' && (
            <div className={styles.bubble} data-find="">
              {splitPlainText(message.text).map((piece, index) => (
                <p key={index} {...directionOf(piece)}>
                  {piece}
                </p>
              ))}
            </div>
          )}
          <div className={styles.actions}>
            <BranchWalker messageId={message.id} of="message" />
            <IconButton isSmall icon={Pencil} label="Edit" onClick={() => mirror.editMessage(message.id)} />
            {message.text !== '' && <CopyButton label="Copy the message" text={() => message.text} />}
          </div>
        </>
      )}
    </article>
  );
});

/** Writes the message anew, in its place. The earlier version and its answers stay one step away. */
function Editor({ message }: { readonly message: UserMessage }) {
  const mirror = useMirror();
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(message.text);
  const isEmpty = text.trim() === '' && message.attachments.length === 0;
  useEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(-1, -1);
  }, []);

  const submit = async (event?: FormEvent): Promise<void> => {
    event?.preventDefault();
    if (isEmpty) return;
    if (text === message.text) {
      mirror.editMessage(null);
      return;
    }
    const wasTaken = await mirror.chat.edit(message.id, { text, attachments: message.attachments }, mirror.effort());
    if (wasTaken) mirror.editMessage(null);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    if (event.key === 'Escape') {
      // First this goes, then the window.
      event.preventDefault();
      mirror.editMessage(null);
    } else if (event.key === 'Enter' && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      void submit();
    }
  };
  return (
    <form className={styles.editor} onSubmit={(event) => void submit(event)}>
      <textarea
        ref={field}
        aria-label="Edit the message"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div>
        <Button onClick={() => mirror.editMessage(null)}>Cancel</Button>
        <Button isPrimary type="submit" disabled={isEmpty}>
          Send
        </Button>
      </div>
    </form>
  );
}
