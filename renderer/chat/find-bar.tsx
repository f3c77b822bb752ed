import { ChevronDown, ChevronUp, X } from 'lucide-react';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import { IconButton } from '../ui/icon-button.tsx';
import { count } from '../ui/numbers.ts';
import { isSheetOpen } from '../ui/sheet.tsx';
import styles from './find-bar.module.css';
import type { Find } from './use-find.ts';

interface Props {
  readonly find: Find;
  /** Changes whenever the reader asks for the bar anew. */
  readonly request: number;
  readonly onClose: () => void;
}

/** Find in this conversation: Return goes on, Shift+Return goes back, Escape closes. */
export function FindBar({ find, request, onClose }: Props) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, [request]);

  // First this goes, wherever the focus is, then the window. Whoever has a nearer use for the key has taken it by now.
  useEffect(() => {
    const onEscape = (event: globalThis.KeyboardEvent): void => {
      if (event.key !== 'Escape' || event.isComposing || event.defaultPrevented || isSheetOpen()) return;
      event.preventDefault();
      onClose();
    };
    document.addEventListener('keydown', onEscape);
    return () => document.removeEventListener('keydown', onEscape);
  }, [onClose]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.nativeEvent.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    find.step(event.shiftKey ? -1 : 1);
  };
  const isEmpty = find.query.trim() === '';
  const words = isEmpty
    ? ''
    : find.total > 0
      ? `${count(find.current)} of ${count(find.total)}`
      : find.isSearching
        ? 'Looking'
        : 'Not found';
  return (
    <div className={styles.bar} role="search">
      <div className={styles.box}>
        <input
          ref={field}
          type="text"
          aria-label="Find in this conversation"
          placeholder="Find"
          spellCheck={false}
          value={find.query}
          onChange={(event) => find.search(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <span className={styles.count} role="status" data-testid="find-count">
          {words}
        </span>
      </div>
      <IconButton
        isSmall
        icon={ChevronUp}
        label="Previous match"
        shortcut="⇧↩"
        disabled={find.total === 0}
        onClick={() => find.step(-1)}
      />
      <IconButton
        isSmall
        icon={ChevronDown}
        label="Next match"
        shortcut="↩"
        disabled={find.total === 0}
        onClick={() => find.step(1)}
      />
      <IconButton isSmall icon={X} label="Close" onClick={onClose} />
    </div>
  );
}
