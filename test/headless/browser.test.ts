/** The link, the session and the walls around them in a real browser, with the window as it was built. */
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelFolder } from '../engine/fixtures.ts';
import { launchChromium, whyNoChromium } from '../ui/chromium.ts';
import { type HeadlessProcess, type Ready, startHeadless } from './headless-process.ts';

describe.skipIf(whyNoChromium() !== null)('in a browser', () => {
  let home: string;
  let host: HeadlessProcess;
  let ready: Ready;
  let browser: Browser;
  let evil: Server;
  let evilUrl: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'headroom-home-'));
    host = startHeadless(home, ['--model', modelFolder]);
    ready = await host.ready();
    browser = await launchChromium();
    evil = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>elsewhere</title>');
    });
    evil.listen(0, '127.0.0.1');
    await once(evil, 'listening');
    evilUrl = `http://127.0.0.1:${(evil.address() as AddressInfo).port}/`;
  });
  afterAll(async () => {
    await browser?.close();
    evil?.close();
    await host?.end();
    await rm(home, { recursive: true, force: true });
  });

  const session = (page: Page) => page.evaluate(() => sessionStorage.getItem('headroom.session'));
  const hasSession = (page: Page) => expect.poll(() => session(page)).toMatch(/^[\w-]{43}$/);

  it('exchanges the link once, survives a reload, keeps nothing in cookies or the address', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(ready.url);
    await hasSession(page);
    const secret = await session(page);
    expect(page.url()).not.toContain('token');
    await page.reload();
    await page.waitForFunction(() => document.readyState === 'complete');
    expect(await session(page)).toBe(secret);
    expect(await context.cookies()).toEqual([]);
    expect(complaints).toEqual([]);

    // Another tab with the same link: used already, and the terminal has a fresh one.
    const second = await context.newPage();
    await second.goto(ready.url);
    await expect.poll(() => /fresh link: (\S+)/.exec(host.stderr())?.[1]).toBeTruthy();
    await expect.poll(() => second.innerText('body')).toContain('Open the newest link');
    expect(await session(second)).toBeNull();
    await second.goto(/fresh link: (\S+)/.exec(host.stderr())?.[1] ?? '');
    await hasSession(second);
    await context.close();
  });

  it('keeps other pages out: no socket, no endpoint, no frame', async () => {
    const page = await browser.newPage();
    await page.goto(evilUrl);
    const { host: address } = new URL(ready.url);
    const tried = await page.evaluate(
      async ({ url, api, key, socketUrl }) => {
        const outcome = (promise: Promise<unknown>) =>
          promise.then(
            () => 'came through',
            () => 'refused',
          );
        return {
          socket: await new Promise((resolve) => {
            const socket = new WebSocket(socketUrl);
            socket.addEventListener('open', () => resolve('came through'));
            socket.addEventListener('error', () => resolve('refused'));
          }),
          models: await outcome(fetch(`${api}/models`, { headers: { authorization: `Bearer ${key}` } })),
          chat: await outcome(fetch(`${api}/chat/completions`, { method: 'POST', body: '{}' })),
          page: await outcome(fetch(url)),
        };
      },
      { url: ready.url, api: ready.api, key: ready.key, socketUrl: `ws://${address}/bridge` },
    );
    expect(tried).toEqual({ socket: 'refused', models: 'refused', chat: 'refused', page: 'refused' });

    const refusal = page.waitForEvent('console', (message) => message.text().includes('frame-ancestors'));
    await page.evaluate((url) => {
      const frame = document.createElement('iframe');
      frame.src = url;
      document.body.append(frame);
    }, ready.url);
    await refusal;
    await page.close();
  });

  it('lets the window connect nowhere but to its own socket', async () => {
    const page = await browser.newPage();
    await page.goto(new URL('/', ready.url).href);
    for (const target of [evilUrl, `${ready.api}/models`, new URL('/', ready.url).href]) {
      const refusal = page.waitForEvent('console', (message) => message.text().includes('connect-src'));
      const outcome = await page.evaluate(
        (url) =>
          fetch(url).then(
            () => 'came through',
            () => 'refused',
          ),
        target,
      );
      expect(outcome).toBe('refused');
      await refusal;
    }
    await page.close();
  });
});
