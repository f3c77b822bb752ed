/** Which program listens on a port of this Mac. */
import type { Commands } from '../memory/commands.ts';

/** `Docker (process 312)`; null when it cannot be found out, as with another user's. */
export async function portHolder(commands: Commands, port: number): Promise<string | null> {
  // -F: one field a line. -n and -P: no names looked up, which may take long.
  const { stdout } = await commands.run('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc']);
  return parseLsof(stdout);
}

/** Fields of `lsof -Fpc`: `p312`, `ccom.docker.backend`. Pure. */
export function parseLsof(text: string): string | null {
  const pid = /^p(\d+)$/m.exec(text)?.[1];
  // lsof writes what is not plain as \x20.
  const name = /^c(.+)$/m
    .exec(text)?.[1]
    ?.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  if (pid === undefined || name === undefined) return null;
  return `${name} (process ${pid})`;
}
