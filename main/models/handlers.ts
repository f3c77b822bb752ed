/** What the window may ask about models. */
import type { Handlers } from '../../preload/contract.ts';
import { AppFault } from '../fault.ts';

type ModelRoute = Extract<keyof Handlers, `models.${string}` | `context.${string}` | `hub.${string}`>;

export function modelHandlers(): Pick<Handlers, ModelRoute> {
  const notYet = (): never => {
    throw new AppFault('refused', 'This part is not connected yet.', 'Wait for the next version.');
  };
  return {
    'models.list': notYet,
    'models.add': notYet,
    'models.download': notYet,
    'models.pause': notYet,
    'models.cancel': notYet,
    'models.verify': notYet,
    'models.repair': notYet,
    'models.delete': notYet,
    'models.preflight': notYet,
    'context.plan': notYet,
    'context.set': notYet,
    'hub.settings': notYet,
    'hub.update': notYet,
  };
}
