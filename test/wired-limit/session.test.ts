/** The session on the simulated Mac: the user's ways through it, and a sudden end at every single point. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from '../../main/engine/clock.ts';
import { systemClock } from '../../main/engine/clock.ts';
import type { Commands } from '../../main/memory/commands.ts';
import { Consent } from '../../main/wired-limit/consent.ts';
import { type Elevator, inTurn, osascriptElevator } from '../../main/wired-limit/elevator.ts';
import { type Journal, openJournal } from '../../main/wired-limit/journal.ts';
import type { ModelNeed } from '../../main/wired-limit/plan.ts';
import { type WiredLimit, WATCH_EVERY_MS, openWiredLimit } from '../../main/wired-limit/session.ts';
import type { WiredLimitState } from '../../preload/contract.ts';
import type { Mac } from '../macos/model.ts';
import { scenarios } from '../macos/scenarios.ts';
import { directCommands } from '../macos/simulated-commands.ts';
import { type SimulatedMac, startSimulatedMac } from '../macos/simulated-mac.ts';

const GPT_OSS: ModelNeed = { weightsMiB: 11_516, calibratedPeakMiB: null };

let folder: string;
let mac: SimulatedMac;
const opened: WiredLimit[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wired-limit-'));
});
afterEach(async () => {
  for (const session of opened.splice(0)) await session.dispose();
  await mac.dispose();
  rmSync(folder, { recursive: true });
});

const setUp = async (change: Partial<Mac> = {}): Promise<void> => {
  const { story, steps } = scenarios['fits-after-a-raise'];
  mac = await startSimulatedMac({ story, steps, mac: { ...scenarios['fits-after-a-raise'].mac, ...change } });
};

interface Options {
  readonly journal?: Journal;
  readonly commands?: Commands;
  readonly elevator?: Elevator;
  readonly clock?: Clock;
  readonly hasScreen?: boolean;
  readonly onEngine?: (what: 'unload' | 'start') => void;
}

async function open(options: Options = {}): Promise<{ session: WiredLimit; seen: WiredLimitState[] }> {
  const commands = options.commands ?? directCommands(mac);
  const scripting = osascriptElevator({ commands, hasScreen: () => options.hasScreen ?? true, isAdmin: () => true });
  const session = await openWiredLimit({
    commands,
    journal: options.journal ?? openJournal(join(folder, 'wired-limit.json')),
    elevator: options.elevator ?? inTurn([scripting]),
    clock: options.clock ?? systemClock,
    log: () => {},
    need: () => GPT_OSS,
    askMetal: () => Promise.resolve(null),
    hasScreen: () => options.hasScreen ?? true,
    engineActiveMiB: () => 0,
    ownProcessesMiB: () => 0,
    unloadEngine: () => {
      options.onEngine?.('unload');
      return Promise.resolve();
    },
    startEngine: () => options.onEngine?.('start'),
  });
  opened.push(session);
  const seen: WiredLimitState[] = [session.state];
  session.subscribe((state) => seen.push(state));
  return { session, seen };
}

function untilKind(session: WiredLimit, ...kinds: WiredLimitState['kind'][]): Promise<WiredLimitState> {
  if (kinds.includes(session.state.kind)) return Promise.resolve(session.state);
  return new Promise((resolve) => {
    const stop = session.subscribe((state) => {
      if (!kinds.includes(state.kind)) return;
      stop();
      resolve(state);
    });
  });
}

const limitMiB = (): number => mac.mac().wiredLimitMiB;
const click = (): Consent => Consent.ofClick();

test('a start asks, the click raises, the engine starts; one click puts everything back', async () => {
  await setUp();
  const engine: string[] = [];
  const { session, seen } = await open({ onEngine: (what) => engine.push(what) });
  expect(await session.prepare('window', GPT_OSS)).toMatchObject({
    cause: { code: 'wired-limit-needed' },
    retry: false,
  });
  expect(session.state).toMatchObject({
    kind: 'asking',
    askedBy: 'window',
    plan: { needMiB: 12_800, verdict: { kind: 'raise', choices: [{ limitMiB: 12_800 }, { limitMiB: 13_312 }] } },
  });
  expect(limitMiB()).toBe(0);

  await session.raise(click(), { limitMiB: 12_800, by: 'prompt' });
  await untilKind(session, 'raised');
  expect(limitMiB()).toBe(12_800);
  expect(engine).toEqual(['start']);
  expect(await session.prepare('window', GPT_OSS)).toBeNull();

  session.restore(click(), 'prompt');
  await untilKind(session, 'idle');
  expect(limitMiB()).toBe(0);
  expect(engine).toEqual(['start', 'unload']);
  expect(openJournal(join(folder, 'wired-limit.json')).read()).toEqual({ kind: 'none' });
  expect(seen.map(({ kind }) => kind)).toEqual([
    'idle',
    'asking',
    'raising',
    'verifying',
    'raised',
    'restoring',
    'verifying',
    'idle',
  ]);
});

test('what the endpoint needs becomes a question, never a dialog', async () => {
  await setUp();
  const commands = directCommands(mac);
  const asked: string[] = [];
  const { session } = await open({
    commands: {
      run: (name, args, options) => {
        asked.push(name);
        return commands.run(name, args, options);
      },
    },
  });
  for (let i = 0; i < 3; i += 1) await session.prepare('endpoint', GPT_OSS);
  expect(session.state).toMatchObject({ kind: 'asking', askedBy: 'endpoint' });
  expect(asked).not.toContain('osascript');
});

test('a click counts once', async () => {
  await setUp();
  const { session } = await open();
  const consent = click();
  await session.raise(consent, { limitMiB: 12_800, by: 'prompt' });
  await untilKind(session, 'raised');
  await expect(session.raise(consent, { limitMiB: 13_312, by: 'prompt' })).rejects.toMatchObject({ code: 'refused' });
  expect(() => session.restore(consent, 'prompt')).toThrow(/click/);
});

describe('what the user or macOS says', () => {
  test.each([
    ['cancelled', 'wired-limit-cancelled'],
    ['wrong-password', 'wired-limit-wrong-password'],
    ['sysctl-refuses', 'wired-limit-refused'],
  ] as const)('%s: words, the value as it was, and the next try works', async (prompt, code) => {
    await setUp({ prompt });
    const { session } = await open();
    await session.prepare('window', GPT_OSS);
    await session.raise(click(), { limitMiB: 12_800, by: 'prompt' });
    expect(await untilKind(session, 'trouble')).toMatchObject({
      cause: { code },
      settingMiB: 0,
      originalMiB: null,
      command: 'sudo /usr/sbin/sysctl -w iogpu.wired_limit_mb=12800',
    });
    mac.change({ kind: 'prompt', prompt: 'allowed' });
    await session.raise(click(), { limitMiB: 12_800, by: 'prompt' });
    await untilKind(session, 'raised');
  });

  test('a cancelled restore leaves the way back', async () => {
    await setUp();
    const { session } = await open();
    await session.raise(click(), { limitMiB: 12_800, by: 'prompt' });
    await untilKind(session, 'raised');
    mac.change({ kind: 'prompt', prompt: 'cancelled' });
    session.restore(click(), 'prompt');
    expect(await untilKind(session, 'trouble')).toMatchObject({ settingMiB: 12_800, originalMiB: 0 });
    mac.change({ kind: 'prompt', prompt: 'allowed' });
    session.restore(click(), 'prompt');
    await untilKind(session, 'idle');
    expect(limitMiB()).toBe(0);
  });

  test.each([
    [8_000, 'half'],
    [14_000, '85 %'],
    [12_800.5, 'whole number'],
  ])('%d MiB is refused before anything happens', async (wanted, words) => {
    await setUp();
    const { session } = await open();
    await expect(session.raise(click(), { limitMiB: wanted, by: 'prompt' })).rejects.toThrow(words);
    expect(session.state.kind).toBe('idle');
  });
});

describe('by hand', () => {
  /** Time that passes when told to. */
  function handClock(): { clock: Clock; tick(): void; delays: number[] } {
    const waiting = new Set<() => void>();
    const delays: number[] = [];
    return {
      delays,
      clock: {
        nowMs: () => Date.now(),
        after(delayMs, callback) {
          delays.push(delayMs);
          waiting.add(callback);
          return () => waiting.delete(callback);
        },
      },
      tick: () => {
        for (const callback of [...waiting]) {
          waiting.delete(callback);
          callback();
        }
      },
    };
  }

  test('the command is shown, the value is watched every two seconds until it is there', async () => {
    await setUp();
    const hand = handClock();
    const { session } = await open({ clock: hand.clock, hasScreen: false });
    await session.prepare('window', GPT_OSS);
    await session.raise(click(), { limitMiB: 12_800, by: 'myself' });
    for (let looks = 1; looks <= 3; looks += 1) {
      await expect.poll(() => hand.delays.length).toBe(looks);
      expect(session.state).toMatchObject({
        kind: 'raising',
        by: 'myself',
        command: 'sudo /usr/sbin/sysctl -w iogpu.wired_limit_mb=12800',
      });
      if (looks === 3) mac.change({ kind: 'set-limit', limitMiB: 12_800 });
      hand.tick();
    }
    expect(await untilKind(session, 'raised')).toMatchObject({ settingMiB: 12_800, originalMiB: 0 });
    expect(new Set(hand.delays)).toEqual(new Set([WATCH_EVERY_MS]));
  });

  test('no longer wanted, nobody watches', async () => {
    await setUp();
    const hand = handClock();
    const { session } = await open({ clock: hand.clock });
    await session.raise(click(), { limitMiB: 12_800, by: 'myself' });
    await expect.poll(() => hand.delays.length).toBe(1);
    session.cancel();
    expect(await untilKind(session, 'trouble')).toMatchObject({ cause: { code: 'wired-limit-cancelled' } });
  });

  test('a higher value, set by hand, is the user’s choice: noted as ours, and put back like ours', async () => {
    await setUp();
    const hand = handClock();
    const engine: string[] = [];
    const { session } = await open({ clock: hand.clock, onEngine: (what) => engine.push(what) });
    await session.prepare('endpoint', GPT_OSS);
    expect(await session.watchByHand()).toBe('sudo /usr/sbin/sysctl -w iogpu.wired_limit_mb=12800');
    await expect.poll(() => hand.delays.length).toBe(1);
    mac.change({ kind: 'set-limit', limitMiB: 13_312 });
    hand.tick();
    expect(await untilKind(session, 'raised')).toMatchObject({ settingMiB: 13_312, originalMiB: 0 });
    expect(engine).toEqual(['start']);
    // Also for who comes after a crash.
    const { session: next } = await open();
    expect(next.state).toMatchObject({ kind: 'raised', settingMiB: 13_312, originalMiB: 0, fromEarlierRun: true });
  });

  test('a lower value, set by hand, is said; the next try still starts the model', async () => {
    await setUp();
    const hand = handClock();
    const engine: string[] = [];
    const { session } = await open({ clock: hand.clock, onEngine: (what) => engine.push(what) });
    await session.prepare('endpoint', GPT_OSS);
    await session.watchByHand();
    await expect.poll(() => hand.delays.length).toBe(1);
    mac.change({ kind: 'set-limit', limitMiB: 12_000 });
    hand.tick();
    expect(await untilKind(session, 'trouble')).toMatchObject({
      settingMiB: 12_000,
      cause: { code: 'wired-limit-changed-meanwhile', message: expect.stringContaining('12,000 MiB') },
    });
    expect(await session.watchByHand()).toContain('=12800');
    await expect.poll(() => hand.delays.length).toBe(2);
    mac.change({ kind: 'set-limit', limitMiB: 12_800 });
    hand.tick();
    await untilKind(session, 'raised');
    expect(engine).toEqual(['start']);
  });

  test('with nothing wanted there is nothing to watch for', async () => {
    await setUp();
    const { session } = await open();
    expect(await session.watchByHand()).toBeNull();
    expect(session.state.kind).toBe('idle');
  });

  test('over SSH the refusal of a start carries the command', async () => {
    await setUp();
    const { session } = await open({ hasScreen: false });
    expect((await session.prepare('endpoint', GPT_OSS))?.cause.nextStep).toContain(
      '“sudo /usr/sbin/sysctl -w iogpu.wired_limit_mb=12800”',
    );
    await session.watchByHand();
    expect((await session.prepare('endpoint', GPT_OSS))?.cause).toMatchObject({
      code: 'wired-limit-being-changed',
      nextStep: expect.stringContaining('“sudo /usr/sbin/sysctl -w iogpu.wired_limit_mb=12800”'),
    });
  });

  test('over SSH no dialog is tried: the command is there to be run', async () => {
    await setUp();
    const { session } = await open({ hasScreen: false });
    await session.raise(click(), { limitMiB: 12_800, by: 'prompt' });
    expect(await untilKind(session, 'trouble')).toMatchObject({
      cause: { code: 'wired-limit-unavailable' },
      command: 'sudo /usr/sbin/sysctl -w iogpu.wired_limit_mb=12800',
    });
  });
});

test('macOS 13: nothing is changed, and the reason is said before the model is tried', async () => {
  await setUp({ version: '13.5', build: '22G74' });
  const { session } = await open();
  expect(session.state).toEqual({ kind: 'not-needed', why: 'MLX needs macOS 14 or newer' });
  expect(await session.prepare('window', GPT_OSS)).toMatchObject({
    cause: { code: 'macos-too-old', message: expect.stringContaining('debug.iogpu.wired_limit') },
  });
  await expect(session.raise(click(), { limitMiB: 12_800, by: 'prompt' })).rejects.toMatchObject({ code: 'refused' });
});

test('starting without a raise: once, by a click, and only where the weights fit', async () => {
  await setUp({ version: '26.5.1', build: '25F80' });
  const engine: string[] = [];
  const { session } = await open({ onEngine: (what) => engine.push(what) });
  expect(() => session.startAnyway(click())).toThrow('do not fit');
  await session.prepare('window', GPT_OSS);
  session.startAnyway(click());
  expect(engine).toEqual(['start']);
  expect(session.state.kind).toBe('idle');
  expect(await session.prepare('window', GPT_OSS)).toBeNull();
  expect(await session.prepare('window', GPT_OSS)).toMatchObject({ cause: { code: 'wired-limit-needed' } });
});

describe('other tools', () => {
  test('a value that does is left alone', async () => {
    await setUp({ wiredLimitMiB: 14_000 });
    const { session } = await open();
    expect(await session.prepare('window', GPT_OSS)).toBeNull();
    expect((await session.plan())?.verdict).toEqual({ kind: 'respected-other-tool', aboveMost: true });
    await expect(session.raise(click(), { limitMiB: 12_800, by: 'prompt' })).rejects.toThrow('higher already');
  });

  test('a value that does not is what is put back', async () => {
    await setUp({ wiredLimitMiB: 9_000 });
    const { session } = await open();
    await session.raise(click(), { limitMiB: 12_800, by: 'prompt' });
    expect(await untilKind(session, 'raised')).toMatchObject({ originalMiB: 9_000 });
    session.restore(click(), 'prompt');
    await untilKind(session, 'idle');
    expect(limitMiB()).toBe(9_000);
  });

  test('one that changes our value meanwhile is noticed at the next start', async () => {
    await setUp();
    const { session } = await open();
    await session.raise(click(), { limitMiB: 12_800, by: 'prompt' });
    await untilKind(session, 'raised');
    mac.change({ kind: 'set-limit', limitMiB: 13_000 });
    expect(await session.prepare('window', GPT_OSS)).toBeNull();
    expect(session.state).toMatchObject({ kind: 'trouble', settingMiB: 13_000, originalMiB: 0 });
    session.cancel();
    expect(session.state).toMatchObject({ kind: 'idle', note: { code: 'kept-other-value' } });
  });
});

describe('the next run', () => {
  test('finds the limit raised and offers the way back', async () => {
    await setUp();
    const { session } = await open();
    await session.raise(click(), { limitMiB: 12_800, by: 'prompt' });
    await untilKind(session, 'raised');
    await session.dispose();
    expect(limitMiB()).toBe(12_800);
    const next = await open();
    expect(next.session.state).toEqual({ kind: 'raised', settingMiB: 12_800, originalMiB: 0, fromEarlierRun: true });
    expect(await next.session.prepare('window', GPT_OSS)).toBeNull();
  });

  test('after a reboot says that it is reset, once, and asks nothing', async () => {
    await setUp();
    const { session } = await open();
    await session.raise(click(), { limitMiB: 12_800, by: 'prompt' });
    await untilKind(session, 'raised');
    mac.change({ kind: 'reboot' });
    expect((await open()).session.state).toMatchObject({ kind: 'idle', note: { code: 'reset-by-reboot' } });
    expect((await open()).session.state).toEqual({ kind: 'idle', settingMiB: 0, note: null });
  });
});

test('a reading that was taken before a change and comes after it changes nothing', async () => {
  await setUp();
  const commands = directCommands(mac);
  let holdNext = false;
  let release = (): void => {};
  const { session } = await open({
    commands: {
      run: async (name, args) => {
        const answer = await commands.run(name, args);
        if (holdNext && name === 'sysctl') {
          holdNext = false;
          await new Promise<void>((resolve) => (release = resolve));
        }
        return answer;
      },
    },
  });
  await session.prepare('window', GPT_OSS);
  session.cancel();
  holdNext = true;
  const late = session.plan();
  await session.raise(click(), { limitMiB: 12_800, by: 'prompt' });
  await untilKind(session, 'raised');
  release();
  await late;
  expect(session.state).toMatchObject({ kind: 'raised', settingMiB: 12_800, originalMiB: 0 });
  expect(openJournal(join(folder, 'wired-limit.json')).read()).toMatchObject({ kind: 'entry' });
});

test('a password typed after the app has died is noticed, and undone', async () => {
  await setUp();
  const stuck: Elevator = { setLimitMiB: () => new Promise(() => {}) };
  const { session } = await open({ elevator: stuck });
  await session.raise(click(), { limitMiB: 12_800, by: 'prompt' });
  await expect.poll(() => openJournal(join(folder, 'wired-limit.json')).read().kind).toBe('entry');
  opened.splice(0);

  const next = (await open()).session;
  expect(next.state).toEqual({ kind: 'idle', settingMiB: 0, note: null });
  await next.plan();
  mac.change({ kind: 'set-limit', limitMiB: 12_800 });
  await next.plan();
  expect(next.state).toMatchObject({ kind: 'raised', settingMiB: 12_800, originalMiB: 0 });
  next.restore(click(), 'prompt');
  await untilKind(next, 'idle');
  expect(limitMiB()).toBe(0);
});

test('an old journal that came to nothing says nothing about another tool’s value', async () => {
  await setUp();
  const stuck: Elevator = { setLimitMiB: () => new Promise(() => {}) };
  const { session } = await open({ elevator: stuck });
  await session.raise(click(), { limitMiB: 12_800, by: 'prompt' });
  await expect.poll(() => openJournal(join(folder, 'wired-limit.json')).read().kind).toBe('entry');
  opened.splice(0);
  expect((await open()).session.state.kind).toBe('idle');
  mac.change({ kind: 'set-limit', limitMiB: 9_000 });
  expect((await open()).session.state).toEqual({ kind: 'idle', settingMiB: 9_000, note: null });
  expect(openJournal(join(folder, 'wired-limit.json')).read()).toEqual({ kind: 'none' });
});

test('a quit with a dialog open takes it away and keeps the journal', async () => {
  await setUp();
  const hanging: Elevator = {
    setLimitMiB: (_, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve({ kind: 'cancelled' }))),
  };
  const { session } = await open({ elevator: hanging });
  await session.raise(click(), { limitMiB: 12_800, by: 'prompt' });
  await expect.poll(() => openJournal(join(folder, 'wired-limit.json')).read().kind).toBe('entry');
  await session.dispose();
  expect(openJournal(join(folder, 'wired-limit.json')).read()).toMatchObject({ kind: 'entry' });
});

/**
 * The app dies at its n-th touch of the world, before or after that touch has had its effect, for every n: what it
 * would have done later never happens. The next run must always find the way to the original.
 */
describe('a sudden end at every point of raise, raise again, and restore', () => {
  class Death {
    #left: number;
    readonly #afterwards: boolean;
    isDead = false;
    constructor(touches: number, afterwards: boolean) {
      this.#left = touches;
      this.#afterwards = afterwards;
    }
    /** Never settles once dead. */
    async touch<T>(act: () => T | Promise<T>): Promise<T> {
      return this.touchNow<T | Promise<T>>(act);
    }
    touchNow<T>(act: () => T): T {
      if (this.isDead) return new Promise(() => {}) as T;
      this.#left -= 1;
      if (this.#left > 0) return act();
      this.isDead = true;
      if (this.#afterwards) act();
      return new Promise(() => {}) as T;
    }
  }

  class Killed extends Error {}

  async function cycle(death: Death, originalMiB: number): Promise<'died' | 'whole'> {
    const commands = directCommands(mac);
    const real = openJournal(join(folder, 'wired-limit.json'));
    /** The file system's calls cannot hang, so a dead app's throw, and nothing of it is heard any more. */
    const dying = <T>(act: () => T): T => {
      death.touchNow(act);
      if (death.isDead) throw new Killed();
      return undefined as T;
    };
    const journal: Journal = {
      read: () => {
        if (death.isDead) throw new Killed();
        return real.read();
      },
      write: (entry) => dying(() => real.write(entry)),
      clear: () => dying(() => real.clear()),
    };
    const work = (async (): Promise<'whole'> => {
      const { session } = await open({
        journal,
        commands: { run: (name, args) => death.touch(() => commands.run(name, args)) },
      });
      await session.prepare('window', GPT_OSS);
      await session.raise(click(), { limitMiB: 12_800, by: 'prompt' });
      await untilKind(session, 'raised');
      await session.raise(click(), { limitMiB: 13_312, by: 'prompt' });
      await untilKind(session, 'raising');
      await untilKind(session, 'raised');
      expect(limitMiB()).toBe(13_312);
      session.restore(click(), 'prompt');
      await untilKind(session, 'idle');
      expect(limitMiB()).toBe(originalMiB);
      return 'whole';
    })();
    const died = (async (): Promise<'died'> => {
      while (!death.isDead) await new Promise((resolve) => setImmediate(resolve));
      // What was on its way when the end came has its turn.
      for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve));
      return 'died';
    })();
    const outcome = await Promise.race([work, died]);
    death.isDead = true;
    work.catch(() => {});
    // A dead app cannot be disposed of.
    opened.splice(0);
    return outcome;
  }

  test.each([
    [0, false],
    [0, true],
    [9_000, false],
    [9_000, true],
  ])('original %d MiB, touch done: %s', async (originalMiB, afterwards) => {
    await setUp({ wiredLimitMiB: originalMiB });
    const valuesAtDeath = new Set<number>();
    let points = 0;
    for (; points < 200; points += 1) {
      const outcome = await cycle(new Death(points + 1, afterwards), originalMiB);
      valuesAtDeath.add(limitMiB());
      const { session } = await open();
      const { state } = session;
      const where = `point ${points}: ${JSON.stringify(state)}, limit ${limitMiB()}`;
      if (limitMiB() === originalMiB) {
        expect(state, where).toMatchObject({ kind: 'idle', settingMiB: originalMiB });
      } else {
        expect(state, where).toMatchObject({ kind: 'raised', originalMiB, fromEarlierRun: true });
        session.restore(click(), 'prompt');
        await untilKind(session, 'idle');
        expect(openJournal(join(folder, 'wired-limit.json')).read(), where).toEqual({ kind: 'none' });
      }
      expect(limitMiB(), where).toBe(originalMiB);
      if (outcome === 'whole') break;
    }
    // The cycle must have got through in the end, and have been cut with every value in force.
    expect(points).toBeGreaterThan(20);
    expect(points).toBeLessThan(200);
    expect([...valuesAtDeath].sort((a, b) => a - b)).toEqual([originalMiB, 12_800, 13_312]);
    console.log(`${points} points, all led back to ${originalMiB}`);
  });
});
