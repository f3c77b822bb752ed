/** What the window may ask about conversations. */
import type { EventEnvelope, Handlers } from '../../preload/contract.ts';
import { AppFault } from '../fault.ts';
import type { Chat } from './chat.ts';
import { exportFileName, exportPiece } from './export.ts';
import { createImporting } from './importing.ts';
import { isDamage, storageFault } from './storage-fault.ts';
import type { ConversationStore } from './store.ts';

type ChatRoute = Extract<keyof Handlers, `chat.${string}` | `preset.${string}`>;

export interface ChatHandlerPorts {
  readonly chat: Chat;
  readonly store: ConversationStore;
  publish(envelope: EventEnvelope): void;
  nowMs(): number;
}

/** Conversations in one piece of an exported file, and how long a piece may get. */
const PIECE_CONVERSATIONS = 100;
const PIECE_LENGTH = 4_000_000;

export function chatHandlers({ chat, store, publish, nowMs }: ChatHandlerPorts): Pick<Handlers, ChatRoute> {
  const importing = createImporting({ transfer: store.transfer, nowMs });
  const { presets } = store;
  const presetsChanged = () => {
    const payload = presets.list();
    publish({ event: 'preset.changed', payload });
    return { presets: payload };
  };

  return guarded(store, {
    'chat.list': (input) => store.page(input),
    'chat.search': ({ text, archived }) => ({ hits: store.search.find(text, archived) }),
    'chat.open': ({ conversationId }) => chat.open(conversationId),
    'chat.send': (input) => chat.send(input),
    'chat.stop': ({ messageId }) => {
      chat.stop(messageId);
      return null;
    },
    'chat.queue': (input) => chat.queue(input),
    'chat.unqueue': ({ queuedId }) => chat.unqueue(queuedId),
    'chat.sendQueued': ({ queuedId }) => chat.sendQueued(queuedId),
    'chat.edit': (input) => chat.edit(input),
    'chat.regenerate': ({ messageId, effort }) => chat.regenerate(messageId, effort ?? null),
    'chat.continue': ({ messageId }) => chat.continue(messageId),
    'chat.answerNow': ({ messageId }) => {
      chat.answerNow(messageId);
      return null;
    },
    'chat.branch': ({ messageId }) => chat.branch(messageId),
    'chat.configure': ({ conversationId, settings }) => chat.configure(conversationId, settings),
    'chat.rename': ({ conversationId, title }) => chat.rename(conversationId, title),
    'chat.pin': ({ conversationId, pinned }) => chat.pin(conversationId, pinned),
    'chat.archive': ({ conversationId, archived }) => chat.archive(conversationId, archived),
    'chat.delete': async ({ conversationId }) => {
      await chat.remove(conversationId);
      return null;
    },
    'chat.undelete': ({ conversationId }) => chat.takeBack(conversationId),
    'chat.draft': ({ conversationId, text, attachmentIds }) => {
      if (conversationId !== null && store.summary(conversationId) === null) return null;
      if (text === '' && attachmentIds.length === 0) store.drafts.forget(conversationId);
      else store.drafts.put(conversationId, text, attachmentIds);
      return null;
    },
    'chat.attach': ({ name, text }) => chat.attach(name, text),
    'chat.attachment': ({ attachmentId }) => {
      const text = store.attachments.text(attachmentId);
      if (text === null) throw new AppFault('not-found', 'This attachment is no longer there.', 'Attach it again.');
      return { text };
    },
    'chat.count': (input) => chat.count(input),
    'chat.fit': (input) => chat.fit(input),
    'chat.export': ({ conversationIds, format, after }) => {
      const place = Number(after ?? 0);
      const limit = PIECE_CONVERSATIONS + 1;
      // One more than is taken tells whether there are more.
      const asked =
        conversationIds === null
          ? store.transfer.idsAfter(place, limit)
          : conversationIds.slice(place, place + limit).map((id, index) => ({ id, seq: place + index + 1 }));
      const taken = [];
      let length = 0;
      for (const { id, seq } of asked.slice(0, PIECE_CONVERSATIONS)) {
        if (length > PIECE_LENGTH) break;
        const conversation = store.transfer.read(id);
        if (conversation === null) {
          throw new AppFault('not-found', 'A conversation is no longer there.', 'Choose again what to export.');
        }
        taken.push({ conversation, seq });
        length += conversation.messages.reduce(
          (sum, message) => sum + message.text.length + message.reasoning.length,
          0,
        );
      }
      const isLast = taken.length === asked.length;
      return {
        fileName: exportFileName(
          conversationIds?.length === 1 ? taken.map(({ conversation }) => conversation.title) : [],
          format,
          nowMs(),
        ),
        text: exportPiece(
          taken.map(({ conversation }) => conversation),
          format,
          { isFirst: after === null, isLast },
        ),
        next: isLast ? null : String(taken.at(-1)?.seq ?? place),
      };
    },
    'chat.import': async (input) => {
      const report = await importing.piece(input);
      if (report !== null) publish({ event: 'chat.conversations', payload: store.head() });
      return report;
    },
    'preset.list': () => ({ presets: presets.list() }),
    'preset.save': ({ presetId, name, systemText }) => {
      if (presetId === null) presets.add(name, systemText);
      else if (!presets.change(presetId, name, systemText)) {
        throw new AppFault('not-found', 'This preset is no longer there.', 'Save it as a new one.');
      }
      return presetsChanged();
    },
    'preset.delete': ({ presetId }) => {
      presets.remove(presetId);
      return presetsChanged();
    },
  });
}

type Handler = (input: never) => unknown;

/** What the disk or the file is at fault for is said so, and damage is looked into at the next start. */
function guarded<T extends object>(store: Pick<ConversationStore, 'suspectDamage'>, handlers: T): T {
  const explained = (thrown: unknown): never => {
    if (isDamage(thrown)) store.suspectDamage();
    throw storageFault(thrown) ?? thrown;
  };
  const guard =
    (handler: Handler): Handler =>
    async (input) => {
      try {
        return await handler(input);
      } catch (thrown) {
        return explained(thrown);
      }
    };
  return Object.fromEntries(
    Object.entries(handlers).map(([route, handler]) => [route, guard(handler as Handler)]),
  ) as T;
}
