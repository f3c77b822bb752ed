/**
 * Starts a packaged app with a home of its own, waits for its window, ends it:
 * `node test/packaging/start-package.ts <executable>`. Says what went wrong and exits 1 when something did.
 *
 * Without Playwright: a package refuses `--inspect`, which Playwright needs. The app's own log tells.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDisplay } from '../electron/display.ts';
import { leftAfter, processTree } from '../electron/process-tree.ts';

const UP_WITHIN_MS = 30_000;
const ENDED_WITHIN_MS = 10_000;
const WINDOW_PAINTED = /window painted/;
/** Another program may have the endpoint's usual port; the app then says so and takes the next. */
const TROUBLE = /\[(warn|error)\](?!.*port.* taken)/;

export async function startPackage(executable: string): Promise<{ log: string; fault: string | null }> {
  const display = await openDisplay();
  if (display.kind === 'missing') return { log: '', fault: display.reason };
  const home = mkdtempSync(join(tmpdir(), 'headroom-package-'));
  // Chromium refuses to run as root with its sandbox, and containers often cannot have it at all.
  const app = spawn(executable, ['--no-sandbox', '--home', home], { stdio: 'ignore' });
  const exit = new Promise<string>((resolve) => {
    app.once('error', (error) => resolve(error.message));
    app.once('exit', (code, signal) => resolve(String(code ?? signal)));
  });
  const log = (): string => {
    try {
      return readFileSync(join(home, 'logs', 'main.log'), 'utf8');
    } catch {
      return '';
    }
  };
  try {
    const up = await Promise.race([exit.then((how) => `It ended by itself (${how}).`), painted(log)]);
    if (up !== null) return { log: log(), fault: up };
    const tree = processTree(app.pid ?? 0);
    app.kill('SIGTERM');
    const how = await Promise.race([exit, later(ENDED_WITHIN_MS, 'not at all')]);
    if (how !== '0') return { log: log(), fault: `Asked to end, it ended with: ${how}.` };
    const left = await leftAfter(tree, 1_000);
    if (left.length > 0)
      return { log: log(), fault: `It left behind: ${left.map(({ command }) => command).join('; ')}` };
    return { log: log(), fault: TROUBLE.test(log()) ? 'Its log tells of trouble.' : null };
  } finally {
    await killTree(app);
    rmSync(home, { recursive: true, force: true });
    await display.dispose();
  }
}

async function painted(log: () => string): Promise<string | null> {
  const until = Date.now() + UP_WITHIN_MS;
  while (!WINDOW_PAINTED.test(log())) {
    if (Date.now() > until) return `No window within ${UP_WITHIN_MS / 1000} s.`;
    await later(100, null);
  }
  return null;
}

const later = <T>(ms: number, value: T): Promise<T> => new Promise((resolve) => setTimeout(() => resolve(value), ms));

async function killTree(app: ChildProcess): Promise<void> {
  const tree = processTree(app.pid ?? 0);
  for (const { pid } of tree) process.kill(pid, 'SIGKILL');
  await leftAfter(tree, 3_000);
}

if (import.meta.main) {
  const { log, fault } = await startPackage(process.argv[2] ?? '');
  if (fault !== null) {
    process.stderr.write(`${fault}\n${log}`);
    process.exitCode = 1;
  }
}
