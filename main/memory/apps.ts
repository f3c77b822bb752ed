/** Who uses the memory: processes from `top`, gathered under the apps they belong to. Pure. */
import * as v from 'valibot';
import type { MemoryUser } from '../../preload/contract.ts';
import { parseByteSize } from './byte-size.ts';

export interface Process {
  readonly pid: number;
  readonly parentPid: number;
  readonly bytes: number;
  /** top cuts it at 16 characters. */
  readonly command: string;
}

/** An app with windows, as the workspace lists it. */
export interface RunningApp {
  readonly pid: number;
  readonly name: string;
  readonly bundleId: string | null;
}

export const TOP_ARGUMENTS = ['-l', '1', '-o', 'mem', '-stats', 'pid,ppid,mem,command'] as const;

const ROW = /^(\d{1,10})[*+-]?\s+(\d{1,10})\s+(\S+)\s+(.+?)\s*$/;

/** The table below top's header lines. Rows that are none are passed over. */
export function parseTop(text: string): readonly Process[] {
  const lines = text.split('\n');
  const header = lines.findIndex((line) => /^PID\s+PPID\s+MEM\s+COMMAND/.test(line));
  if (header < 0) return [];
  return lines.slice(header + 1).flatMap((line) => {
    const [, pid, parentPid, size, command] = ROW.exec(line) ?? [];
    const bytes = parseByteSize(size ?? '');
    if (pid === undefined || parentPid === undefined || command === undefined || bytes === null) return [];
    return [{ pid: Number(pid), parentPid: Number(parentPid), bytes, command }];
  });
}

/**
 * Lists apps with windows. Asking the workspace needs no consent, unlike asking an app. JavaScript, because it prints
 * JSON: names may hold anything.
 */
export const LIST_APPS_SCRIPT = `ObjC.import('AppKit');
function run() {
  const apps = $.NSWorkspace.sharedWorkspace.runningApplications;
  const found = [];
  for (let i = 0; i < Number(apps.count); i += 1) {
    const app = apps.objectAtIndex(i);
    if (Number(app.activationPolicy) !== 0) continue;
    const bundleId = ObjC.unwrap(app.bundleIdentifier);
    found.push({ pid: Number(app.processIdentifier), name: ObjC.unwrap(app.localizedName), bundleId: bundleId || null });
  }
  return JSON.stringify(found);
}`;

const runningApp = v.object({
  pid: v.pipe(v.number(), v.safeInteger(), v.minValue(2)),
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  bundleId: v.nullable(v.string()),
});

/**
 * What LIST_APPS_SCRIPT printed; empty when it could not run. An app that is just ending has the process id -1, one that
 * is just starting may have no name yet: those are passed over, not the list.
 */
export function parseRunningApps(text: string): readonly RunningApp[] {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.filter((app): app is RunningApp => v.is(runningApp, app)) : [];
  } catch {
    return [];
  }
}

const MOST_USERS = 12;
/** Quitting it restarts it. */
const FINDER = 'com.apple.finder';
/** Pages of Safari and of every app that shows web content; nobody without privileges can say whose. */
const WEB_CONTENT = 'com.apple.WebKit';

interface Owner {
  readonly key: string;
  readonly name: string;
  readonly pid: number;
  readonly isOurs: boolean;
  readonly canQuit: boolean;
}

/** The biggest first. `ourPid` is the app's own process: the engine and the window are below it. */
export function memoryUsers(
  processes: readonly Process[],
  apps: readonly RunningApp[],
  ourPid: number,
): readonly MemoryUser[] {
  const byPid = new Map(processes.map((process) => [process.pid, process]));
  const appByPid = new Map(apps.map((app) => [app.pid, app]));
  const users = new Map<string, MemoryUser>();
  for (const process of processes) {
    const { key, ...owner } = ownerOf(process);
    const user = users.get(key);
    users.set(key, { ...owner, bytes: Math.min(Number.MAX_SAFE_INTEGER, process.bytes + (user?.bytes ?? 0)) });
  }
  return [...users.values()].sort((a, b) => b.bytes - a.bytes).slice(0, MOST_USERS);

  function ownerOf(process: Process): Owner {
    const seen = new Set<number>();
    for (let at: Process | undefined = process; at !== undefined && !seen.has(at.pid); at = byPid.get(at.parentPid)) {
      seen.add(at.pid);
      if (at.pid === ourPid) return { key: 'ours', name: 'Headroom', pid: ourPid, isOurs: true, canQuit: false };
      const app = appByPid.get(at.pid);
      if (app !== undefined) return appOwner(app);
    }
    // Helpers started by launchd have no parent to go by, but carry the app's name.
    const named = apps.filter(({ name }) => isHelperName(process.command, name)).sort(longestNameFirst)[0];
    if (named !== undefined) return appOwner(named);
    const name = process.command.startsWith(WEB_CONTENT) ? 'Web pages (Safari and others)' : process.command;
    return { key: `command ${name}`, name, pid: process.pid, isOurs: false, canQuit: false };
  }
}

function appOwner({ pid, name, bundleId }: RunningApp): Owner {
  return { key: `app ${pid}`, name, pid, isOurs: false, canQuit: bundleId !== FINDER };
}

function isHelperName(command: string, appName: string): boolean {
  return command === appName || command.startsWith(`${appName} `);
}

const longestNameFirst = (a: RunningApp, b: RunningApp): number => b.name.length - a.name.length;
