/** Notifications of the system, as notice.ts decides. */
import { Notification } from 'electron';
import type { EventEnvelope } from '../../../preload/contract.ts';
import {
  type Notice,
  type NoticeMemory,
  type NoticeSituation,
  type NoticeTopic,
  noticeStep,
  nothingTold,
} from './notice.ts';

export interface Notifications {
  /** Every event there is, in order, and `window.shown` when the window comes into sight. */
  take(envelope: EventEnvelope): void;
  /** The shortcut from the settings belongs to another program now. */
  tellShortcutInUse(accelerator: string): void;
  dispose(): void;
}

export function createNotifications(ports: { situation(): NoticeSituation; onClick(): void }): Notifications {
  let memory: NoticeMemory = nothingTold;
  // Kept while they may be clicked: Electron forgets those that nobody holds.
  const standing = new Map<NoticeTopic, Notification>();
  const withdraw = (topic: NoticeTopic): void => {
    standing.get(topic)?.close();
    standing.delete(topic);
  };
  const show = ({ topic, title, body }: Notice): void => {
    withdraw(topic);
    // A desktop without notifications: the icon and the window tell it too.
    if (!Notification.isSupported()) return;
    const notification = new Notification({ title, body, silent: true });
    notification.on('click', () => ports.onClick());
    standing.set(topic, notification);
    notification.show();
  };
  return {
    take(envelope) {
      const step = noticeStep(memory, envelope, ports.situation());
      memory = step.memory;
      if (step.effect.kind === 'withdraw') step.effect.topics.forEach(withdraw);
      if (step.effect.kind === 'show') show(step.effect.notice);
    },
    tellShortcutInUse: (accelerator) =>
      show({
        topic: 'shortcut',
        title: 'Headroom’s shortcut belongs to another program',
        body: `${accelerator} does not open Headroom any more. Choose another one in its settings.`,
      }),
    dispose() {
      for (const topic of [...standing.keys()]) withdraw(topic);
    },
  };
}
