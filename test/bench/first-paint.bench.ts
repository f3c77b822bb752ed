/** From the click on the icon to a window in which one can write, beside an empty Electron window. */
import type { TrayRecord } from '../electron/tray-record.ts';
import { DrivenApp } from './driven-app.ts';
import { type Arm, prepareArms } from './electron-arms.ts';
import { type Bench, median } from './figure.ts';

const LAUNCHES = 7;
const WARM_ROUNDS = 2;
/** An app that has just started, or a window that has just come or gone, is left alone this long. */
const SETTLE_MS = 1_000;

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

/**
 * Milliseconds on main's own clock, from the click until the page, with its window on the screen and its text field laid
 * out, has got a second animation frame: by then the first one has been drawn. Looked at beside the pixels of the
 * screen that is usually 10 to 30 ms late, in some cold starts up to 25 ms early, for either app.
 */
function clickToPaintedMs(app: DrivenApp): Promise<number> {
  return app.evaluate(async ({ app: electronApp, BrowserWindow }) => {
    const { tray } = (globalThis as unknown as { headroomTray: TrayRecord }).headroomTray;
    const icon = { x: 700, y: 0, width: 24, height: 24 };
    const clickedAtMs = performance.now();
    const shown = new Promise<Electron.BrowserWindow>((resolve) => {
      const watch = (window: Electron.BrowserWindow): void => void window.once('show', () => resolve(window));
      const existing = BrowserWindow.getAllWindows()[0];
      if (existing === undefined) electronApp.once('browser-window-created', (_event, window) => watch(window));
      else watch(existing);
    });
    tray?.emit('click', {}, icon, { x: icon.x, y: icon.y });
    const window = await shown;
    await window.webContents.mainFrame.executeJavaScript(`new Promise((resolve) => {
      const whenLaidOut = () =>
        document.querySelector('textarea')?.getClientRects().length && document.visibilityState === 'visible'
          ? requestAnimationFrame(() => requestAnimationFrame(resolve))
          : requestAnimationFrame(whenLaidOut);
      whenLaidOut();
    }).then(() => null)`);
    return performance.now() - clickedAtMs;
  });
}

/** A click on the icon hides it; the page must notice, else showing it again would cost nothing. */
async function hide(app: DrivenApp): Promise<void> {
  await app.evaluate(() => {
    const { tray } = (globalThis as unknown as { headroomTray: TrayRecord }).headroomTray;
    const icon = { x: 700, y: 0, width: 24, height: 24 };
    tray?.emit('click', {}, icon, { x: icon.x, y: icon.y });
  });
  await settle();
  const seenByPage = await app.evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows()[0]?.webContents.mainFrame.executeJavaScript('document.visibilityState'),
  );
  if (seenByPage !== 'hidden') throw new Error(`the page of a hidden window is ${String(seenByPage)}`);
}

/** One launch: the first opening of the window, then some after it was only hidden. */
async function measure(arm: Arm): Promise<{ coldMs: number; warmMs: number[] }> {
  const app = await DrivenApp.launch(arm);
  try {
    await settle();
    const windows = await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length);
    if (windows > 0) throw new Error('there is a window before the first click');
    const coldMs = await clickToPaintedMs(app);
    await settle();
    const warmMs: number[] = [];
    for (let round = 0; round < WARM_ROUNDS; round += 1) {
      await hide(app);
      warmMs.push(await clickToPaintedMs(app));
      await settle();
    }
    return { coldMs, warmMs };
  } finally {
    await app.end();
  }
}

const bench: Bench = async () => {
  const arms = await prepareArms();
  try {
    const headroom: { coldMs: number; warmMs: number[] }[] = [];
    const empty: typeof headroom = [];
    for (let launch = 0; launch < LAUNCHES; launch += 1) {
      empty.push(await measure(arms.empty));
      headroom.push(await measure(arms.headroom));
    }
    const cold = (list: typeof headroom): number => median(list.map(({ coldMs }) => coldMs));
    const warm = (list: typeof headroom): number => median(list.flatMap(({ warmMs }) => warmMs));
    return [
      {
        name: 'click to painted window, cold',
        unit: 'ms',
        value: cold(headroom),
        baseline: { what: 'empty Electron window', value: cold(empty) },
        compare: 'ratio',
        aim: { at: 'most', value: 1.5 },
      },
      {
        name: 'click to painted window, warm',
        unit: 'ms',
        value: warm(headroom),
        baseline: { what: 'empty Electron window', value: warm(empty) },
        compare: 'value',
        aim: { at: 'most', value: 50 },
      },
    ];
  } finally {
    await arms.dispose();
  }
};

export default bench;
