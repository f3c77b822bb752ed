import { SquarePen } from 'lucide-react';
import { type KeyboardEvent, useState } from 'react';
import { useMirror, useMirrored } from '../mirror/react.ts';
import { IconButton } from '../ui/icon-button.tsx';
import { modifierKey } from '../ui/keys.ts';
import { Sheet } from '../ui/sheet.tsx';
import styles from './conversations-sheet.module.css';
import { groupByDay } from './days.ts';

const NONE = [] as const;

/** Arrow keys walk the list as in a native one; Tab works as everywhere. */
function walk(event: KeyboardEvent<HTMLElement>): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (step === 0) return;
  const items = [...event.currentTarget.querySelectorAll('button')];
  const index = items.indexOf(document.activeElement as HTMLButtonElement);
  const next = items[Math.min(items.length - 1, Math.max(0, index + step))];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}

export function ConversationsSheet({ onClose }: { readonly onClose: () => void }) {
  const mirror = useMirror();
  const conversations = useMirrored((state) => state.app?.conversations ?? NONE);
  const platform = useMirrored((state) => state.app?.platform ?? 'other');
  const openId = useMirrored((state) => (state.pane.kind === 'new' ? null : state.pane.conversationId));
  const [nowMs] = useState(Date.now);
  return (
    <Sheet label="Conversations" onClose={onClose}>
      <div className={styles.head}>
        <h2>Conversations</h2>
        <IconButton
          icon={SquarePen}
          label="New conversation"
          shortcut={`${modifierKey(platform)}N`}
          onClick={() => {
            onClose();
            mirror.newConversation();
          }}
        />
      </div>
      {conversations.length === 0 ? (
        <p className={styles.empty}>None yet. What you write is kept on this computer.</p>
      ) : (
        <nav className={styles.list} aria-label="Earlier conversations" onKeyDown={walk}>
          {groupByDay(conversations, nowMs).map((group) => (
            <section key={group.title} aria-label={group.title}>
              <h3 className={styles.day}>{group.title}</h3>
              <ul>
                {group.conversations.map((conversation) => (
                  <li key={conversation.id}>
                    <button
                      type="button"
                      className={styles.item}
                      aria-current={conversation.id === openId}
                      title={conversation.title}
                      onClick={() => {
                        onClose();
                        void mirror.openConversation(conversation.id);
                      }}
                    >
                      {conversation.title}
                    </button>
                  </li>
                ))}
              </ul>
            </section>
          ))}
        </nav>
      )}
    </Sheet>
  );
}
