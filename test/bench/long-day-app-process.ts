/**
 * A working day of the whole app on the simulated Mac: the real services, the real engine and the demo model, with a
 * clock that runs faster for everything that watches memory, and for the Mac. Loading and answering take their real time.
 * Prints what the app holds after collection for every half hour. With `idle` nobody turns the model on.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, createApp } from '../../main/app.ts';
import type { Clock } from '../../main/engine/clock.ts';
import type { AnswerStatus, EventEnvelope, ProtectionState, RouteInput, RouteName } from '../../preload/contract.ts';
import { modelFolder, pythonExecutable } from '../engine/fixtures.ts';
import { countedBytes } from '../macos/counted-bytes.ts';
import { scenarios } from '../macos/scenarios.ts';
import { directCommands } from '../macos/simulated-commands.ts';
import { startSimulatedMac } from '../macos/simulated-mac.ts';

const HOURS = 8;
const SPEED = 160;
/** One turn of the day: questions, a pause in which others take the memory, the model lent, back, and off. */
const TURN_MS = 16 * 60_000;
const MINUTE_MS = 60_000;
/** Real time after which something that was to happen will not. */
const PATIENCE_MS = 60_000;
const isIdle = process.argv[2] === 'idle';
const collect = (globalThis as unknown as { gc: () => void }).gc;

const startedAtMs = Date.now();
const realMs = (): number => performance.now();
const beganAt = realMs();
const clock: Clock = {
  nowMs: () => Math.floor(startedAtMs + (realMs() - beganAt) * SPEED),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs / SPEED);
    return () => clearTimeout(timer);
  },
};
const dayMs = (): number => clock.nowMs() - startedAtMs;
const until = async (is: () => boolean, what: string): Promise<void> => {
  const deadline = realMs() + PATIENCE_MS;
  while (!is()) {
    if (realMs() > deadline) throw new Error(`at minute ${Math.round(dayMs() / MINUTE_MS)}: not ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
const untilMinute = (minute: number): Promise<void> => until(() => dayMs() >= minute * MINUTE_MS, `minute ${minute}`);

const mac = await startSimulatedMac(scenarios['fits-after-a-raise'], { speed: SPEED });
const home = mkdtempSync(join(tmpdir(), 'headroom-day-'));
const counted = countedBytes(modelFolder);
const app: App = await createApp({
  version: 'bench',
  host: 'headless',
  platform: 'darwin',
  dataFolder: home,
  pythonExecutable,
  demoModelFolder: modelFolder,
  modelFolder,
  endpointPort: 0,
  openExternal: () => Promise.resolve(),
  commands: directCommands(mac),
  countEngineBytes: counted,
  clock,
});

/** What the window would know. */
let limitKind = '';
let protection: ProtectionState['kind'] = 'calm';
const statuses = new Map<string, AnswerStatus['kind']>();
const counts = { samples: 0, answers: 0, interrupted: 0, loads: 0, lent: 0, events: 0 };
let engineKind = app.engine.state.kind;

app.subscribe((envelope: EventEnvelope) => {
  counts.events += 1;
  switch (envelope.event) {
    case 'memory.sample':
      counts.samples += 1;
      return;
    case 'wiredLimit.state':
      limitKind = envelope.payload.kind;
      return;
    case 'protection.state':
      if (envelope.payload.kind === 'lent' && protection !== 'lent') counts.lent += 1;
      protection = envelope.payload.kind;
      return;
    case 'engine.state':
      if (envelope.payload.kind === 'ready' && engineKind !== 'ready' && engineKind !== 'busy') counts.loads += 1;
      engineKind = envelope.payload.kind;
      return;
    case 'chat.message':
      if (envelope.payload.role === 'assistant') statuses.set(envelope.payload.id, envelope.payload.status.kind);
      return;
    default:
  }
});
/** The Mac hears of the engine as it would see it. */
let told = '';
const reporting = setInterval(() => {
  const { metrics, state } = app.engine;
  const isOn = state.kind !== 'off' && state.kind !== 'failed';
  const engine = {
    appPid: 5_000,
    enginePid: isOn ? 5_001 : null,
    gpuBytes: isOn ? counted(metrics?.memory.activeBytes ?? 0) : 0,
  };
  if (JSON.stringify(engine) === told) return;
  told = JSON.stringify(engine);
  mac.change({ kind: 'engine', engine });
}, 20);

async function call<N extends RouteName>(route: N, input: RouteInput<N>): Promise<unknown> {
  return (app.handlers[route] as (given: RouteInput<N>) => unknown)(input);
}

async function ask(conversationId: string | null, text: string): Promise<{ conversationId: string; status: string }> {
  const sent = (await call('chat.send', { conversationId, text, effort: 'low' })) as {
    conversation: { id: string };
    assistant: { id: string };
  };
  const { id } = sent.assistant;
  const open = new Set(['queued', 'prefilling', 'thinking', 'answering']);
  await until(() => !open.has(statuses.get(id) ?? 'queued'), 'answered');
  const status = statuses.get(id) ?? '';
  statuses.delete(id);
  counts[status === 'complete' ? 'answers' : 'interrupted'] += 1;
  return { conversationId: sent.conversation.id, status };
}

const grow = (gib: number, overSeconds: number): void =>
  mac.change({ kind: 'grow', command: 'Google Chrome', bytes: gib * 2 ** 30, overSeconds });

/** `from`: minute of the day. */
async function turn(index: number, from: number): Promise<void> {
  app.setWindowVisible(true);
  const { conversationId } = await ask(null, `What is a wired limit? (${index})`);
  await ask(conversationId, 'Why does it matter?');
  await ask(conversationId, 'Thank you.');
  app.setWindowVisible(false);
  // Others take what the model has, and it lends it to them.
  await untilMinute(from + 7);
  grow(6, 30);
  await until(() => protection === 'lent' && engineKind === 'off', 'lent');
  await untilMinute(from + 11);
  grow(-6, 10);
  await until(() => mac.mac().level === 1, 'calm');
  // Looking brings it back.
  app.setWindowVisible(true);
  await until(() => engineKind === 'ready', 'back');
  await ask(conversationId, 'And again?');
  app.setWindowVisible(false);
  await call('engine.stop', null);
  await until(() => engineKind === 'off', 'off');
}

const held: { readonly hour: number; readonly heapBytes: number; readonly rssBytes: number; readonly files: number }[] =
  [];
const openFiles = (): number => readdirSync('/proc/self/fd').length;
const residentBytes = (): number =>
  Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) * 1_024;
async function note(): Promise<void> {
  collect();
  await new Promise((resolve) => setTimeout(resolve, 20));
  collect();
  const { heapUsed } = process.memoryUsage();
  held.push({ hour: dayMs() / 3_600_000, heapBytes: heapUsed, rssBytes: residentBytes(), files: openFiles() });
}

if (!isIdle) {
  await call('engine.start', null);
  await until(() => limitKind === 'asking', 'asked');
  await call('wiredLimit.raise', { limitMiB: 12_800, by: 'prompt' });
  await until(() => engineKind === 'ready', 'loaded');
  await call('engine.stop', null);
  await until(() => engineKind === 'off', 'off');
}
const turns = Math.floor((HOURS * 60) / (TURN_MS / MINUTE_MS));
const firstMinute = Math.ceil(dayMs() / MINUTE_MS);
for (let index = 0; index < turns; index += 1) {
  const from = firstMinute + (index * TURN_MS) / MINUTE_MS;
  await untilMinute(from);
  if (!isIdle) await turn(index, from);
  await untilMinute(from + TURN_MS / MINUTE_MS - 1);
  await note();
}
if (!isIdle) {
  await call('wiredLimit.restore', { by: 'prompt' });
  await until(() => mac.mac().wiredLimitMiB === 0, 'put back');
}
clearInterval(reporting);
await app.dispose();
await mac.dispose();
rmSync(home, { recursive: true, force: true });
process.stdout.write(`${JSON.stringify({ held, counts, turns, realSeconds: (realMs() - beganAt) / 1_000 })}\n`);
