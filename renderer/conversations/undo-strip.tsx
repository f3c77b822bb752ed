import { X } from 'lucide-react';
import { useConversations, useMirror } from '../mirror/react.ts';
import { IconButton } from '../ui/icon-button.tsx';
import { focusSearch } from './list-focus.ts';
import styles from './undo-strip.module.css';

/** What was just deleted or archived, for as long as taking it back is offered. */
export function UndoStrip() {
  const { conversations } = useMirror();
  const undoable = useConversations((state) => state.undoable);
  if (undoable === null) return null;
  return (
    <div className={styles.strip} role="status" data-testid="undo">
      <p>
        {undoable.what === 'deleted' ? 'Deleted' : 'Archived'} “{undoable.title}”
      </p>
      <button
        type="button"
        className={styles.undo}
        onClick={(event) => {
          focusSearch(event.currentTarget);
          void conversations.undo();
        }}
      >
        Undo
      </button>
      <IconButton
        isSmall
        icon={X}
        label="Dismiss"
        onClick={(event) => {
          focusSearch(event.currentTarget);
          conversations.dismissUndo();
        }}
      />
    </div>
  );
}
