/**
 * The bundle that is shipped, as it is: linked and run by Node up to the single-instance lock, with a stand-in for
 * Electron that notes what is asked of it. The other tests here run a build of their own, lowered for the Electron at
 * hand.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REPOSITORY } from './electron-at-hand.ts';

const bundle = join(REPOSITORY, 'out', 'main', 'index.js');

/** Run by a Node of its own: answers to the bundle's `import … from 'electron'`, then prints what was called. */
const harness = `
import { registerHooks } from 'node:module';
const names = NAMES;
const stub = \`
  export const calls = globalThis.calls = [];
  const note = (path) => new Proxy(function () {}, {
    get: (_none, name) => (typeof name === 'symbol' || name === 'then' ? undefined : note(path + '.' + name)),
    apply: (_none, _self, given) => { calls.push([path, given[0] ?? null]); return false; },
  });
  \${names.map((name) => 'export const ' + name + ' = note("' + name + '");').join('\\n')}
\`;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'electron' ? { url: 'data:text/javascript,' + encodeURIComponent(stub), shortCircuit: true } : next(specifier, context),
});
await import('BUNDLE');
console.log(JSON.stringify(globalThis.calls));
`;

describe('out/main/index.js', () => {
  it('is built', () => {
    expect(existsSync(bundle), 'npm run build makes it').toBe(true);
  });

  it('links, and begins with the sandbox, the scheme and the lock, in that order', () => {
    const text = readFileSync(bundle, 'utf8');
    const imported = /import\s*\{([^}]*)\}\s*from\s*"electron"/.exec(text)?.[1] ?? '';
    const names = imported.split(',').map((name) => name.trim().split(' as ')[0] ?? '');
    expect(names).toContain('BrowserWindow');
    const script = harness.replace('NAMES', JSON.stringify(names)).replace('BUNDLE', bundle);
    const home = mkdtempSync(join(tmpdir(), 'headroom-bundle-'));
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
      // No window comes of it, but without a display the app would end before the lock.
      env: { ...process.env, HEADROOM_HOME: home, DISPLAY: ':0' },
    });
    rmSync(home, { recursive: true });
    const calls = JSON.parse(output) as [string, unknown][];
    expect(calls.map(([name]) => name)).toEqual([
      'app.commandLine.hasSwitch',
      'app.enableSandbox',
      'protocol.registerSchemesAsPrivileged',
      'app.setPath',
      'app.requestSingleInstanceLock',
      'app.exit',
    ]);
    expect(calls.at(-1)).toEqual(['app.exit', 0]);
  });

  it('needs nothing at run time but Node, Electron and the packages that are shipped', () => {
    const files = ['index.js', ...chunksOf(bundle)].map((name) => readFileSync(join(bundle, '..', name), 'utf8'));
    const needed = files.flatMap((text) =>
      [...text.matchAll(/^\s*(?:import|export)\b[^;]*?\bfrom\s*"([^"]+)"/gm)].map((match) => match[1] ?? ''),
    );
    const foreign = needed.filter((name) => !name.startsWith('node:') && !name.startsWith('./'));
    expect(new Set(foreign.map((name) => name.split('/')[0]))).toEqual(
      new Set(['electron', 'electron-log', 'node-pty']),
    );
  });
});

function chunksOf(entry: string): string[] {
  return [...readFileSync(entry, 'utf8').matchAll(/from\s*"\.\/([^"]+)"/g)].map((match) => match[1] ?? '');
}
