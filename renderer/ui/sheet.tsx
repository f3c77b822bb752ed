import { type ReactNode, useLayoutEffect, useRef } from 'react';
import styles from './sheet.module.css';

interface Props {
  readonly label: string;
  /** `list`: as wide as a menu. `full`: as wide as the window allows. */
  readonly width?: 'list' | 'full';
  readonly onClose: () => void;
  /** Escape leads there first, where the panel has more than one page. */
  readonly onBack?: (() => void) | null;
  readonly children: ReactNode;
}

/**
 * A panel over the window: the native modal dialog gives the focus trap, Escape, inertness of what is behind and the
 * return of the focus. Clicking beside it closes it. Mounted means open.
 */
export function Sheet({ label, width = 'list', onClose, onBack = null, children }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  // Closed before it leaves the page, so that the focus goes back to where it was.
  useLayoutEffect(() => {
    const dialog = ref.current;
    if (dialog === null) return;
    dialog.showModal();
    // The focus starts at what is chosen or at the title, else where the dialog puts it.
    dialog.querySelector<HTMLElement>('[aria-current="true"], [data-first-focus]')?.focus();
    return () => {
      dialog.close();
      takeFocusAgain();
    };
  }, []);
  return (
    // The keyboard's way to close is Escape, which the dialog has.
    <dialog
      ref={ref}
      className={`${styles.sheet} ${styles[width]}`}
      aria-label={label}
      // The key may reach nobody in here: what had the focus is gone.
      onCancel={(event) => {
        if (onBack === null || event.target !== event.currentTarget) return;
        event.preventDefault();
        onBack();
      }}
      onClose={() => {
        if (ref.current?.open !== true) onClose();
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || onBack === null) return;
        // Less, and no more than that.
        event.preventDefault();
        onBack();
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      {children}
    </dialog>
  );
}

/**
 * A dialog that is closed by a program gives the focus back while the page behind it is still inert: the field then has
 * the focus and takes no text (seen in Chromium 156).
 */
function takeFocusAgain(): void {
  const field = document.activeElement;
  if (!(field instanceof HTMLElement) || field === document.body) return;
  field.blur();
  field.focus({ preventScroll: true });
}

/** Where the focus begins in a sheet that has nothing chosen. */
export function SheetTitle({ children }: { readonly children: ReactNode }) {
  return (
    <h2 className={styles.title} tabIndex={-1} data-first-focus>
      {children}
    </h2>
  );
}

/** Escape belongs to an open sheet first. */
export const isSheetOpen = (): boolean => document.querySelector('dialog[open]') !== null;
