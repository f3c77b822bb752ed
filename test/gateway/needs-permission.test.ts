/** A program asks for a model that needs the limit raised: only a click may do that, and the program is told so. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { openNodeWindow } from '../headless/node-window.ts';
import { startAppOnMac } from '../macos/running-app.ts';
import { scenarios } from '../macos/scenarios.ts';
import { startSimulatedMac } from '../macos/simulated-mac.ts';

const endings: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

it('answers 503 needs_permission, asks in the window, and is answered after the click', async () => {
  const home = mkdtempSync(join(tmpdir(), 'headroom-permission-'));
  endings.push(() => rmSync(home, { recursive: true, force: true }));
  const mac = await startSimulatedMac(scenarios['fits-after-a-raise']);
  endings.push(() => mac.dispose());
  const app = startAppOnMac(mac.socketPath, home);
  endings.push(() => app.end('SIGTERM'));
  const ready = await app.ready;
  const window = openNodeWindow(ready.url);
  endings.push(() => window.close());
  const ask = (): Promise<Response> =>
    fetch(`${ready.api}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ready.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }], max_tokens: 20 }),
    });

  const refused = await ask();
  const { error } = (await refused.json()) as { error: { code: string; message: string } };
  expect([refused.status, error.code, refused.headers.get('retry-after')]).toEqual([503, 'needs_permission', '60']);
  expect(error.message).toMatch(/MiB/);
  expect(mac.mac().wiredLimitMiB).toBe(0);
  const { state, plan } = await window.call('wiredLimit.plan', null);
  // This is what the menu bar tells its user.
  expect(state).toMatchObject({ kind: 'asking', askedBy: 'endpoint' });

  const wantedMiB = plan?.verdict.kind === 'raise' ? plan.verdict.toMiB : 0;
  await window.call('wiredLimit.raise', { limitMiB: wantedMiB, by: 'prompt' });
  await expect
    .poll(async () => (await window.call('app.state', null)).engine.kind, { timeout: 60_000 })
    .toMatch(/ready|busy/);
  expect((await ask()).status).toBe(200);
});
