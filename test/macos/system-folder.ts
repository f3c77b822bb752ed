/**
 * The part of the simulated Mac's disk that only root writes: what root's texts put there lies in a folder, and what
 * launchd would start from it is started. No root is needed: the texts run with their paths turned to that folder, and
 * with stand-ins for what only a Mac has (stat -f, mv -h, the group wheel).
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { basename, dirname, join } from 'node:path';
import type { Answer } from './answers.ts';
import type { Change } from './model.ts';

export interface SystemFolder {
  /** Runs a shell text as osascript would with an administrator's password, and answers as it would. */
  runAsRoot(script: string): Promise<Answer>;
  /** launchd's part in what has changed. */
  hear(change: Change): void;
  dispose(): Promise<void>;
}

/** Where a file of the Mac lies, by the socket of the simulated Mac. */
export const systemPath = (socketPath: string, path: string): string => join(dirname(socketPath), 'system', path);

const commandsFolder = join(import.meta.dirname, 'bin');

const STAND_INS: Readonly<Record<string, string>> = {
  // Whoever runs this is the simulated Mac's root.
  stat: `#!/usr/bin/perl
my ($flag, $format, $path) = @ARGV;
exit 64 if $flag ne '-f';
my @found = lstat $path or exit 1;
if ($format eq '%u') { print $found[4] == $> ? 0 : $found[4], "\\n" }
elsif ($format eq '%Sp') {
  my @bits = ('---', '--x', '-w-', '-wx', 'r--', 'r-x', 'rw-', 'rwx');
  my $mode = $found[2];
  print 'd', $bits[$mode >> 6 & 7], $bits[$mode >> 3 & 7], $bits[$mode & 7], "\\n";
} else { exit 64 }
`,
  mv: `#!/usr/bin/perl
exit 64 if $ARGV[0] ne '-fh';
rename $ARGV[1], $ARGV[2] or die "mv: $!\\n";
`,
  chown: `#!/bin/sh
[ "$1" = root:wheel ] || exit 64
`,
};

/** What a text carries inline is written as it is. */
const INLINE = /(<<'(\w+)'\n[\s\S]*?\n\2\n)/;
const PATHS =
  /\/(?:usr\/sbin\/(?:chown|sysctl)|usr\/bin\/stat|bin\/(?:launchctl|mv)|Library|var\/run)(?=[/\s;:)"']|$)/gm;

export function createSystemFolder(socketPath: string): SystemFolder {
  const root = systemPath(socketPath, '/');
  const standIns = join(root, 'stand-ins');
  for (const folder of ['Library/LaunchDaemons', 'var/run', 'stand-ins']) {
    mkdirSync(join(root, folder), { recursive: true, mode: 0o755 });
  }
  for (const [name, text] of Object.entries(STAND_INS)) {
    writeFileSync(join(standIns, name), text);
    chmodSync(join(standIns, name), 0o755);
  }
  const env = {
    PATH: '/usr/bin:/bin:/usr/sbin:/sbin',
    SIMULATED_MAC_NODE: process.execPath,
    SIMULATED_MAC_SOCKET: socketPath,
    SIMULATED_MAC_ROOT: '1',
  };

  const turned = (path: string): string => {
    const name = basename(path);
    if (name in STAND_INS) return join(standIns, name);
    return name === 'launchctl' || name === 'sysctl' ? join(commandsFolder, name) : join(root, path);
  };
  /** Every third piece is inline, every one after it the mark that ends it. */
  const translate = (script: string): string =>
    script
      .split(INLINE)
      .map((piece, index) => {
        if (index % 3 === 0) return piece.replace(PATHS, turned);
        return index % 3 === 1 ? piece : '';
      })
      .join('');

  /** Loaded again at every boot. */
  const loaded = new Set<string>();
  const servers = new Map<string, Server>();
  const helpers = new Set<ChildProcess>();

  /** launchd starts the program anew for each connection, with the connection as its stdin and stdout. */
  function listen(label: string, socket: string, program: string): void {
    const server = createServer({ allowHalfOpen: true }, (connection) => {
      const helper = spawn('/bin/sh', ['-p', '-c', translate(readFileSync(join(root, program), 'utf8'))], {
        env,
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      helpers.add(helper);
      helper.on('close', () => helpers.delete(helper));
      connection.on('error', () => {});
      helper.stdin.on('error', () => {});
      connection.pipe(helper.stdin);
      helper.stdout.pipe(connection);
    });
    servers.set(label, server);
    server.listen(join(root, socket));
  }

  function load(label: string): void {
    unload(label);
    loaded.add(label);
    const file = join(root, 'Library/LaunchDaemons', `${label}.plist`);
    if (!existsSync(file)) return;
    const plist = readFileSync(file, 'utf8');
    const [program = '', ...args] = [
      ...(/<array>([\s\S]*?)<\/array>/.exec(plist)?.[1] ?? '').matchAll(/<string>([^<]*)<\/string>/g),
    ].map(([, text]) => text ?? '');
    const [, socket] = /<key>SockPathName<\/key>\s*<string>([^<]*)<\/string>/.exec(plist) ?? [];
    if (socket !== undefined) listen(label, socket, program);
    else if (plist.includes('<key>RunAtLoad</key>')) execFile(turned(program), args, { env }, () => {});
  }

  function unload(label: string): void {
    loaded.delete(label);
    servers.get(label)?.close();
    servers.delete(label);
  }

  return {
    runAsRoot: (script) =>
      new Promise((resolve) => {
        execFile('/bin/sh', ['-c', translate(script)], { env }, (error, stdout, stderr) => {
          if (error === null) resolve({ code: 0, stdout: stdout.replaceAll('\n', '\r'), stderr: '' });
          else {
            const said = `0:116: execution error: ${stderr.trim()} (${String(error.code)})\n`;
            resolve({ code: 1, stdout: '', stderr: said });
          }
        });
      }),
    hear(change) {
      switch (change.kind) {
        case 'daemon':
          if (change.isLoaded) load(change.label);
          else unload(change.label);
          return;
        case 'login-item':
          if (change.isOn) load(change.label);
          else unload(change.label);
          return;
        case 'reboot':
          for (const label of [...loaded]) load(label);
          return;
        default:
      }
    },
    async dispose() {
      for (const helper of helpers) helper.kill('SIGKILL');
      await Promise.all([...servers.values()].map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}
