/** The README's first command, as somebody else's script would run it: one line on stdout, and a signal ends all of it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'headroom-start-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

it.each(['SIGINT', 'SIGTERM'] as const)(
  'npm start -- --headless is ready in one line and ends with 0 on %s',
  async (signal) => {
    const npm = spawn('npm', ['start', '--', '--headless', '--endpoint-port', '0', '--home', home], {
      cwd: join(import.meta.dirname, '..', '..'),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    npm.stderr.on('data', (data: Buffer) => (stderr += String(data)));
    const closed = once(npm, 'close') as Promise<[number | null]>;
    await new Promise<void>((resolve, reject) => {
      npm.stdout.on('data', (data: Buffer) => {
        stdout += String(data);
        if (/^\{.*\}\n/m.test(stdout)) resolve();
      });
      void closed.then(() => reject(new Error(stderr)));
    });
    npm.kill(signal);
    const [code] = await closed;
    expect(code, stderr).toBe(0);
    // npm's own banner is not ours; everything else is the one line.
    const ours = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('> '));
    expect(ours).toHaveLength(1);
    expect(JSON.parse(ours[0] ?? '')).toMatchObject({ ready: true, model: 'Demo model' });
  },
);
