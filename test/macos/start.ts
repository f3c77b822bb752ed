/**
 * Headroom on a simulated Mac, to look at: `node test/macos/start.ts <scenario> [--speed <n>] [--home <folder>] [--ssh]`.
 * A panic ends the app without warning and starts it again, as a Mac does.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type AppOnMac, startAppOnMac } from './running-app.ts';
import { type Scenario, type ScenarioName, scenarios } from './scenarios.ts';
import { startSimulatedMac } from './simulated-mac.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    speed: { type: 'string', default: '1' },
    home: { type: 'string' },
    port: { type: 'string', default: '0' },
    ssh: { type: 'boolean', default: false },
  },
});
/** As sshd sets it: no dialog can be shown. */
const SSH = { SSH_CONNECTION: '192.0.2.7 50022 192.0.2.1 22' };
const [name = ''] = positionals;
// Whoever reads our output may go away before us.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
const say = (text: string): void => void process.stderr.write(`${text}\n`);

if (!Object.hasOwn(scenarios, name)) {
  say('usage: node test/macos/start.ts <scenario>\n');
  for (const [known, { story }] of Object.entries(scenarios)) say(`  ${known.padEnd(26)}${story}`);
  process.exit(name === '' ? 0 : 64);
}

const scenario: Scenario = scenarios[name as ScenarioName];
const mac = await startSimulatedMac(scenario, { speed: Number(values.speed) });
const home = values.home ?? mkdtempSync(join(tmpdir(), 'headroom-on-mac-'));
say(`${name}: ${scenario.story}`);

let app = await begin();
let isEnding = false;
mac.onChange((change) => {
  if (change.kind === 'engine') return;
  say(`the Mac: ${JSON.stringify(change)}`);
  if (change.kind === 'reboot') void reboot();
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(signal));
void watch(app);

async function begin(): Promise<AppOnMac> {
  const started = startAppOnMac(mac.socketPath, home, ['--port', values.port], values.ssh ? SSH : {});
  started.child.stderr?.pipe(process.stderr);
  process.stdout.write(`${JSON.stringify({ ready: true, ...(await started.ready) })}\n`);
  return started;
}

async function reboot(): Promise<void> {
  say('the Mac panicked and starts again');
  isEnding = true;
  await app.end('SIGKILL');
  app = await begin();
  isEnding = false;
  void watch(app);
}

async function watch(running: AppOnMac): Promise<void> {
  await running.exited;
  if (!isEnding) await end('SIGTERM');
}

async function end(signal: NodeJS.Signals): Promise<void> {
  isEnding = true;
  say(`ending (${signal})`);
  await app.end('SIGTERM');
  await mac.dispose();
  if (values.home === undefined) rmSync(home, { recursive: true, force: true });
}
