/**
 * What the Mac's commands print, in the recorded formats (test/macos/recordings). Pure: a Mac and arguments in, texts
 * and what the command changed out.
 */
import type { CommandName } from '../../main/memory/commands.ts';
import {
  availableShare,
  type Change,
  compressorBytes,
  demandBytes,
  GIB,
  type Mac,
  type MacProcess,
  MIB,
  PAGE_BYTES,
  pageableBytes,
  swapUsedBytes,
  wiredBytes,
} from './model.ts';

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly changes?: readonly Change[];
  /** A shell text for root to run before it answers. */
  readonly asRoot?: string;
  /** Real milliseconds until it answers. */
  readonly afterMs?: number;
}

const said = (stdout: string): Answer => ({ code: 0, stdout, stderr: '' });
const failed = (stderr: string, code = 1): Answer => ({ code, stdout: '', stderr });

/** `isRoot`: the command was started by something that may change the system. */
export function answer(mac: Mac, name: CommandName, args: readonly string[], isRoot = false): Answer {
  switch (name) {
    case 'sysctl':
      return sysctl(mac, args, isRoot);
    case 'vm_stat':
      return said(vmStat(mac));
    case 'memory_pressure':
      return said(memoryPressure(mac, args.includes('-Q')));
    case 'ioreg':
      return said(ioreg(mac));
    case 'footprint':
      return footprint(mac, args);
    case 'top':
      return said(top(mac));
    case 'lsof':
      // Nobody listens: its exit says so.
      return failed('', 1);
    case 'sw_vers':
      return said(swVers(mac, args));
    case 'pmset':
      return said(
        ['thermal warning level', 'performance warning level', 'CPU power status']
          .map((what) => `Note: No ${what} has been recorded\n`)
          .join(''),
      );
    case 'osascript':
      return osascript(mac, args);
    case 'launchctl':
      return launchctl(mac, args, isRoot);
    case 'tmutil':
      // A word on what is left out of backups, and nothing that this Mac would have to remember.
      return args[0] === 'addexclusion' && args.length === 2
        ? said('')
        : failed(`Usage: tmutil addexclusion item\n`, 64);
  }
}

// ── sysctl ────────────────────────────────────────────────────────────────────────────────────────

function sysctl(mac: Mac, args: readonly string[], isRoot: boolean): Answer {
  const flags = args.filter((arg) => arg.startsWith('-')).join('');
  let stdout = '';
  let stderr = '';
  let failures = 0;
  let changes: readonly Change[] = [];
  for (const arg of args.filter((arg) => !arg.startsWith('-'))) {
    const [name = '', wanted] = arg.split('=');
    const value = sysctlValue(mac, name);
    const head = flags.includes('n') ? '' : `${name}: `;
    if (value === null) {
      if (flags.includes('i')) continue;
      failures += 1;
      stderr += `sysctl: unknown oid '${name}'\n`;
    } else if (wanted === undefined) {
      stdout += `${head}${value}\n`;
    } else if (isRoot && name === 'iogpu.wired_limit_mb' && /^\d{1,9}$/.test(wanted)) {
      stdout += `${head}${value} -> ${wanted}\n`;
      changes = [...changes, { kind: 'set-limit', limitMiB: Number(wanted) }];
    } else {
      failures += 1;
      stdout += `${head}${value}\n`;
      stderr += `sysctl: ${arg}: Operation not permitted\n`;
    }
  }
  return { code: failures, stdout, stderr, changes };
}

function sysctlValue(mac: Mac, name: string): string | null {
  const megabytes = (bytes: number): string => `${(bytes / MIB).toFixed(2).replace('.', mac.decimalMark)}M`;
  switch (name) {
    case 'kern.memorystatus_vm_pressure_level':
      return String(mac.level);
    case 'kern.memorystatus_level':
      return String(freePercent(mac));
    case 'vm.swapusage': {
      const used = swapUsedBytes(mac);
      // Swap files grow by the gibibyte.
      const total = Math.ceil(used / GIB) * GIB;
      return `total = ${megabytes(total)}  used = ${megabytes(used)}  free = ${megabytes(total - used)}  (encrypted)`;
    }
    case 'iogpu.wired_limit_mb':
      return String(mac.wiredLimitMiB);
    case 'iogpu.wired_lwm_mb':
    case 'iogpu.disable_wired_collector':
      return '0';
    case 'hw.memsize':
      return String(mac.totalBytes);
    case 'hw.pagesize':
      return String(PAGE_BYTES);
    case 'hw.model':
      return 'Mac14,9';
    case 'hw.optional.arm64':
      // An Intel Mac does not know the name.
      return mac.chip.startsWith('Intel') ? null : '1';
    case 'machdep.cpu.brand_string':
      return mac.chip;
    case 'kern.osproductversion':
      return mac.version;
    case 'kern.osversion':
      return mac.build;
    case 'kern.bootsessionuuid':
      return mac.bootId;
    case 'kern.boottime': {
      const seconds = Math.floor(mac.bootedAtMs / 1_000);
      return `{ sec = ${seconds}, usec = 250000 } ${new Date(mac.bootedAtMs).toUTCString()}`;
    }
    default:
      return null;
  }
}

const freePercent = (mac: Mac): number => Math.floor((100 * availableShare(mac) * pageableBytes(mac)) / mac.totalBytes);

// ── vm_stat and memory_pressure ───────────────────────────────────────────────────────────────────

interface Pages {
  readonly free: number;
  readonly speculative: number;
  readonly active: number;
  readonly inactive: number;
  readonly wired: number;
  readonly purgeable: number;
  readonly files: number;
  readonly anonymous: number;
  readonly stored: number;
  readonly compressor: number;
}

function pagesOf(mac: Mac): Pages {
  const pages = (bytes: number): number => Math.round(bytes / PAGE_BYTES);
  const compressor = pages(compressorBytes(mac));
  const available = Math.max(0, pages(pageableBytes(mac)) - compressor);
  const resident = Math.max(0, demandBytes(mac) - mac.compressedBytes - mac.swappedBytes);
  const anonymous = Math.min(available, pages(resident));
  // macOS uses what is left for files and leaves next to nothing free.
  const free = Math.min(6_000, available - anonymous);
  const files = available - anonymous - free;
  const speculative = Math.min(3_000, files);
  const active = Math.floor((available - free - speculative) / 2);
  return {
    free,
    speculative,
    active,
    inactive: available - free - speculative - active,
    wired: pages(wiredBytes(mac)),
    purgeable: Math.min(600, anonymous),
    files,
    anonymous,
    stored: pages(mac.compressedBytes),
    compressor,
  };
}

function vmStat(mac: Mac): string {
  const width = Number(mac.version.split('.')[0]) >= 26 ? 35 : 30;
  const pages = pagesOf(mac);
  const { counters } = mac;
  const rows: readonly (readonly [string, number])[] = [
    ['Pages free', pages.free],
    ['Pages active', pages.active],
    ['Pages inactive', pages.inactive],
    ['Pages speculative', pages.speculative],
    ['Pages throttled', 0],
    ['Pages wired down', pages.wired],
    ['Pages purgeable', pages.purgeable],
    ['"Translation faults"', 574_921_966],
    ['Pages copy-on-write', 38_671_927],
    ['Pages zero filled', 320_571_840],
    ['Pages reactivated', 75_978_152],
    ['Pages purged', 16_666_917],
    ['File-backed pages', pages.files],
    ['Anonymous pages', pages.anonymous],
    ['Pages stored in compressor', pages.stored],
    ['Pages occupied by compressor', pages.compressor],
    ['Decompressions', counters.decompressions],
    ['Compressions', counters.compressions],
    ['Pageins', 7_854_456],
    ['Pageouts', 320_741],
    ['Swapins', counters.swapIns],
    ['Swapouts', counters.swapOuts],
  ];
  const lines = rows.map(
    ([label, count]) => `${`${label}:`.padEnd(width)} ${String(Math.floor(count)).padStart(16)}.\n`,
  );
  return `Mach Virtual Memory Statistics: (page size of ${PAGE_BYTES} bytes)\n${lines.join('')}`;
}

function memoryPressure(mac: Mac, isQuick: boolean): string {
  const head = `The system has ${mac.totalBytes} (${mac.totalBytes / PAGE_BYTES} pages with a page size of ${PAGE_BYTES}).\n`;
  const end = `System-wide memory free percentage: ${freePercent(mac)}%\n`;
  if (isQuick) return `${head}${end}`;
  const pages = pagesOf(mac);
  const { counters } = mac;
  const section = (title: string, rows: readonly (readonly [string, number])[]): string =>
    `\n${title}\n${rows.map(([label, count]) => `${label}: ${Math.floor(count)} \n`).join('')}`;
  return [
    head,
    section('Stats: ', [
      ['Pages free', pages.free],
      ['Pages purgeable', pages.purgeable],
      ['Pages purged', 16_666_917],
    ]),
    section('Swap I/O:', [
      ['Swapins', counters.swapIns],
      ['Swapouts', counters.swapOuts],
    ]),
    section('Page Q counts:', [
      ['Pages active', pages.active],
      ['Pages inactive', pages.inactive],
      ['Pages speculative', pages.speculative],
      ['Pages throttled', 0],
      ['Pages wired down', pages.wired],
    ]),
    section('Compressor Stats:', [
      ['Pages used by compressor', pages.compressor],
      ['Pages decompressed', counters.decompressions],
      ['Pages compressed', counters.compressions],
    ]),
    section('File I/O:', [
      ['Pageins', 7_854_457],
      ['Pageouts', 320_741],
    ]),
    `\n${end}`,
  ].join('');
}

// ── processes ─────────────────────────────────────────────────────────────────────────────────────

/** With Headroom's own, which are there while it says so. */
function processesOf(mac: Mac): readonly MacProcess[] {
  if (mac.engine === null) return mac.processes;
  const { appPid, enginePid, gpuBytes } = mac.engine;
  const app = { pid: appPid, parentPid: 1, command: 'Headroom', bytes: 180 * MIB };
  if (enginePid === null) return [...mac.processes, app];
  const engine = { pid: enginePid, parentPid: appPid, command: 'python3.12', bytes: 250 * MIB + gpuBytes };
  return [...mac.processes, app, engine];
}

function top(mac: Mac): string {
  const rows = [...processesOf(mac)].sort((a, b) => b.bytes - a.bytes);
  const wired = Math.round(wiredBytes(mac) / MIB);
  const compressor = Math.round(compressorBytes(mac) / MIB);
  const used = Math.round((mac.totalBytes - pagesOf(mac).free * PAGE_BYTES) / GIB);
  const unused = Math.round((pagesOf(mac).free * PAGE_BYTES) / MIB);
  const { counters } = mac;
  return [
    `Processes: ${rows.length} total, 2 running, ${rows.length - 2} sleeping, 2843 threads \n`,
    `${new Date(mac.nowMs).toISOString().slice(0, 19).replace('T', ' ').replaceAll('-', '/')}\n`,
    'Load Avg: 2.11, 2.48, 2.39 \nCPU usage: 5.55% user, 11.11% sys, 83.33% idle \n',
    'SharedLibs: 543M resident, 112M data, 45M linkedit.\nMemRegions: 0 total, 0B resident, 0B private, 3131M shared.\n',
    `PhysMem: ${used}G used (${wired}M wired, ${compressor}M compressor), ${unused}M unused.\n`,
    `VM: 268T vsize, 5702M framework vsize, ${Math.floor(counters.swapIns)}(0) swapins, ${Math.floor(counters.swapOuts)}(0) swapouts.\n`,
    'Networks: packets: 7834592/5930M in, 4521345/1201M out.\nDisks: 7847484/103G read, 4531245/88G written.\n',
    '\nPID    PPID  MEM    COMMAND         \n',
    ...rows.map(
      ({ pid, parentPid, bytes, command }) =>
        `${String(pid).padEnd(6)} ${String(parentPid).padEnd(5)} ${topSize(bytes).padEnd(6)} ${command.slice(0, 16).padEnd(16)}\n`,
    ),
  ].join('');
}

/** Four digits at most, as top prints: 2497M, 7090M, 15G. */
function topSize(bytes: number): string {
  if (bytes < 10_000 * 1_024) return `${Math.round(bytes / 1_024)}K`;
  if (bytes < 10_000 * MIB) return `${Math.round(bytes / MIB)}M`;
  return `${Math.round(bytes / GIB)}G`;
}

function footprint(mac: Mac, args: readonly string[]): Answer {
  const pid = Number(args.find((arg) => /^\d+$/.test(arg)) ?? Number.NaN);
  const process = processesOf(mac).find((candidate) => candidate.pid === pid);
  if (process === undefined) return failed(`footprint: Unable to find process matching ${String(pid)}\n`);
  const size = `${Math.round(process.bytes / MIB)} MB`;
  return said(
    `${process.command} [${pid}]: 64-bit    Footprint: ${size} (${PAGE_BYTES} bytes per page)\n` +
      `Auxiliary data:\n    phys_footprint: ${size}\n    phys_footprint_peak: ${size}\n`,
  );
}

function ioreg(mac: Mac): string {
  const inUse = mac.engine?.gpuBytes ?? 300 * MIB;
  return [
    '+-o AGXAcceleratorG14X  <class AGXAcceleratorG14X, id 0x1000004b2, registered, matched, active, busy 0 (346 ms), retain 47>\n    {\n',
    `      "PerformanceStatistics" = {"In use system memory (driver)"=0,"Alloc system memory"=${Math.round(inUse * 1.2)},"Tiler Utilization %"=3,"recoveryCount"=0,"Renderer Utilization %"=3,"Device Utilization %"=42,"In use system memory"=${Math.round(inUse)}}\n`,
    `      "model" = "${mac.chip}"\n    }\n`,
  ].join('');
}

function swVers(mac: Mac, args: readonly string[]): string {
  if (args.some((arg) => /^--?productVersion$/.test(arg))) return `${mac.version}\n`;
  return `ProductName:\t\tmacOS\nProductVersion:\t\t${mac.version}\nBuildVersion:\t\t${mac.build}\n`;
}

// ── launchctl ─────────────────────────────────────────────────────────────────────────────────────

function launchctl(mac: Mac, [verb = '', domain = '', path = '']: readonly string[], isRoot: boolean): Answer {
  const { loaded, switchedOff } = mac.daemons;
  const label =
    (path === '' ? domain : path)
      .split('/')
      .at(-1)
      ?.replace(/\.plist$/, '') ?? '';
  switch (verb) {
    case 'print':
      return loaded.includes(label)
        ? said(`system/${label} = {\n\tactive count = 1\n\ttype = LaunchDaemon\n\tstate = waiting\n}\n`)
        : failed(`Bad request.\nCould not find service "${label}" in domain for system\n`, 113);
    case 'print-disabled':
      return said(`\n\tdisabled services = {\n${switchedOff.map((off) => `\t\t"${off}" => disabled\n`).join('')}\t}\n`);
    case 'bootout':
      if (!isRoot) return failed('Boot-out failed: 1: Operation not permitted\n', 1);
      if (!loaded.includes(label)) return failed('Boot-out failed: 3: No such process\n', 3);
      return { ...said(''), changes: [{ kind: 'daemon', label, isLoaded: false }] };
    case 'bootstrap':
      if (!isRoot) return failed('Bootstrap failed: 1: Operation not permitted\n', 1);
      if (switchedOff.includes(label)) return failed('Bootstrap failed: 119: Service is disabled\n', 119);
      if (loaded.includes(label)) return failed('Bootstrap failed: 37: Operation already in progress\n', 37);
      return { ...said(''), changes: [{ kind: 'daemon', label, isLoaded: true }] };
    default:
      return failed(`Unrecognized subcommand: ${verb}\n`, 64);
  }
}

// ── osascript ─────────────────────────────────────────────────────────────────────────────────────

/** The scripts Headroom has: the list of apps, quitting one, and a command as administrator. */
function osascript(mac: Mac, args: readonly string[]): Answer {
  const text = args.join('\n');
  if (text.includes('with administrator privileges')) return asAdministrator(mac, args.at(-2) ?? '');
  if (text.includes('.quit()')) return quit(mac, Number(args.at(-2)), args.at(-1) ?? '');
  if (text.includes('runningApplications')) return said(runningApps(mac));
  return failed('0:1: syntax error: A unknown token can’t go here. (-2740)\n');
}

function runningApps(mac: Mac): string {
  const apps = mac.processes.flatMap(({ pid, app }) =>
    app === undefined ? [] : [{ pid, name: app.name, bundleId: app.bundleId }],
  );
  return `${JSON.stringify(apps)}\n`;
}

function quit(mac: Mac, pid: number, name: string): Answer {
  const app = mac.processes.find((process) => process.pid === pid)?.app;
  if (app === undefined || app.name !== name) return said('gone\n');
  switch (app.whenAsked) {
    case 'quits':
      return { ...said('quit\n'), changes: [{ kind: 'end', pid }], afterMs: 200 };
    case 'asks-about-unsaved-work':
      return failed('execution error: Error: Error: User canceled. (-128)\n');
    case 'hangs':
      return { ...said('running\n'), afterMs: 500 };
    case 'macos-denies':
      return failed(`execution error: Error: Error: Not authorized to send Apple events to ${name}. (-1743)\n`);
  }
}

function asAdministrator(mac: Mac, script: string): Answer {
  switch (mac.prompt) {
    case 'cancelled':
      return failed('0:116: execution error: User canceled. (-128)\n');
    case 'wrong-password':
      return failed('0:116: execution error: The administrator user name or password was incorrect. (-60007)\n');
    case 'sysctl-refuses':
      return failed('0:116: execution error: sysctl: iogpu.wired_limit_mb: Invalid argument (1)\n');
    case 'allowed': {
      const [, limit] = /^\/usr\/sbin\/sysctl -w iogpu\.wired_limit_mb=(\d{1,9})$/.exec(script) ?? [];
      if (limit === undefined) return { ...said('\n'), asRoot: script };
      const result = answer(mac, 'sysctl', [`iogpu.wired_limit_mb=${limit}`], true);
      // AppleScript turns line ends into carriage returns.
      return { ...result, stdout: result.stdout.replaceAll('\n', '\r') };
    }
  }
}
