/**
 * The headless app as it would run on the simulated Mac behind SIMULATED_MAC_SOCKET. Started by start.ts and by tests;
 * arguments are those of the headless host.
 */
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../main/app.ts';
import { createGate } from '../../main/host/gate.ts';
import { parseHeadlessArguments } from '../../main/host/headless/arguments.ts';
import { startHeadlessHost } from '../../main/host/headless/host.ts';
import { readyLine } from '../../main/host/headless/ready-line.ts';
import { listRendererFiles } from '../../main/host/renderer-files.ts';
import { readInstalledFile } from '../../main/wired-limit/helper/helper.ts';
import { HELPER_SOCKET } from '../../main/wired-limit/helper/script.ts';
import { modelFolder, pythonExecutable } from '../engine/fixtures.ts';
import { countedBytes } from './counted-bytes.ts';
import { simulatedCommands } from './simulated-commands.ts';
import type { Message } from './simulated-mac.ts';
import { systemPath } from './system-folder.ts';

const REPORT_MS = 200;

const socketPath = process.env['SIMULATED_MAC_SOCKET'] ?? '';
const parsed = parseHeadlessArguments(process.argv.slice(2));
if (parsed.kind !== 'run')
  throw new Error(parsed.kind === 'wrong' ? parsed.message : 'arguments as of the headless host');
const asked = parsed.arguments;
const bundle = process.env['HEADROOM_TEST_BUNDLE'] ?? join(import.meta.dirname, '..', '..', 'out', 'renderer');
const files = await listRendererFiles(bundle);
if (files === null) throw new Error('The window has not been built: npm run build.');

const counted = countedBytes(asked.modelFolder ?? modelFolder);
const home = asked.home ?? join(tmpdir(), 'headroom-simulated-mac');
/** A local hub in the real one's place. */
const hubUrl = process.env['SIMULATED_HUB_URL'];
const app = await createApp({
  version: 'simulated',
  host: 'headless',
  platform: 'darwin',
  dataFolder: home,
  pythonExecutable,
  demoModelFolder: modelFolder,
  // On a Mac nothing is chosen by itself; with a hub to fetch from, that is where the story begins.
  modelFolder: asked.modelFolder ?? (hubUrl === undefined ? modelFolder : null),
  hub: {
    ...(hubUrl === undefined ? {} : { url: hubUrl }),
    // Nothing of this machine's own cache is shown, let alone touched.
    environment: { HF_HOME: join(home, 'huggingface') },
  },
  endpointPort: asked.endpointPort ?? 0,
  openExternal: () => Promise.resolve(),
  say: (text) => process.stderr.write(`${text}\n`),
  commands: simulatedCommands(socketPath),
  countEngineBytes: counted,
  helperPlaces: {
    socketPath: systemPath(socketPath, HELPER_SOCKET),
    readInstalled: async (path) => {
      const file = await readInstalledFile(systemPath(socketPath, path));
      // Whoever runs this is the simulated Mac's root.
      return file === null ? null : { ...file, ownerId: file.ownerId === process.getuid?.() ? 0 : file.ownerId };
    },
  },
});

/** Every line tells of the engine; when the connection breaks off, the Mac knows that all of it is gone. */
const toMac = connect(socketPath);
let told = '';
function report(): void {
  const { metrics, state } = app.engine;
  const isOn = state.kind !== 'off' && state.kind !== 'failed';
  const message: Message = {
    kind: 'engine',
    engine: {
      appPid: process.pid,
      enginePid: isOn ? process.pid + 1 : null,
      gpuBytes: isOn ? counted(metrics?.memory.activeBytes ?? 0) : 0,
    },
    isGenerating: state.kind === 'busy',
  };
  const line = `${JSON.stringify(message)}\n`;
  if (line === told) return;
  told = line;
  toMac.write(line);
}
const reporting = setInterval(report, REPORT_MS);
app.engine.subscribe(report);

const host = await startHeadlessHost({
  gate: createGate({ handlers: app.handlers, log: app.log }),
  files,
  port: asked.port,
  log: app.log,
  onWindows: (count) => app.setWindowVisible(count > 0),
  announceLink: (url) => process.stderr.write(`a fresh link: ${url}\n`),
});
app.subscribe((envelope) => host.publish(envelope));

async function end(): Promise<void> {
  clearInterval(reporting);
  await host.dispose();
  await app.dispose();
  toMac.destroy();
  process.exit(0);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void end());
// Without the Mac there is nothing to run on.
toMac.on('error', () => {});
toMac.on('close', () => void end());

process.stdout.write(readyLine(host.url, app));
