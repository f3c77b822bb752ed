/** However the app ends, nothing of it is left, and nothing that was acknowledged is lost. */
import { mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AppState, Conversation, Result, RouteOutput } from '../../preload/contract.ts';
import { modelFolder } from '../engine/fixtures.ts';
import { type AppUnderTest, launchApp, prepareSurroundings } from './app-under-test.ts';
import { leftAfter } from './process-tree.ts';

const surroundings = await prepareSurroundings();

/** How long the engine may outlive an app that was killed. */
const ORPHAN_DEADLINE_MS = 5_000;

describe.skipIf(surroundings.kind === 'missing')('ending', () => {
  let app: AppUnderTest | null = null;
  let home = '';
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'headroom-ending-'));
  });

  async function launch(): Promise<AppUnderTest> {
    if (surroundings.kind === 'missing') throw new Error(surroundings.reason);
    app = await launchApp(surroundings, { home, modelFolder });
    await app.page();
    return app;
  }

  async function call<T>(from: AppUnderTest, route: string, input: unknown): Promise<T> {
    const page = await from.page();
    const result = await page.evaluate(
      ([name, given]) =>
        (window as unknown as { headroom: { call(r: unknown, i: unknown): Promise<Result<unknown>> } }).headroom.call(
          name,
          given,
        ),
      [route, input] as const,
    );
    if (!result.ok) throw new Error(result.error.message);
    return result.value as T;
  }

  async function withEngine(): Promise<AppUnderTest> {
    const running = await launch();
    await call(running, 'engine.start', null);
    await expect
      .poll(async () => (await call<AppState>(running, 'app.state', null)).engine.kind, { timeout: 60_000 })
      .toBe('ready');
    return running;
  }

  async function exited(running: AppUnderTest, end: () => unknown): Promise<number | null> {
    const { process: child } = running;
    const exit = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    await end();
    return exit;
  }

  afterEach(async () => {
    await app?.dispose({ keepHome: true });
    app = null;
  });
  afterAll(async () => {
    rmSync(home, { recursive: true, force: true });
    if (surroundings.kind === 'ready') await surroundings.dispose();
  });

  it('Quit in the menu ends the engine too, with exit code 0', async () => {
    const running = await withEngine();
    const tree = running.tree();
    expect(tree.some(({ command }) => command.includes('headroom_engine'))).toBe(true);
    // The connection breaks while the answer is still on its way.
    const code = await exited(running, () => running.chooseFromTray('quit').catch(() => {}));
    expect(code).toBe(0);
    expect(await leftAfter(tree, 1_000)).toEqual([]);
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s likewise', async (signal) => {
    const running = await withEngine();
    const tree = running.tree();
    const code = await exited(running, () => running.process.kill(signal));
    expect(code).toBe(0);
    expect(await leftAfter(tree, 1_000)).toEqual([]);
  });

  it('SIGKILL in the middle of an answer: no engine after 5 s, the messages are there, the answer is interrupted', async () => {
    const running = await withEngine();
    const turn = await call<RouteOutput<'chat.send'>>(running, 'chat.send', {
      conversationId: null,
      text: 'Write something very long about memory.',
      effort: 'low',
    });
    const tree = running.tree();
    await exited(running, () => running.process.kill('SIGKILL'));
    // Nobody else will take away what Chromium had beside its data.
    const chromiumFolder = dirname(readlinkSync(join(home, 'window', 'SingletonSocket')));
    const left = await leftAfter(tree, ORPHAN_DEADLINE_MS);
    expect(left.filter(({ command }) => command.includes('headroom_engine'))).toEqual([]);
    expect(left).toEqual([]);

    const again = await launch();
    rmSync(chromiumFolder, { recursive: true });
    const conversation = await call<Conversation>(again, 'chat.open', { conversationId: turn.conversation.id });
    expect(conversation.messages).toMatchObject([
      { role: 'user', text: 'Write something very long about memory.' },
      { role: 'assistant', status: { kind: 'interrupted' } },
    ]);
  });
});
