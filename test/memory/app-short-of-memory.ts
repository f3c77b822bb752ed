/** The whole app with the real engine on a simulated Mac, and what it says about memory. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AssistantMessage, EngineState, ProtectionState } from '../../preload/contract.ts';
import { type NodeWindow, openNodeWindow } from '../headless/node-window.ts';
import { type AppOnMac, type ReadyLine, startAppOnMac } from '../macos/running-app.ts';
import type { Scenario } from '../macos/scenarios.ts';
import { type SimulatedMac, startSimulatedMac } from '../macos/simulated-mac.ts';

export interface AppShortOfMemory {
  readonly mac: SimulatedMac;
  readonly app: AppOnMac;
  readonly window: NodeWindow;
  readonly ready: ReadyLine;
  /** Every step of protection since the beginning. */
  readonly steps: ProtectionState[];
  /** Resolves with the first step of this kind, past ones included. */
  step<K extends ProtectionState['kind']>(kind: K, withinMs?: number): Promise<Extract<ProtectionState, { kind: K }>>;
  engineBecomes(kind: EngineState['kind'], withinMs?: number): Promise<EngineState>;
  /** Sends, and resolves with the answer's id and its final message. */
  ask(
    text: string,
    conversationId?: string | null,
  ): Promise<{ readonly id: string; readonly conversation: string; readonly final: Promise<AssistantMessage> }>;
  log(): string;
  finish(): Promise<void>;
}

export async function appShortOfMemory(
  scenario: Scenario,
  environment: Readonly<Record<string, string>> = {},
): Promise<AppShortOfMemory> {
  const home = mkdtempSync(join(tmpdir(), 'headroom-short-'));
  const mac = await startSimulatedMac(scenario);
  const app = startAppOnMac(mac.socketPath, home, [], environment);
  const ready = await app.ready;
  const window = openNodeWindow(ready.url);
  const steps: ProtectionState[] = [];
  const finals = new Map<string, AssistantMessage>();
  const waiting = new Set<() => void>();
  const look = (): void => {
    for (const each of [...waiting]) each();
  };
  let engine = (await window.call('app.state', null)).engine;
  window.bridge.on('protection.state', (state) => {
    steps.push(state);
    look();
  });
  window.bridge.on('engine.state', (state) => {
    engine = state;
    look();
  });
  window.bridge.on('chat.message', (message) => {
    if (message.role !== 'assistant' || message.status.kind === 'queued') return;
    finals.set(message.id, message);
    look();
  });
  const log = (): string => readFileSync(join(home, 'logs', 'main.log'), 'utf8');

  function when<T>(what: string, find: () => T | undefined, withinMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = find();
        if (found === undefined) return;
        clearTimeout(timer);
        waiting.delete(check);
        resolve(found);
      };
      const timer = setTimeout(() => {
        waiting.delete(check);
        reject(new Error(`never ${what}: ${JSON.stringify({ engine, steps })}`));
      }, withinMs);
      waiting.add(check);
      check();
    });
  }

  return {
    mac,
    app,
    window,
    ready,
    steps,
    step: (kind, withinMs = 40_000) =>
      when(
        kind,
        () => steps.find((state): state is Extract<ProtectionState, { kind: typeof kind }> => state.kind === kind),
        withinMs,
      ),
    engineBecomes: (kind, withinMs = 40_000) => when(kind, () => (engine.kind === kind ? engine : undefined), withinMs),
    async ask(text, conversationId = null) {
      const turn = await window.call('chat.send', { conversationId, text, effort: 'low' });
      const { id } = turn.assistant;
      return { id, conversation: turn.conversation.id, final: when(`answered: ${text}`, () => finals.get(id), 60_000) };
    },
    log,
    async finish() {
      window.close();
      await app.end('SIGTERM');
      await mac.dispose();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
