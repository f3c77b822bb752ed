/**
 * A window of our own kind whose page may send anything: the product's protocol, transport and gate, with handlers that
 * only count. The parent process hands in the messages, already structured, and gets what the page received.
 */
// oxlint-disable-next-line import/no-unassigned-import -- what is missing comes first.
import '../shims/main.ts';
import { join } from 'node:path';
import { app, BrowserWindow, ipcMain, protocol } from 'electron';
import { createIpcTransport } from '../../../main/host/electron/ipc-transport.ts';
import { registerAppScheme } from '../../../main/host/electron/page-guard.ts';
import { createGate } from '../../../main/host/gate.ts';
import { answeringHandlers } from '../../contract/answering-handlers.ts';

/** From where a message is sent: our window, its subframe, another window with our page, our window gone elsewhere. */
export type Place = 'ours' | 'frame' | 'other-window' | 'foreign-page';

export interface Order {
  readonly number: number;
  readonly place: Place;
  readonly message: unknown;
  /** The message as JSON, for the page to parse: Electron's own way to a page takes no deep nesting. */
  readonly json?: string;
}

export interface Report {
  readonly number: number;
  readonly answer: unknown;
  readonly handled: number;
}

registerAppScheme(protocol);
const { handlers, handled } = answeringHandlers();

function open(): BrowserWindow {
  return new BrowserWindow({
    show: false,
    webPreferences: {
      preload: join(__dirname, '..', 'preload', 'hostile.cjs'),
      sandbox: true,
      contextIsolation: true,
      // So that a frame can try at all.
      nodeIntegrationInSubFrames: true,
    },
  });
}

async function run(): Promise<void> {
  await app.whenReady();
  // Without the product's policy, which would not even let a frame exist.
  protocol.handle('app', () => new Response('<!doctype html>', { headers: { 'Content-Type': 'text/html' } }));
  const ours = open();
  createIpcTransport({
    ipcMain,
    gate: createGate({ handlers, log: () => {} }),
    ourContents: () => ours.webContents,
  });
  await ours.loadURL('app://headroom/');
  const otherWindow = open();
  await otherWindow.loadURL('app://headroom/');

  const replies = new Map<number, (answer: unknown) => void>();
  ipcMain.on('answered', (_event, number: number, answer: unknown) => {
    replies.get(number)?.(answer);
    replies.delete(number);
  });
  const sendTo = (frame: Electron.WebFrameMain, order: Order): Promise<unknown> =>
    new Promise((resolve) => {
      replies.set(order.number, resolve);
      frame.send('ask', order.number, order.message, order.json);
    });

  const obey = async (order: Order): Promise<void> => {
    let frame = ours.webContents.mainFrame;
    if (order.place === 'other-window') frame = otherWindow.webContents.mainFrame;
    if (order.place === 'frame') {
      await ours.webContents.executeJavaScript(
        `new Promise((done) => { const frame = document.createElement('iframe'); frame.src = 'app://headroom/frame'; frame.onload = () => done(0); document.body.append(frame); })`,
      );
      frame = ours.webContents.mainFrame.frames[0]!;
    }
    if (order.place === 'foreign-page') {
      await ours.loadURL('data:text/html,<p>elsewhere');
      frame = ours.webContents.mainFrame;
    }
    const answer = await sendTo(frame, order);
    process.send?.({ number: order.number, answer, handled: handled() } satisfies Report);
  };
  process.on('message', (order: Order) => void obey(order));
  process.send?.({ number: -1, answer: 'ready', handled: 0 } satisfies Report);
}

process.on('disconnect', () => app.exit(0));
void run();
