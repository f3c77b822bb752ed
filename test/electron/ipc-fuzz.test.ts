/** Hostile payloads and hostile senders over Electron's real IPC. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fuzzGate } from '../contract/fuzz-suite.ts';
import { prepareSurroundings } from './app-under-test.ts';
import { buildHostileApp } from './build.ts';
import { REPOSITORY } from './electron-at-hand.ts';
import type { Order, Place, Report } from './hostile/main.ts';

/** Beyond this depth a message goes to the page as text. */
const CARRIED_DEPTH = 50;

function isDeep(value: unknown, left = CARRIED_DEPTH): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return left === 0 || Object.values(value).some((inner) => isDeep(inner, left - 1));
}

/** JSON knows no bigint; as text it is just as wrong an input. */
const asJson = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

const surroundings = await prepareSurroundings();

describe.skipIf(surroundings.kind === 'missing')('requests over IPC', () => {
  let child: ChildProcess;
  let userData = '';
  let lastNumber = 0;
  let handled = 0;
  let notCarried = 0;
  const waiting = new Map<number, (report: Report) => void>();

  function ask(place: Place, message: unknown): Promise<unknown> {
    lastNumber += 1;
    const order: Order = isDeep(message)
      ? { number: lastNumber, place, message: null, json: JSON.stringify(message, asJson) }
      : { number: lastNumber, place, message };
    return new Promise((resolve) => {
      waiting.set(order.number, (report) => {
        handled = report.handled;
        resolve(answerOf(report));
      });
      child.send(order);
    });
  }

  /** What Electron itself will not carry (nesting past its limit) never reaches main: as good as refused there. */
  function answerOf({ answer }: Report): unknown {
    if (typeof answer !== 'object' || answer === null || !('notCarried' in answer)) return answer;
    expect(answer.notCarried).toMatch(/could not be cloned|call stack/);
    notCarried += 1;
    return { ok: false, error: { code: 'invalid-input', message: 'not carried', nextStep: 'none' } };
  }

  beforeAll(async () => {
    if (surroundings.kind === 'missing') return;
    const folder = await buildHostileApp(surroundings.electron, join(REPOSITORY, 'out', 'test-electron-hostile'));
    userData = mkdtempSync(join(tmpdir(), 'headroom-hostile-'));
    child = spawn(surroundings.electron.executable, [folder, '--no-sandbox', `--user-data-dir=${userData}`], {
      // Chromium complains at length about the missing desktop.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    });
    const ready = new Promise<void>((resolve, reject) => {
      waiting.set(-1, () => resolve());
      child.once('exit', (code) => reject(new Error(`Electron ended with code ${code}`)));
    });
    child.on('message', (report: Report) => {
      waiting.get(report.number)?.(report);
      waiting.delete(report.number);
    });
    await ready;
  });
  afterAll(async () => {
    if (surroundings.kind === 'missing') return;
    const exit = new Promise((resolve) => child.once('exit', resolve));
    if (child.kill('SIGKILL')) await exit;
    // Its helpers end a moment later and may still write.
    rmSync(userData, { recursive: true, force: true, maxRetries: 20 });
    await surroundings.dispose();
  });

  it('10,000 hostile payloads are answered, and none that is wrong reaches a handler', async () => {
    await fuzzGate({ call: (message) => ask('ours', message), handled: () => handled, carries: 'structured-clone' });
    console.log(`${notCarried} of them were refused by Electron itself`);
    expect(notCarried).toBeLessThan(1_000);
  });

  it('a good request from a frame inside the page, or from another window, is refused', async () => {
    const before = handled;
    for (const place of ['frame', 'other-window'] as const) {
      expect(await ask(place, { route: 'app.state', input: null }), place).toMatchObject({
        ok: false,
        error: { code: 'untrusted-sender' },
      });
    }
    expect(await ask('ours', { route: 'app.state', input: null })).toEqual({ ok: true, value: null });
    expect(handled).toBe(before + 1);
  });

  it('so is one from our own window after it was led to another page', async () => {
    const before = handled;
    expect(await ask('foreign-page', { route: 'app.state', input: null })).toMatchObject({
      ok: false,
      error: { code: 'untrusted-sender' },
    });
    expect(handled).toBe(before);
  });
});
