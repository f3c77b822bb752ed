/** From the click on the icon to a window in which one can write, beside an empty Electron window. */
import type { ElectronApplication } from 'playwright-core';
import { type AppUnderTest, launchApp } from '../electron/app-under-test.ts';
import type { TrayRecord } from '../electron/tray-record.ts';
import { type Arm, prepareArms } from './electron-arms.ts';
import { type Bench, median } from './figure.ts';

const LAUNCHES = 5;
const WARM_ROUNDS = 5;
/** An app that has just started, or a window that has just come or gone, is left alone this long. */
const SETTLE_MS = 1_500;
const ICON = { x: 700, y: 0, width: 24, height: 24 };

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

/**
 * Milliseconds on main's own clock, from the click until the page, with its window on the screen and its text field laid
 * out, has got a second animation frame: by then the first one has been drawn.
 */
function clickToPaintedMs(electron: ElectronApplication): Promise<number> {
  return electron.evaluate(async ({ app, BrowserWindow }, at) => {
    const { tray } = (globalThis as unknown as { headroomTray: TrayRecord }).headroomTray;
    const clickedAtMs = performance.now();
    const shown = new Promise<Electron.BrowserWindow>((resolve) => {
      const watch = (window: Electron.BrowserWindow): void => void window.once('show', () => resolve(window));
      const existing = BrowserWindow.getAllWindows()[0];
      if (existing === undefined) app.once('browser-window-created', (_event, window) => watch(window));
      else watch(existing);
    });
    tray?.emit('click', {}, at, { x: at.x, y: at.y });
    const window = await shown;
    await window.webContents.mainFrame.executeJavaScript(`new Promise((resolve) => {
      const whenLaidOut = () =>
        document.querySelector('textarea')?.getClientRects().length && document.visibilityState === 'visible'
          ? requestAnimationFrame(() => requestAnimationFrame(resolve))
          : requestAnimationFrame(whenLaidOut);
      whenLaidOut();
    }).then(() => null)`);
    return performance.now() - clickedAtMs;
  }, ICON);
}

async function hide(app: AppUnderTest): Promise<void> {
  await app.clickTray(ICON);
  await settle();
  if (await app.isShown()) throw new Error('the click on the icon did not hide the window');
}

/** One launch: the first opening of the window, then some after it was only hidden. */
async function measure(arm: Arm): Promise<{ coldMs: number; warmMs: number[] }> {
  const app = await launchApp(arm, { args: ['--hidden'] });
  try {
    await app.electron.evaluate(async () => {
      const record = globalThis as unknown as { headroomTray?: TrayRecord };
      while (!record.headroomTray?.tray) await new Promise((resolve) => setTimeout(resolve, 20));
    });
    await settle();
    if ((await app.windows()).length > 0) throw new Error('there is a window before the first click');
    const coldMs = await clickToPaintedMs(app.electron);
    await settle();
    const warmMs: number[] = [];
    for (let round = 0; round < WARM_ROUNDS; round += 1) {
      await hide(app);
      warmMs.push(await clickToPaintedMs(app.electron));
      await settle();
    }
    return { coldMs, warmMs };
  } finally {
    await app.dispose();
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
    console.error(JSON.stringify({ headroom, empty }));
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
