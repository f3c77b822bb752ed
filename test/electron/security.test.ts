/** The security checklist of Electron's manual, each point asked of the running app. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTENT_SECURITY_POLICY } from '../../main/host/electron/page-policy.ts';
import { type AppUnderTest, launchApp, prepareSurroundings } from './app-under-test.ts';

const surroundings = await prepareSurroundings();

describe.skipIf(surroundings.kind === 'missing')('the window is shut in', () => {
  let app: AppUnderTest;
  let page: Page;

  beforeAll(async () => {
    if (surroundings.kind === 'missing') return;
    app = await launchApp(surroundings);
    page = await app.page();
    await page.locator('textarea').waitFor();
  });
  afterAll(async () => {
    await app?.dispose();
    if (surroundings.kind === 'ready') await surroundings.dispose();
  });

  it('1, 18: the page comes from app://, not from a file and not from the network', () => {
    expect(page.url()).toBe('app://headroom/');
  });

  it('2–4, 6, 8–11: the preferences of the window are the strict ones', async () => {
    const preferences = await app.electron.evaluate(({ BrowserWindow }) => {
      const contents = BrowserWindow.getAllWindows()[0]?.webContents as unknown as {
        getLastWebPreferences(): Record<string, unknown>;
      };
      return contents.getLastWebPreferences();
    });
    const on = ['sandbox', 'contextIsolation', 'webSecurity'];
    const off = [
      'nodeIntegration',
      'nodeIntegrationInWorker',
      'nodeIntegrationInSubFrames',
      'allowRunningInsecureContent',
      'experimentalFeatures',
      'webviewTag',
      'navigateOnDragDrop',
    ];
    for (const name of on) expect(preferences[name], name).toBe(true);
    // Electron 22 leaves out some that are off.
    for (const name of off) expect(preferences[name] ?? false, name).toBe(false);
    expect(preferences['enableBlinkFeatures'] ?? '').toBe('');
  });

  it('2, 20: the page has neither Node nor Electron, only the bridge', async () => {
    const seen = await page.evaluate(() => ({
      require: typeof (window as unknown as Record<string, unknown>)['require'],
      process: typeof (window as unknown as Record<string, unknown>)['process'],
      module: typeof (window as unknown as Record<string, unknown>)['module'],
      bridge: Object.keys((window as unknown as { headroom: object }).headroom).sort(),
    }));
    expect(seen).toEqual({
      require: 'undefined',
      process: 'undefined',
      module: 'undefined',
      bridge: ['call', 'on', 'onConnection'],
    });
  });

  it('20: listeners get the payload and nothing of the IPC event', async () => {
    const given = await page.evaluate(
      () =>
        new Promise<unknown[]>((resolve) => {
          const { headroom } = window as unknown as {
            headroom: { on(e: string, l: (...all: unknown[]) => void): () => void; call(r: string, i: unknown): void };
          };
          const stop = headroom.on('settings.changed', (...all) => {
            stop();
            resolve(all);
          });
          headroom.call('settings.update', { effort: 'high' });
        }),
    );
    expect(given).toHaveLength(1);
    expect(given[0]).toMatchObject({ effort: 'high' });
  });

  it('5: every permission is denied', async () => {
    const states = await page.evaluate(async () => {
      const names = ['geolocation', 'notifications', 'camera', 'microphone', 'midi', 'clipboard-read'];
      const all: Record<string, string> = {};
      for (const name of names) {
        all[name] = (await navigator.permissions.query({ name: name as PermissionName })).state;
      }
      return all;
    });
    expect(new Set(Object.values(states))).toEqual(new Set(['denied']));
    const media = await page.evaluate(() =>
      navigator.mediaDevices.getUserMedia({ audio: true }).then(
        () => 'granted',
        (error: Error) => error.name,
      ),
    );
    expect(media).not.toBe('granted');
  });

  it('7: the policy is a response header', async () => {
    const headers = await app.electron.evaluate(
      ({ BrowserWindow }) =>
        new Promise<Record<string, string[]>>((resolve) => {
          const { session } = BrowserWindow.getAllWindows()[0]!.webContents;
          session.webRequest.onHeadersReceived((details, answer) => {
            session.webRequest.onHeadersReceived(null);
            resolve(details.responseHeaders as Record<string, string[]>);
            answer({});
          });
          BrowserWindow.getAllWindows()[0]!.webContents.reload();
        }),
    );
    const byName = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value[0]]));
    expect(byName['content-security-policy']).toBe(CONTENT_SECURITY_POLICY);
    expect(byName['x-content-type-options']).toBe('nosniff');
    expect(byName['cross-origin-opener-policy']).toBe('same-origin');
    await page.locator('textarea').waitFor();
  });

  it('7: inline scripts, eval and connections are refused by it', async () => {
    const tried = await page.evaluate(async () => {
      const violations: string[] = [];
      document.addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective));
      const connected = await fetch('http://127.0.0.1:1/').then(
        () => 'yes',
        () => 'no',
      );
      // Later, by the page itself: the debugger, through which this comes, may evaluate strings.
      const evaluated = await new Promise<string>((resolve) =>
        setTimeout(() => {
          try {
            // oxlint-disable-next-line typescript/no-implied-eval -- that it fails is the test.
            new Function('return 1')();
            resolve('yes');
          } catch {
            resolve('no');
          }
        }),
      );
      const inline = document.createElement('script');
      try {
        inline.text = 'window.inlineScriptRan = true';
        document.body.append(inline);
      } catch {
        // Trusted types refuse it even before the policy does.
      }
      const frame = document.createElement('iframe');
      frame.src = 'https://example.org/';
      document.body.append(frame);
      for (const until = Date.now() + 10_000; violations.length < 2 && Date.now() < until; )
        await new Promise((resolve) => setTimeout(resolve, 20));
      frame.remove();
      return { connected, evaluated, inline: 'inlineScriptRan' in window, violations };
    });
    expect(tried.connected).toBe('no');
    expect(tried.evaluated).toBe('no');
    expect(tried.inline).toBe(false);
    expect(tried.violations).toEqual(expect.arrayContaining(['connect-src', 'frame-src']));
  });

  it('13: the window cannot be led away', async () => {
    for (const address of ['https://example.org/', 'data:text/html,hello', 'app://other/', 'file:///etc/passwd']) {
      await page.evaluate((to) => {
        location.href = to;
      }, address);
      await page.waitForTimeout(100);
      expect(page.url()).toBe('app://headroom/');
    }
    expect(readFileSync(join(app.home, 'logs', 'main.log'), 'utf8')).toContain('held back');
  });

  it('14: no window is opened', async () => {
    const opened = await page.evaluate(() => window.open('https://example.org/') === null);
    expect(opened).toBe(true);
    expect(await app.windows()).toHaveLength(1);
  });

  it('12: a webview is nothing', async () => {
    const attached = await app.electron.evaluate(({ webContents }) => webContents.getAllWebContents().length);
    await page.evaluate(() => {
      const view = document.createElement('webview');
      view.setAttribute('src', 'https://example.org/');
      document.body.append(view);
    });
    await page.waitForTimeout(200);
    expect(await app.electron.evaluate(({ webContents }) => webContents.getAllWebContents().length)).toBe(attached);
  });

  it('15: only https and mail links are handed to the system', async () => {
    await app.electron.evaluate(({ shell }) => {
      (globalThis as { openedLinks?: string[] }).openedLinks = [];
      Object.defineProperty(shell, 'openExternal', {
        value: async (address: string) =>
          void (globalThis as unknown as { openedLinks: string[] }).openedLinks.push(address),
      });
    });
    const answers = await page.evaluate(async () => {
      const { headroom } = window as unknown as {
        headroom: { call(r: string, i: unknown): Promise<{ ok: boolean; error?: { code: string } }> };
      };
      const all = [];
      for (const url of ['https://example.org/a', 'file:///etc/passwd', 'smb://server/x', 'javascript:alert(1)']) {
        const answer = await headroom.call('link.open', { url });
        all.push(answer.ok ? 'opened' : answer.error?.code);
      }
      return all;
    });
    expect(answers).toEqual(['opened', 'refused', 'refused', 'refused']);
    expect(await app.electron.evaluate(() => (globalThis as unknown as { openedLinks: string[] }).openedLinks)).toEqual(
      ['https://example.org/a'],
    );
  });

  it('18: what is not a file of the window does not exist', async () => {
    const codes = await app.electron.evaluate(async ({ BrowserWindow }) => {
      const probe = new BrowserWindow({ show: false });
      const seen: number[] = [];
      probe.webContents.on('did-navigate', (_event, _url, code) => seen.push(code));
      for (const path of [
        '/',
        '/nope',
        '/../package.json',
        '/%2e%2e/%2e%2e/package.json',
        '/assets/../../../package.json',
      ]) {
        await probe.loadURL(`app://headroom${path}`).catch(() => {});
      }
      probe.destroy();
      return seen;
    });
    expect(codes[0]).toBe(200);
    expect(codes.slice(1).every((code) => code === 404)).toBe(true);
    expect(codes.length).toBeGreaterThan(1);
  });

  it('downloads are refused', async () => {
    const started = await app.electron.evaluate(
      ({ BrowserWindow }) =>
        new Promise<string>((resolve) => {
          const { webContents } = BrowserWindow.getAllWindows()[0]!;
          webContents.session.once('will-download', (event) =>
            setImmediate(() => resolve(String(event.defaultPrevented))),
          );
          webContents.downloadURL('data:application/octet-stream,x');
          setTimeout(() => resolve('nothing was to be downloaded'), 10_000);
        }),
    );
    expect(started).toBe('true');
  });

  it('electron-log does not put a preload of its own into the session', async () => {
    const preloads = await app.electron.evaluate(({ session }) => {
      const { defaultSession } = session as unknown as {
        defaultSession: { getPreloads?(): string[]; getPreloadScripts?(): unknown[] };
      };
      return defaultSession.getPreloadScripts?.() ?? defaultSession.getPreloads?.() ?? [];
    });
    expect(preloads).toEqual([]);
  });

  it('3: the preload is one file that needs nothing but electron', () => {
    if (surroundings.kind === 'missing') return;
    const text = readFileSync(join(surroundings.appFolder, 'out', 'preload', 'electron.cjs'), 'utf8');
    const required = [...text.matchAll(/\brequire\(\s*["'`]([^"'`]+)/g)].map((match) => match[1]);
    expect(required).toEqual(['electron']);
    expect(text).not.toMatch(/\bimport\b\s*[({*"']/);
  });
});
