/**
 * Headroom on a simulated Mac, to look at: `node test/macos/start.ts <scenario> [--speed <n>] [--home <folder>] [--ssh]
 * [--first-run]`. With --first-run nothing is chosen yet, and a hub on this machine has the recommended model: the demo
 * model under its name. A panic ends the app without warning and starts it again, as a Mac does.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { modelFolder } from '../engine/fixtures.ts';
import { startLocalHub } from '../hub/local-hub.ts';
import { repositoryFromFolder } from '../hub/repositories.ts';
import { LARGE_MODEL } from './counted-bytes.ts';
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
    'first-run': { type: 'boolean', default: false },
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
/** Slow enough to be seen coming: some seconds for the demo model's 2.7 MB. */
const HUB_BYTES_PER_SECOND = 300_000;
const hub = values['first-run']
  ? await startLocalHub([repositoryFromFolder(LARGE_MODEL, modelFolder)], { bytesPerSecond: HUB_BYTES_PER_SECOND })
  : null;
const surroundings = {
  ...(values.ssh ? SSH : {}),
  ...(hub === null ? {} : { SIMULATED_HUB_URL: hub.url }),
};

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
  const started = startAppOnMac(mac.socketPath, home, ['--port', values.port], surroundings);
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
  await hub?.close();
  await mac.dispose();
  if (values.home === undefined) rmSync(home, { recursive: true, force: true });
}
