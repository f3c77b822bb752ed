/** What Chromium 108 lacks of what the window is written for. Only what is absent is put in place. Tests only. */
// What is shimmed here has no types on this side.
// oxlint-disable-next-line typescript/no-explicit-any
type Any = any;

function provide(target: object, name: string, value: unknown): void {
  if (!(name in target)) Object.defineProperty(target, name, { value, configurable: true, writable: true });
}

provide(Promise, 'withResolvers', () => {
  const parts: Any = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
});
provide(Array.prototype, 'toSorted', function (this: unknown[], compare?: (a: unknown, b: unknown) => number) {
  return [...this].sort(compare);
});
provide(Array.prototype, 'toReversed', function (this: unknown[]) {
  return [...this].reverse();
});
provide(Array.prototype, 'toSpliced', function (this: unknown[], ...rest: Any[]) {
  const copy = [...this];
  (copy.splice as Any)(...rest);
  return copy;
});
provide(Array.prototype, 'with', function (this: unknown[], at: number, value: unknown) {
  const copy = [...this];
  copy[at < 0 ? copy.length + at : at] = value;
  return copy;
});
provide(Object, 'groupBy', (items: Iterable<unknown>, keyOf: (item: unknown) => PropertyKey) => {
  const groups: Record<PropertyKey, unknown[]> = Object.create(null);
  for (const item of items) (groups[keyOf(item)] ??= []).push(item);
  return groups;
});
provide(Map, 'groupBy', (items: Iterable<unknown>, keyOf: (item: unknown) => unknown) => {
  const groups = new Map<unknown, unknown[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
});
provide(URL, 'canParse', (text: string, base?: string) => {
  try {
    return Boolean(new URL(text, base));
  } catch {
    return false;
  }
});
provide(AbortSignal, 'any', (signals: Iterable<AbortSignal>) => {
  const controller = new AbortController();
  for (const signal of signals) {
    if (signal.aborted) controller.abort(signal.reason);
    else signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true });
  }
  return controller.signal;
});
// Popovers: enough that what they hold can be shown and hidden.
if (!('showPopover' in HTMLElement.prototype)) {
  const fire = (element: HTMLElement, oldState: string, newState: string): void => {
    element.dispatchEvent(Object.assign(new Event('toggle'), { oldState, newState }));
  };
  const prototype = HTMLElement.prototype as Any;
  prototype.showPopover = function (this: HTMLElement) {
    this.style.display = 'block';
    this.dataset['popoverOpen'] = '';
    fire(this, 'closed', 'open');
  };
  prototype.hidePopover = function (this: HTMLElement) {
    this.style.display = 'none';
    delete this.dataset['popoverOpen'];
    fire(this, 'open', 'closed');
  };
  prototype.togglePopover = function (this: Any) {
    if (this.dataset['popoverOpen'] === undefined) this.showPopover();
    else this.hidePopover();
  };
}
