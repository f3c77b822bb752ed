import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useMirror, useMirrored } from '../mirror/react.ts';
import { IconButton } from '../ui/icon-button.tsx';
import styles from './branch-walker.module.css';

/** Between the versions of a message: ‹ 2 / 3 ›. Nothing where there is one only. */
export function BranchWalker({ messageId, of }: { readonly messageId: string; readonly of: 'message' | 'answer' }) {
  const { chat } = useMirror();
  const siblingIds = useMirrored(({ pane }) =>
    pane.kind === 'open' ? pane.about.branches.find((branch) => branch.messageId === messageId)?.siblingIds : undefined,
  );
  if (siblingIds === undefined || siblingIds.length < 2) return null;
  const index = siblingIds.indexOf(messageId);
  const before = siblingIds[index - 1];
  const after = siblingIds[index + 1];
  return (
    <span className={styles.walker} role="group" aria-label={`Versions of this ${of}`} data-testid="branches">
      <IconButton
        isSmall
        icon={ChevronLeft}
        label="Earlier version"
        disabled={before === undefined}
        onClick={() => before !== undefined && void chat.walkTo(before)}
      />
      <span>
        {index + 1} / {siblingIds.length}
      </span>
      <IconButton
        isSmall
        icon={ChevronRight}
        label="Later version"
        disabled={after === undefined}
        onClick={() => after !== undefined && void chat.walkTo(after)}
      />
    </span>
  );
}
