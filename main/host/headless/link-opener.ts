/** Opens links for a window that lives in a browser: with the system's own opener, where there is a screen. */
import { spawn } from 'node:child_process';
import { AppFault } from '../../fault.ts';

/** Null where nobody would see what was opened. */
export function openerFor(platform: string, environment: Readonly<Record<string, string | undefined>>): string | null {
  if (platform === 'darwin') return '/usr/bin/open';
  return environment['DISPLAY'] || environment['WAYLAND_DISPLAY'] ? 'xdg-open' : null;
}

/** `url` has been checked. Rejects with AppFault when it cannot be opened here. */
export function openLink(url: string): Promise<void> {
  const opener = openerFor(process.platform, process.env);
  const refused = () =>
    new AppFault('refused', 'This machine has no browser of its own to open links in.', `Copy the address: ${url}`);
  return new Promise((resolve, reject) => {
    if (opener === null) {
      reject(refused());
      return;
    }
    const child = spawn(opener, [url], { stdio: 'ignore', detached: true });
    child.once('error', () => reject(refused()));
    child.once('spawn', () => {
      child.unref();
      resolve();
    });
  });
}
