import { type RefObject, useEffect, useLayoutEffect, useRef } from 'react';

/**
 * Another version of a message takes its place, and with the old one goes the button that was pressed. The focus stays
 * with the same button of the new one, or goes where writing goes on.
 */
export function useKeptFocus(view: RefObject<HTMLElement | null>, otherwise: () => void): void {
  const held = useRef<{ readonly element: HTMLElement; readonly row: string; readonly label: string } | null>(null);
  useEffect(() => {
    const root = view.current;
    const onFocus = ({ target }: FocusEvent): void => {
      const element = target instanceof HTMLElement ? target : null;
      const row = element?.closest<HTMLElement>('[data-index]')?.dataset['index'];
      held.current =
        element === null || row === undefined
          ? null
          : { element, row, label: element.getAttribute('aria-label') ?? element.textContent };
    };
    // Some browsers tell it also when the element itself goes, which is known a moment later.
    const onBlur = ({ target }: FocusEvent): void => {
      setTimeout(() => {
        if (held.current?.element === target && held.current.element.isConnected) held.current = null;
      });
    };
    root?.addEventListener('focusin', onFocus);
    root?.addEventListener('focusout', onBlur);
    return () => {
      root?.removeEventListener('focusin', onFocus);
      root?.removeEventListener('focusout', onBlur);
    };
  }, [view]);

  // Whenever the list is drawn: the old row may go later than its message.
  useLayoutEffect(() => {
    const was = held.current;
    if (was === null || document.activeElement !== document.body) return;
    held.current = null;
    const buttons = [...(view.current?.querySelectorAll<HTMLButtonElement>(`[data-index="${was.row}"] button`) ?? [])];
    const same = buttons.find((button) => button.getAttribute('aria-label') === was.label);
    // At the first and the last version one of the two is at its end.
    const next = same?.disabled === true ? same.parentElement?.querySelector<HTMLElement>('button:enabled') : same;
    if (next === undefined || next === null) otherwise();
    else next.focus({ preventScroll: true });
  });
}
