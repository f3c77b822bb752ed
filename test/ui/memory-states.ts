/** Memory as it may stand, for the fake bridge: numbers of a 16 GB Mac with gpt-oss-20b. */
import type {
  MemorySample,
  MemoryUser,
  PressureLevel,
  ProtectionState,
  ProtectionStep,
  WiredLimitChoice,
  WiredLimitPlan,
  WiredLimitState,
} from '../../preload/contract.ts';
import type { FakeMemory } from './fake-bridge.ts';

const GIB = 1_073_741_824;
const MIB = 1_048_576;

/** Ten minutes towards the given end: off at first, loaded from the fourth minute on. */
export function tenMinutes(
  nowMs: number,
  end: { readonly level: PressureLevel; readonly needle: number; readonly swapGib?: number; readonly isOn?: boolean },
): readonly MemorySample[] {
  const { level, needle, swapGib = 0.1, isOn = true } = end;
  return Array.from({ length: 121 }, (_, index) => {
    const share = index / 120;
    const on = isOn && share > 0.35;
    const loading = on ? Math.min(1, (share - 0.35) / 0.12) : 0;
    const wobble = 0.015 * Math.sin(index / 3) + 0.008 * Math.sin(index);
    const grown = isOn ? loading : share;
    const at = 0.14 + (needle - 0.14) * grown + (grown < 1 || share < 0.97 ? wobble : 0);
    const engine = 11.3 * loading;
    const swap = swapGib * Math.max(0, share - 0.4) * (1 / 0.6);
    return {
      atMs: nowMs - (120 - index) * 5_000,
      level: at > 0.657 || (share === 1 && level === 'critical') ? 'critical' : at > 0.5 ? 'warning' : 'normal',
      needle: share === 1 ? needle : at,
      totalBytes: 16 * GIB,
      availableBytes: (isOn ? 9 - 7.4 * loading : 9) * GIB,
      wiredBytes: (2.4 + engine + 0.05 * Math.sin(index / 5)) * GIB,
      compressedBytes: at * 2 * GIB,
      swapUsedBytes: swap * GIB,
      swapOutBytesPerSecond: swapGib > 1 && share > 0.9 ? 42 * MIB : 0,
      engineActiveBytes: on ? engine * GIB : null,
      source: 'macos',
    };
  });
}

const app = (name: string, pid: number, gib: number): MemoryUser => ({
  name,
  pid,
  bytes: gib * GIB,
  isOurs: false,
  canQuit: true,
});

export const users: readonly MemoryUser[] = [
  { name: 'Headroom', pid: 4_100, bytes: 11.6 * GIB, isOurs: true, canQuit: false },
  app('Google Chrome', 900, 2.1),
  app('Xcode', 1_204, 1.3),
  { name: 'WindowServer', pid: 150, bytes: 0.42 * GIB, isOurs: false, canQuit: false },
  app('Music', 611, 0.22),
  app('Notes', 660, 0.09),
  app('Mail', 410, 0.08),
];

const choice = (name: WiredLimitChoice['name'], limitMiB: number, leavesFullyUsedMiB: number): WiredLimitChoice => ({
  name,
  limitMiB,
  command: `sudo /usr/sbin/sysctl -w iogpu.wired_limit_mb=${limitMiB}`,
  leavesMiB: 1_536,
  leavesFullyUsedMiB,
});

const plan: WiredLimitPlan = {
  verdict: {
    kind: 'raise',
    toMiB: 12_800,
    choices: [choice('minimum', 12_800, 896), choice('recipe', 13_312, 384)],
  },
  memoryMiB: 16_384,
  limitMiB: 10_922,
  limitFrom: 'metal',
  peakMiB: 12_160,
  peakFrom: 'estimated',
  needMiB: 12_800,
  leavesMiB: 1_536,
  canStartAnyway: false,
  keepsResident: true,
};
const enough: WiredLimitPlan = { ...plan, verdict: { kind: 'none-needed', by: 'macos' }, limitMiB: 21_845 };

export const calm = (nowMs: number): FakeMemory => ({
  samples: tenMinutes(nowMs, { level: 'normal', needle: 0.36 }),
  users,
  quit: { outcome: 'asked', message: 'Google Chrome has quit.' },
  wiredLimit: { kind: 'idle', settingMiB: 0, note: null },
  plan,
  helper: { state: { kind: 'not-installed' }, atBootMiB: null, message: null },
  protection: { kind: 'calm' },
});

export const asking: Extract<WiredLimitState, { kind: 'asking' }> = {
  kind: 'asking',
  plan,
  askedBy: 'window',
  settingMiB: 0,
  originalMiB: null,
};
const work = { fromMiB: 0, toMiB: 12_800, originalMiB: 0, thenStart: true };
const trouble = (
  code: string,
  message: string,
  over: Partial<Extract<WiredLimitState, { kind: 'trouble' }>> = {},
): WiredLimitState => ({
  kind: 'trouble',
  during: 'raise',
  cause: {
    code: `wired-limit-${code}`,
    message,
    nextStep: 'Try again, or choose “I’ll run it myself” and put the command below into Terminal.',
  },
  settingMiB: 0,
  originalMiB: null,
  command: 'sudo /usr/sbin/sysctl -w iogpu.wired_limit_mb=12800',
  ...over,
});

/** Every state of the wired limit's sheet. */
export const wiredLimits: Readonly<Record<string, Partial<FakeMemory> & { readonly wiredLimit: WiredLimitState }>> = {
  asking: { wiredLimit: asking },
  'asking-capped': {
    wiredLimit: {
      ...asking,
      plan: {
        ...plan,
        verdict: { kind: 'capped', toMiB: 13_926, wouldLikeMiB: 14_200, choices: [choice('minimum', 13_926, -230)] },
        limitMiB: 12_124,
        canStartAnyway: true,
        needMiB: 14_200,
      },
    },
  },
  idle: { wiredLimit: { kind: 'idle', settingMiB: 0, note: null }, plan: enough },
  restored: {
    wiredLimit: {
      kind: 'idle',
      settingMiB: 0,
      note: { code: 'restored', message: 'Everything is put back: the limit is macOS’s own choice.' },
    },
    plan: enough,
  },
  'too-small': {
    wiredLimit: { kind: 'idle', settingMiB: 0, note: null },
    plan: {
      ...plan,
      verdict: { kind: 'ram-too-small', mostMiB: 6_963 },
      memoryMiB: 8_192,
      limitMiB: 5_461,
      leavesMiB: -6_100,
    },
  },
  prompt: {
    wiredLimit: {
      kind: 'raising',
      by: 'prompt',
      command: 'sudo /usr/sbin/sysctl -w iogpu.wired_limit_mb=12800',
      ...work,
    },
  },
  myself: {
    wiredLimit: {
      kind: 'raising',
      by: 'myself',
      command: 'sudo /usr/sbin/sysctl -w iogpu.wired_limit_mb=12800',
      ...work,
    },
  },
  restoring: {
    wiredLimit: {
      kind: 'restoring',
      by: 'prompt',
      command: 'sudo /usr/sbin/sysctl -w iogpu.wired_limit_mb=0',
      fromMiB: 12_800,
      toMiB: 0,
      originalMiB: 0,
      thenStart: false,
    },
  },
  'restoring-myself': {
    wiredLimit: {
      kind: 'restoring',
      by: 'myself',
      command: 'sudo /usr/sbin/sysctl -w iogpu.wired_limit_mb=0',
      fromMiB: 12_800,
      toMiB: 0,
      originalMiB: 0,
      thenStart: false,
    },
  },
  'raising-with-helper': {
    wiredLimit: {
      kind: 'raising',
      by: 'prompt',
      command: 'sudo /usr/sbin/sysctl -w iogpu.wired_limit_mb=12800',
      ...work,
    },
    helper: { state: { kind: 'installed', version: 1 }, atBootMiB: null, message: null },
  },
  verifying: { wiredLimit: { kind: 'verifying', during: 'raise', ...work } },
  raised: { wiredLimit: { kind: 'raised', settingMiB: 12_800, originalMiB: 0, fromEarlierRun: false } },
  'raised-earlier': {
    wiredLimit: { kind: 'raised', settingMiB: 12_800, originalMiB: 0, fromEarlierRun: true },
    helper: { state: { kind: 'installed', version: 1 }, atBootMiB: null, message: null },
  },
  cancelled: { wiredLimit: trouble('cancelled', 'You cancelled. The limit is still macOS’s own choice.') },
  'wrong-password': {
    wiredLimit: trouble('wrong-password', 'macOS did not accept the password. The limit is still macOS’s own choice.'),
  },
  'not-admin': {
    wiredLimit: trouble(
      'not-admin',
      'Only an administrator of this Mac may change the limit. It is still macOS’s own choice.',
    ),
  },
  refused: {
    wiredLimit: trouble(
      'refused',
      'macOS refused the new limit (sysctl: iogpu.wired_limit_mb: Invalid argument). It is still macOS’s own choice.',
    ),
  },
  unavailable: {
    wiredLimit: trouble('unavailable', 'macOS cannot ask for a password here (no dialog can be shown here).'),
  },
  'changed-meanwhile': {
    wiredLimit: trouble('changed-meanwhile', 'Another tool has changed the limit: it is 14,000 MiB now.', {
      during: 'restore',
      settingMiB: 14_000,
      originalMiB: 0,
      command: null,
      cause: {
        code: 'wired-limit-changed-meanwhile',
        message: 'Another tool has changed the limit: it is 14,000 MiB now.',
        nextStep: 'Keep it, or put back what was there before Headroom: macOS’s own choice.',
      },
    }),
  },
};

const step = (nowMs: number, message: string, nextStep: string, level: PressureLevel): ProtectionStep => ({
  sinceMs: nowMs - 20_000,
  trigger: 'swap-outs',
  because: {
    level,
    needle: 0.6,
    swapUsedBytes: 3.2 * GIB,
    swapOutBytesPerSecond: 120 * MIB,
    decodeTokensPerSecond: 11,
    usualDecodeTokensPerSecond: 41,
  },
  message,
  nextStep,
});

/** Every state of protection that shows over the conversation. */
export function protections(nowMs: number): Readonly<Record<string, ProtectionState>> {
  const why = 'memory pressure is at Critical, 3.2 GB are in swap, 120 MB more go there each second';
  const next = 'Close apps you do not need, then ask again, or overrule this for ten minutes.';
  return {
    easing: {
      kind: 'easing',
      ...step(
        nowMs,
        'Memory is getting short: memory pressure is at Warning, 3.2 GB are in swap. Caches were dropped, and long prompts have to wait.',
        'Close apps you do not need, or overrule this for ten minutes.',
        'warning',
      ),
    },
    cancelled: {
      kind: 'cancelled',
      ...step(nowMs, `The answer was ended to keep the computer usable: ${why}. Its text was kept.`, next, 'critical'),
    },
    unloaded: {
      kind: 'unloaded',
      ...step(nowMs, `The model was unloaded to keep the computer usable: ${why}.`, next, 'critical'),
    },
    lent: {
      kind: 'lent',
      ...step(
        nowMs,
        'The model was not in use and other apps needed memory: memory pressure is at Warning. It was unloaded.',
        'It comes back when you write.',
        'warning',
      ),
    },
    undone: { kind: 'undone', sinceMs: nowMs, untilMs: nowMs + 600_000 },
    'wired-left': {
      kind: 'wired-left',
      sinceMs: nowMs,
      leftBytes: 9.8 * GIB,
      baselineBytes: 2.4 * GIB,
      message: 'The model has ended, but 9.8 GB of memory that was not in use before it are still held by the system.',
      nextStep: 'Only a restart of the computer gives them back. Until then the model is not started by itself.',
    },
  };
}
