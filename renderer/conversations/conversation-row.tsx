import { Archive, ArchiveRestore, ClipboardCopy, Download, FileJson, Pencil, Pin, PinOff, Trash2 } from 'lucide-react';
import { type KeyboardEvent, useRef, useState } from 'react';
import type { ConversationSummary } from '../../preload/contract.ts';
import { useMirror, useMirrored } from '../mirror/react.ts';
import { useSay } from '../ui/live-region.tsx';
import { Menu } from '../ui/menu.tsx';
import { saveFile } from '../ui/save-file.ts';
import styles from './conversations-sheet.module.css';
import { focusBeside } from './list-focus.ts';

interface Props {
  readonly conversation: ConversationSummary;
  readonly onOpen: () => void;
}

/** One conversation of the list, with what can be done to it. */
export function ConversationRow({ conversation, onOpen }: Props) {
  const { conversations } = useMirror();
  const say = useSay();
  const openId = useMirrored(({ pane }) => (pane.kind === 'new' ? null : pane.conversationId));
  const [isRenaming, setRenaming] = useState(false);
  const item = useRef<HTMLButtonElement>(null);
  const { id, title } = conversation;
  const isPinned = conversation.pinnedAtMs !== null;
  const isArchived = conversation.archivedAtMs !== null;

  const copy = async (): Promise<void> => {
    const file = await conversations.exported([id], 'markdown');
    if (file === null) return;
    await navigator.clipboard.writeText(file.pieces.join(''));
    say('Copied');
  };
  const save = async (format: 'markdown' | 'json'): Promise<void> => {
    const file = await conversations.exported([id], format);
    if (file !== null) saveFile(file.fileName, file.pieces);
  };

  /** The row goes with it. */
  const leaving = (act: () => Promise<void>) => () => {
    if (item.current !== null) focusBeside(item.current);
    void act();
  };

  if (isRenaming)
    return (
      <RenameField
        title={title}
        onDone={(renamed) => {
          setRenaming(false);
          if (renamed !== null && renamed !== title) void conversations.rename(id, renamed);
          requestAnimationFrame(() => item.current?.focus());
        }}
      />
    );
  return (
    <div className={styles.row} data-testid="conversation">
      <button
        ref={item}
        type="button"
        className={styles.item}
        aria-current={id === openId}
        title={title}
        onClick={onOpen}
        onKeyDown={(event) => {
          if (event.key === 'F2') setRenaming(true);
          if (event.key === 'Backspace' || event.key === 'Delete') {
            leaving(() => conversations.delete(conversation))();
          }
        }}
      >
        {title}
      </button>
      <span className={styles.more}>
        <Menu
          isSmall
          label={`More for “${title}”`}
          items={[
            isPinned
              ? { label: 'Unpin', icon: PinOff, onChoose: () => void conversations.pin(id, false) }
              : { label: 'Pin', icon: Pin, onChoose: () => void conversations.pin(id, true) },
            { label: 'Rename', icon: Pencil, onChoose: () => setRenaming(true) },
            { label: 'Copy as Markdown', icon: ClipboardCopy, onChoose: () => void copy() },
            { label: 'Save as Markdown', icon: Download, onChoose: () => void save('markdown') },
            { label: 'Save with everything', icon: FileJson, onChoose: () => void save('json') },
            isArchived
              ? { label: 'Unarchive', icon: ArchiveRestore, onChoose: leaving(() => conversations.unarchive(id)) }
              : { label: 'Archive', icon: Archive, onChoose: leaving(() => conversations.archive(conversation)) },
            {
              label: 'Delete',
              icon: Trash2,
              onChoose: leaving(() => conversations.delete(conversation)),
              isApart: true,
            },
          ]}
        />
      </span>
    </div>
  );
}

function RenameField({ title, onDone }: { readonly title: string; readonly onDone: (renamed: string | null) => void }) {
  const [text, setText] = useState(title);
  const isOver = useRef(false);
  const end = (renamed: string | null): void => {
    if (isOver.current) return;
    isOver.current = true;
    onDone(renamed);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // The list's arrow keys are for walking it.
    event.stopPropagation();
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Enter') end(text.trim() === '' ? null : text.trim());
    if (event.key === 'Escape') {
      event.preventDefault();
      end(null);
    }
  };
  return (
    <input
      ref={(input) => input?.focus()}
      className={styles.rename}
      aria-label="Title"
      value={text}
      maxLength={200}
      onFocus={(event) => event.target.select()}
      onChange={(event) => setText(event.target.value)}
      onKeyDown={onKeyDown}
      onBlur={() => end(text.trim() === '' ? null : text.trim())}
    />
  );
}
