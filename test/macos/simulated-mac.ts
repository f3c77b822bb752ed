/**
 * The simulated Mac at work: time passes, a scenario's steps happen, commands are answered over a Unix socket, and the
 * app's engine is told of over the same socket.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandName } from '../../main/memory/commands.ts';
import { type Answer, answer } from './answers.ts';
import { advance, type Change, changed, type EngineOnMac, GIB, type Mac } from './model.ts';
import type { Scenario, Step } from './scenarios.ts';
import { createSystemFolder } from './system-folder.ts';

/** One line of JSON each way. `engine` lines get no reply; the connection they come on lives as long as the app. */
export type Message =
  | { readonly kind: 'command'; readonly name: CommandName; readonly args: readonly string[]; readonly isRoot: boolean }
  | { readonly kind: 'engine'; readonly engine: EngineOnMac | null; readonly isGenerating: boolean };

export interface SimulatedMac {
  readonly socketPath: string;
  /** As it is now. */
  mac(): Mac;
  change(change: Change): void;
  /** Lets simulated time pass at once. */
  pass(ms: number): void;
  /** What a command would print, without starting one. */
  answer(name: CommandName, args: readonly string[]): Answer;
  /** Every change as it happens, the scenario's and the commands'. */
  onChange(listener: (change: Change) => void): () => void;
  dispose(): Promise<void>;
}

/** Real milliseconds between looks at what is due. */
const TICK_MS = 100;
/** Above this the model counts as loaded. */
const LOADED_BYTES = 8 * GIB;

export async function startSimulatedMac(scenario: Scenario, { speed = 1 } = {}): Promise<SimulatedMac> {
  const folder = mkdtempSync(join(tmpdir(), 'simulated-mac-'));
  const socketPath = join(folder, 'mac.sock');
  let mac = scenario.mac;
  let lookedAtMs = performance.now();
  let due: readonly Step[] = scenario.steps;
  const reachedAtMs: Partial<Record<Step['after'], number>> = { start: mac.nowMs };
  const system = createSystemFolder(socketPath);
  const listeners = new Set<(change: Change) => void>();
  const sockets = new Set<Socket>();

  function pass(ms: number): void {
    // Not past a step: what it starts begins on time.
    let left = ms;
    for (;;) {
      const next = due
        .map((step) => ({ step, atMs: (reachedAtMs[step.after] ?? Number.POSITIVE_INFINITY) + step.seconds * 1_000 }))
        .sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > mac.nowMs + left) break;
      const spanMs = Math.max(0, next.atMs - mac.nowMs);
      mac = advance(mac, spanMs);
      left -= spanMs;
      due = due.filter((step) => step !== next.step);
      apply(next.step.change);
    }
    mac = advance(mac, left);
  }

  function look(): void {
    const nowMs = performance.now();
    const spanMs = (nowMs - lookedAtMs) * speed;
    lookedAtMs = nowMs;
    pass(spanMs);
  }

  function apply(change: Change): void {
    mac = changed(mac, change);
    system.hear(change);
    for (const listener of listeners) listener(change);
  }

  function hear(engine: EngineOnMac | null, isGenerating: boolean): void {
    look();
    apply({ kind: 'engine', engine });
    if ((engine?.gpuBytes ?? 0) > LOADED_BYTES) reachedAtMs.loaded ??= mac.nowMs;
    if (isGenerating) reachedAtMs.generating ??= mac.nowMs;
  }

  function answerNow(name: CommandName, args: readonly string[], isRoot = false): Answer {
    look();
    const answered = answer(mac, name, args, isRoot);
    for (const change of answered.changes ?? []) apply(change);
    return answered;
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    let isApp = false;
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    socket.on('data', (piece: string) => {
      const lines = `${rest}${piece}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const message = JSON.parse(line) as Message;
        if (message.kind === 'engine') {
          isApp = true;
          hear(message.engine, message.isGenerating);
          continue;
        }
        const answered = answerNow(message.name, message.args, message.isRoot);
        const reply = (given: Answer): void => void socket.end(JSON.stringify(given));
        if (answered.asRoot === undefined) setTimeout(reply, answered.afterMs ?? 0, answered);
        else void system.runAsRoot(answered.asRoot).then(reply);
      }
    });
    socket.on('close', () => {
      sockets.delete(socket);
      // The app is gone, however it went, and its engine with it.
      if (isApp) hear(null, false);
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  const timer = setInterval(look, TICK_MS);

  return {
    socketPath,
    mac: () => {
      look();
      return mac;
    },
    change: (change) => {
      look();
      apply(change);
    },
    pass: (ms) => {
      look();
      pass(ms);
    },
    answer: answerNow,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async dispose() {
      clearInterval(timer);
      listeners.clear();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await system.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
