/** Where the focus goes when what holds it is about to go: the list begins at its search. */
export function focusSearch(within: Element): void {
  within.closest('dialog')?.querySelector<HTMLElement>('[data-first-focus]')?.focus();
}

/** A row that goes leaves the focus to the one below it, or above, or to the search. */
export function focusBeside(item: HTMLElement): void {
  const items = [
    ...(item.closest('dialog')?.querySelectorAll<HTMLElement>('[data-testid="conversation"] > button') ?? []),
  ];
  const at = items.indexOf(item);
  const beside = items[at + 1] ?? items[at - 1];
  if (beside === undefined) focusSearch(item);
  else beside.focus();
}
