/** The window's two channels. Everything a page sends goes through the gate with a verdict on who sent it. */
import type { IpcMain, IpcMainInvokeEvent, WebContents } from 'electron';
import { EVENT_CHANNEL, REQUEST_CHANNEL } from '../../../preload/contract.ts';
import type { Gate } from '../gate.ts';
import type { Transport } from '../transport.ts';
import { judgeSender } from './trusted-sender.ts';

export function createIpcTransport(ports: {
  readonly ipcMain: Pick<IpcMain, 'handle' | 'removeHandler'>;
  readonly gate: Gate;
  /** The contents of our window, while there is one. */
  readonly ourContents: () => WebContents | null;
}): Transport {
  ports.ipcMain.handle(REQUEST_CHANNEL, (event: IpcMainInvokeEvent, message: unknown) => {
    const frame = event.senderFrame;
    return ports.gate(
      judgeSender({
        frame: frame === null ? null : { url: frame.url, isMainFrame: frame.parent === null },
        contentsId: event.sender.id,
        ourContentsId: ports.ourContents()?.id ?? null,
      }),
      message,
    );
  });
  return {
    publish(envelope) {
      const contents = ports.ourContents();
      if (contents !== null && !contents.isDestroyed()) contents.send(EVENT_CHANNEL, envelope);
    },
    async dispose() {
      ports.ipcMain.removeHandler(REQUEST_CHANNEL);
    },
  };
}
