/**
 * Headroom without a window system: the same app, shown by a server on 127.0.0.1.
 *
 * stdout carries exactly one line, JSON, when everything is ready; what is meant for people goes to stderr.
 * Exit codes: 0 ended as asked, 64 wrong arguments, 69 could not start, 75 another Headroom uses the data folder,
 * 130 forced by a second signal.
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createApp } from './app.ts';
import { dataFolder } from './data-folder.ts';
import { lockDataFolder } from './data-folder-lock.ts';
import { AppFault } from './fault.ts';
import { DEFAULT_ENDPOINT_PORT } from './gateway/endpoint.ts';
import { reloadOnBuild } from './host/dev-reload.ts';
import { createGate } from './host/gate.ts';
import { type HeadlessArguments, parseHeadlessArguments, usage } from './host/headless/arguments.ts';
import { createEnding } from './host/headless/ending.ts';
import { startHeadlessHost } from './host/headless/host.ts';
import { openLink } from './host/headless/link-opener.ts';
import { readyLine } from './host/headless/ready-line.ts';
import { listRendererFiles } from './host/renderer-files.ts';

/** An orderly stop of the engine may take 15 s before it is killed. */
const ENDING_DEADLINE_MS = 20_000;

const say = (text: string) => process.stderr.write(`headroom: ${text}\n`);

/** Whoever read our output may go away before us; that is no reason to fail. */
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const parsed = parseHeadlessArguments(process.argv.slice(2));
switch (parsed.kind) {
  case 'help':
    process.stderr.write(usage);
    break;
  case 'wrong':
    say(parsed.message);
    process.stderr.write(`\n${usage}`);
    process.exitCode = 64;
    break;
  case 'run':
    process.exitCode = await run(parsed.arguments);
    break;
}

/** Resolves when everything runs, or with the exit code when it could not start. */
async function run(asked: HeadlessArguments): Promise<number> {
  const root = projectRoot(fileURLToPath(import.meta.url));
  const folder = dataFolder({
    platform: process.platform,
    homeFolder: homedir(),
    environment: process.env,
    workingFolder: process.cwd(),
    argument: asked.home,
  });

  const opened: (() => Promise<void>)[] = [];
  const end = createEnding({
    // Last opened, first closed.
    dispose: async () => {
      for (const close of opened.reverse()) await close();
    },
    exit: (code) => process.exit(code),
    say,
    deadlineMs: ENDING_DEADLINE_MS,
    nowMs: Date.now,
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);

  try {
    const lock = await lockDataFolder(folder);
    if (lock.kind === 'taken') {
      say(`Headroom is running already (process ${lock.pid}) and uses ${folder}.`);
      say('Use that one, or end it first, or give this one a folder of its own with --home.');
      process.exit(75);
    }
    opened.push(lock.release);

    const rendererFolder = join(root, 'out', 'renderer');
    const files = await listRendererFiles(rendererFolder);
    if (files === null)
      throw new AppFault('not-found', 'The window has not been built.', 'Run "npm run build" and start again.');

    const app = await createApp({
      version: versionIn(root),
      host: 'headless',
      platform: process.platform === 'darwin' || process.platform === 'linux' ? process.platform : 'other',
      dataFolder: folder,
      pythonExecutable: join(root, 'python-runtime', '.venv', 'bin', 'python'),
      demoModelFolder: join(root, 'python-runtime', 'models', 'headroom-demo'),
      modelFolder: asked.modelFolder,
      endpointPort: asked.endpointPort ?? DEFAULT_ENDPOINT_PORT,
      openExternal: openLink,
      say,
    });
    opened.push(() => app.dispose());

    const dev =
      process.env['HEADROOM_DEV'] === '1'
        ? reloadOnBuild(rendererFolder, files, (envelope) => host.publish(envelope))
        : null;
    if (dev !== null) opened.push(async () => dev.dispose());
    const host = await startHeadlessHost({
      gate: createGate({ handlers: app.handlers, log: app.log }),
      files: dev?.files ?? files,
      port: asked.port,
      log: app.log,
      onWindows: (count) => app.setWindowVisible(count > 0),
      announceLink: (url) => say(`a window without a good link asked to connect; here is a fresh link: ${url}`),
    });
    opened.push(() => host.dispose());
    app.subscribe((envelope) => host.publish(envelope));

    say(`open ${host.url}`);
    say('the link works once, within a minute; a fresh one is printed when it is opened too late');
    process.stdout.write(readyLine(host.url, app));
    return 0;
  } catch (error) {
    say(startFault(error, asked));
    for (const close of opened.reverse()) await close().catch(() => {});
    process.exit(69);
  }
}

function startFault(error: unknown, asked: HeadlessArguments): string {
  if (error instanceof AppFault) return `${error.message} ${error.nextStep}`;
  const { code, message, stack } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return `Port ${asked.port} is taken. Choose another with --port, or leave it out.`;
  if (code === 'EACCES' || code === 'EROFS' || code === 'ENOSPC')
    return `Headroom cannot use its data folder: ${message}`;
  return `Headroom could not start: ${stack ?? message}`;
}

/** The folder with package.json above this file, which runs from main/ as source and from out/main/ when built. */
function projectRoot(from: string): string {
  const folder = dirname(from);
  return existsSync(join(folder, 'package.json')) || folder === dirname(folder) ? folder : projectRoot(folder);
}

function versionIn(root: string): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
}
