/** What the window may ask about conversations. */
import type { Handlers } from '../../preload/contract.ts';
import { AppFault } from '../fault.ts';

type ChatRoute = Exclude<
  Extract<keyof Handlers, `chat.${string}` | `preset.${string}`>,
  'chat.open' | 'chat.send' | 'chat.stop'
>;

export function chatHandlers(): Pick<Handlers, ChatRoute> {
  const notYet = (): never => {
    throw new AppFault('refused', 'This part is not connected yet.', 'Wait for the next version.');
  };
  return {
    'chat.list': notYet,
    'chat.search': notYet,
    'chat.queue': notYet,
    'chat.unqueue': notYet,
    'chat.sendQueued': notYet,
    'chat.edit': notYet,
    'chat.regenerate': notYet,
    'chat.continue': notYet,
    'chat.answerNow': notYet,
    'chat.branch': notYet,
    'chat.configure': notYet,
    'chat.rename': notYet,
    'chat.pin': notYet,
    'chat.archive': notYet,
    'chat.delete': notYet,
    'chat.undelete': notYet,
    'chat.draft': notYet,
    'chat.attach': notYet,
    'chat.attachment': notYet,
    'chat.count': notYet,
    'chat.fit': notYet,
    'chat.export': notYet,
    'chat.import': notYet,
    'preset.list': () => ({ presets: [] }),
    'preset.save': notYet,
    'preset.delete': notYet,
  };
}
