/** Handlers that answer null to everything and count: what a fuzz run needs to know whether it got through the gate. */
import { type Handlers, routes } from '../../preload/contract.ts';

export function answeringHandlers(): { readonly handlers: Handlers; handled(): number } {
  let count = 0;
  const handlers = Object.fromEntries(
    Object.keys(routes).map((name) => [
      name,
      () => {
        count += 1;
        return null;
      },
    ]),
  ) as unknown as Handlers;
  return { handlers, handled: () => count };
}
