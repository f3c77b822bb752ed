import { Ellipsis, type LucideIcon } from 'lucide-react';
import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import { IconButton } from './icon-button.tsx';
import styles from './menu.module.css';

interface MenuItem {
  readonly label: string;
  readonly icon: LucideIcon;
  readonly onChoose: () => void;
  /** A line above it: what follows is of another kind. */
  readonly isApart?: boolean;
}

interface Props {
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly icon?: LucideIcon;
  readonly isSmall?: boolean;
}

const GAP_PX = 4;

/** A button that opens a list of actions, walked by the arrow keys; Escape and a click beside it close it. */
export function Menu({ label, items, icon = Ellipsis, isSmall = false }: Props) {
  const [isOpen, setIsOpen] = useState(false);
  const trigger = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();

  useLayoutEffect(() => {
    const { current } = list;
    const anchor = trigger.current?.getBoundingClientRect();
    if (!isOpen || current === null || anchor === undefined) return;
    const { width, height } = current.getBoundingClientRect();
    const isBelow = anchor.bottom + GAP_PX + height <= innerHeight - GAP_PX;
    current.style.top = `${Math.max(GAP_PX, isBelow ? anchor.bottom + GAP_PX : anchor.top - GAP_PX - height)}px`;
    current.style.left = `${Math.max(GAP_PX, Math.min(anchor.right - width, innerWidth - width - GAP_PX))}px`;
    current.querySelector('button')?.focus();
  }, [isOpen]);

  useEffect(() => {
    if (!isOpen) return;
    const close = (event: Event): void => {
      if (list.current?.contains(event.target as Node) !== true) setIsOpen(false);
    };
    addEventListener('pointerdown', close, { capture: true });
    addEventListener('scroll', close, { capture: true });
    addEventListener('blur', close);
    return () => {
      removeEventListener('pointerdown', close, { capture: true });
      removeEventListener('scroll', close, { capture: true });
      removeEventListener('blur', close);
    };
  }, [isOpen]);

  const close = (): void => {
    setIsOpen(false);
    trigger.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' || event.key === 'Tab') {
      event.preventDefault();
      event.stopPropagation();
      close();
      return;
    }
    const all = [...(list.current?.querySelectorAll('button') ?? [])];
    const at = all.indexOf(document.activeElement as HTMLButtonElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    all.at(to % all.length)?.focus();
  };

  return (
    <>
      <IconButton
        ref={trigger}
        icon={icon}
        isSmall={isSmall}
        label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        onClick={() => setIsOpen(!isOpen)}
      />
      {isOpen && (
        <div
          ref={list}
          id={id}
          role="menu"
          tabIndex={-1}
          aria-label={label}
          className={styles.menu}
          onKeyDown={onKeyDown}
        >
          {items.map(({ label: words, icon: Icon, onChoose, isApart = false }) => (
            <button
              key={words}
              type="button"
              role="menuitem"
              className={isApart ? `${styles.item} ${styles.apart}` : styles.item}
              onClick={() => {
                close();
                onChoose();
              }}
            >
              <Icon size={14} strokeWidth={1.75} aria-hidden />
              {words}
            </button>
          ))}
        </div>
      )}
    </>
  );
}
