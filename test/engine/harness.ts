/**
 * An engine under test that cannot leave anything behind unnoticed: processes, socket folders and timers are counted,
 * and `finish` fails when one is left.
 */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Clock, systemClock } from '../../main/engine/clock.ts';
import type {
  CacheOperations,
  Engine,
  EngineModel,
  GenerationEvent,
  GenerationRequest,
} from '../../main/engine/engine.ts';
import { makeSocketFolder } from '../../main/engine/socket-folder.ts';
import { type ChildExit, type Spawner, terminalSpawner } from '../../main/engine/spawner.ts';
import { type SupervisorPorts, createSupervisor } from '../../main/engine/supervisor.ts';
import type { EngineState } from '../../preload/contract.ts';
import type { Behaviour } from './children/scripted-engine.ts';

interface SpawnedProcess {
  readonly pid: number;
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  exit: ChildExit | null;
}

export interface EngineUnderTest {
  readonly engine: Engine & CacheOperations;
  /** Every state since the beginning, as the app saw it. */
  readonly states: EngineState[];
  readonly processes: SpawnedProcess[];
  readonly logged: string[];
  /** A model folder that passes the supervisor's own checks. */
  readonly model: EngineModel;
  /** Resolves when the state is of this kind, now or later. */
  reaches(kind: EngineState['kind'], withinMs?: number): Promise<EngineState>;
  /** Disposes, then fails if anything is left. */
  finish(): Promise<void>;
}

export interface Setup extends Partial<SupervisorPorts> {
  /** Time runs this many times faster for the supervisor. */
  readonly speed?: number;
}

export const scripted =
  (behaviour: Behaviour): SupervisorPorts['command'] =>
  (model, socketPath) => ({
    file: process.execPath,
    args: [
      join(import.meta.dirname, 'children', 'scripted-engine.ts'),
      '--model',
      model.folder,
      '--socket',
      socketPath,
      '--behaviour',
      behaviour,
    ],
  });

export function engineUnderTest(
  command: SupervisorPorts['command'],
  modelFolder: string,
  { speed = 1, ...ports }: Setup = {},
): EngineUnderTest {
  const folder = mkdtempSync(join(tmpdir(), 'hr-'));
  const sockets = join(folder, 's');
  const cacheFolder = join(folder, 'cache');
  mkdirSync(sockets);
  mkdirSync(cacheFolder);
  const processes: SpawnedProcess[] = [];
  const logged: string[] = [];
  const states: EngineState[] = [];
  const timers = new Set<object>();

  const spawner: Spawner = {
    spawn(childCommand, handlers) {
      const child = terminalSpawner.spawn(childCommand, {
        ...handlers,
        onExit: (exit) => {
          record.exit = exit;
          handlers.onExit(exit);
        },
      });
      const record: SpawnedProcess = { pid: child.pid, env: childCommand.env, args: childCommand.args, exit: null };
      processes.push(record);
      return child;
    },
  };
  const startedMs = Date.now();
  const clock: Clock = {
    nowMs: () => startedMs + (Date.now() - startedMs) * speed,
    after(delayMs, callback) {
      const timer = {};
      timers.add(timer);
      const cancel = systemClock.after(delayMs / speed, () => {
        timers.delete(timer);
        callback();
      });
      return () => {
        timers.delete(timer);
        cancel();
      };
    },
  };
  const engine = createSupervisor({
    spawner,
    clock,
    command,
    cacheFolder,
    log: (level, message) => logged.push(`${level} ${message}`),
    makeSocketFolder: () => makeSocketFolder(sockets),
    ...ports,
  });
  engine.subscribe((state) => states.push(state));

  return {
    engine,
    states,
    processes,
    logged,
    model: { folder: modelFolder, name: 'test' },
    reaches: (kind, withinMs = 30_000) =>
      new Promise((resolve, reject) => {
        const look = (): boolean => {
          if (engine.state.kind !== kind) return false;
          clearTimeout(timer);
          unsubscribe();
          resolve(engine.state);
          return true;
        };
        const timer = setTimeout(() => {
          unsubscribe();
          reject(new Error(`never ${kind}: ${JSON.stringify(states)}\n${logged.join('\n')}`));
        }, withinMs);
        const unsubscribe = engine.subscribe(look);
        look();
      }),
    async finish() {
      try {
        await engine.dispose();
        expect(processes.filter((child) => isAlive(child.pid) || child.exit === null)).toEqual([]);
        expect(readdirSync(sockets)).toEqual([]);
        expect(timers.size).toBe(0);
      } finally {
        for (const { pid } of processes.filter((child) => child.exit === null)) process.kill(-pid, 'SIGKILL');
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

/** A zombie, which waits only for somebody to take note of its end, is not alive. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

export const request = (text: string, rest: Partial<GenerationRequest> = {}): GenerationRequest => ({
  messages: [{ role: 'user', content: text }],
  effort: 'low',
  date: '2026-01-02',
  maxTokens: 200,
  temperature: 0,
  ...rest,
});

export async function collect(
  under: EngineUnderTest,
  {
    text = 'hi',
    signal = new AbortController().signal,
    ...rest
  }: { text?: string; signal?: AbortSignal } & Partial<GenerationRequest> = {},
): Promise<GenerationEvent[]> {
  const events: GenerationEvent[] = [];
  const options = { signal, priority: 'window' } as const;
  for await (const event of under.engine.generate(request(text, rest), options)) events.push(event);
  return events;
}

export const textOf = (events: readonly GenerationEvent[], kind: 'content' | 'reasoning'): string =>
  events.map((event) => (event.kind === kind ? event.text : '')).join('');

export const kinds = (under: EngineUnderTest): string[] =>
  under.states.map((state) => state.kind).filter((kind, index, all) => kind !== all[index - 1]);

export async function until(condition: () => boolean, withinMs = 10_000): Promise<void> {
  for (const deadline = Date.now() + withinMs; !condition(); ) {
    if (Date.now() > deadline) throw new Error(`never came: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
