/** What can go wrong with the hub, the network and the disk, in words for people. */
import type { FailureCause } from '../../../preload/contract.ts';

/** What went wrong: `later` passes by itself and is tried again, `never` needs somebody to do something. */
export class HubFault extends Error {
  readonly reason: FailureCause;
  readonly again: 'later' | 'never';
  /** What the hub asked for with Retry-After; null when it said nothing. */
  readonly retryAfterMs: number | null;

  constructor(
    reason: FailureCause,
    again: 'later' | 'never',
    options: { readonly retryAfterMs?: number | null; readonly cause?: unknown } = {},
  ) {
    super(`${reason.code}: ${reason.message}`, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'HubFault';
    this.reason = reason;
    this.again = again;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

const fault = (
  again: 'later' | 'never',
  code: string,
  message: string,
  nextStep: string,
  options?: { readonly retryAfterMs?: number | null; readonly cause?: unknown },
): HubFault => new HubFault({ code, message, nextStep }, again, options);

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(bytes < 1e10 ? 2 : 1)} GB`;

export const hostile = (what: string): HubFault =>
  fault(
    'never',
    'hostile',
    `This repository was refused: ${what}.`,
    'Choose another model. Nothing of this one was kept.',
  );

export const notMlx = (what: string): HubFault =>
  fault('never', 'not-mlx', what, 'Look for the same model in MLX format, for example from mlx-community.');

export const oddAnswer = (what: string): HubFault =>
  fault('later', 'hub-answer', `The hub's answer makes no sense: ${what}.`, 'Headroom tries again by itself.');

export const damagedAtSource = (path: string): HubFault =>
  fault(
    'never',
    'damaged-at-source',
    `${path} arrived twice with a checksum that differs from the one promised.`,
    'Try again later. If it stays so, the file is damaged at the hub or something on the way changes it.',
  );

export const changedAtSource = (path: string): HubFault =>
  fault(
    'never',
    'changed-at-source',
    `The hub now offers another file under the name ${path}.`,
    'Try again: the list of files is then asked for anew.',
  );

export const stalled = (seconds: number): HubFault =>
  fault(
    'later',
    'stalled',
    `Next to nothing came from the hub for ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`,
    'Headroom asks again by itself.',
  );

/** `spareBytes`: what has to stay free beside the model, because macOS swaps onto the same disk. */
export const diskFull = (neededBytes: number, freeBytes: number, folder: string, spareBytes = 0): HubFault =>
  fault(
    'never',
    'disk-full',
    `The download still needs ${gigabytes(neededBytes)}${spareBytes > 0 ? ` and ${gigabytes(spareBytes)} to spare` : ''}; the disk with ${folder} has ${gigabytes(freeBytes)} free.`,
    'Free some space, then continue: what is there already is kept.',
  );

export const volumeGone = (folder: string): HubFault =>
  fault(
    'later',
    'volume-gone',
    `The disk with ${folder} is not connected.`,
    'Connect it again: the download then goes on by itself.',
  );

export const busyElsewhere = (): HubFault =>
  fault(
    'later',
    'busy-elsewhere',
    'Another Headroom is downloading this model into the same folder.',
    'Wait for it, or quit the other one.',
  );

/** What an HTTP status other than success means. `hasToken`: whether a token went with the request. */
export function statusFault(
  status: number,
  header: (name: string) => string | null,
  repository: string,
  hasToken: boolean,
  nowMs: number,
): HubFault {
  const code = header('x-error-code');
  const page = `huggingface.co/${repository}`;
  if (code === 'GatedRepo') {
    return hasToken
      ? fault(
          'never',
          'gated',
          `The makers of ${repository} decide who may download it, and your account may not yet.`,
          `Open ${page}, accept the conditions there, then try again.`,
        )
      : fault(
          'never',
          'gated',
          `The makers of ${repository} decide who may download it.`,
          `Accept the conditions at ${page}, make a token under huggingface.co/settings/tokens, and enter it under Models › Downloads.`,
        );
  }
  if (status === 407) {
    return fault(
      'never',
      'proxy',
      'The proxy wants a name and a password.',
      'Enter the proxy as http://name:password@host:port under Models › Downloads.',
    );
  }
  // Asked without a token, the hub says the same of a private repository as of one that does not exist.
  if (status === 401) {
    return hasToken
      ? fault(
          'never',
          'token-refused',
          'The hub does not accept your token.',
          'Make a new one under huggingface.co/settings/tokens and enter it under Models › Downloads.',
        )
      : fault(
          'never',
          'private',
          `There is no ${repository} at the hub, or it is private.`,
          'Look at the spelling. For a private model, enter your token under Models › Downloads.',
        );
  }
  if (status === 404 && code === 'RevisionNotFound') {
    return fault(
      'never',
      'revision-gone',
      `This version of ${repository} is no longer at the hub.`,
      'Choose another model, or add the repository anew to get its present version.',
    );
  }
  if (status === 404 || status === 410) {
    return fault(
      'never',
      'not-found',
      code === 'EntryNotFound'
        ? `A file of ${repository} is no longer at the hub.`
        : `There is no ${repository} at the hub.`,
      'Look at the spelling, or choose another model.',
    );
  }
  if (status === 403 || status === 451) {
    return fault(
      'never',
      'forbidden',
      `The hub does not give ${repository} to you.`,
      `See ${page} for the reason, or choose another model.`,
    );
  }
  if (status === 429) {
    return fault(
      'later',
      'hub-busy',
      'The hub asks for patience: too many requests came from this address.',
      'Headroom goes on by itself. With a token in the settings the hub allows more.',
      { retryAfterMs: retryAfterMs(header('retry-after'), nowMs) },
    );
  }
  if (status >= 500 || status === 408) {
    return fault('later', 'hub-down', `The hub has trouble (status ${status}).`, 'Headroom tries again by itself.', {
      retryAfterMs: retryAfterMs(header('retry-after'), nowMs),
    });
  }
  return fault(
    'later',
    'hub-answer',
    `The hub answered with status ${status}.`,
    'Headroom tries again by itself. If it stays so, look whether something stands between this Mac and the hub.',
  );
}

const LONGEST_RETRY_AFTER_MS = 15 * 60_000;

/** RFC 9110 §10.2.3: seconds, or a date. Null for anything else. */
export function retryAfterMs(value: string | null, nowMs: number): number | null {
  if (value === null) return null;
  const text = value.trim();
  const waitMs = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isFinite(waitMs) ? Math.min(Math.max(waitMs, 0), LONGEST_RETRY_AFTER_MS) : null;
}

const codeOf = (error: unknown): string => {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth += 1) {
    if ('code' in at && typeof at.code === 'string') return at.code;
  }
  return '';
};

const UNTRUSTED = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO_|HOSTNAME_MISMATCH)|^EPROTO$/;

/** True when the other side's certificate is signed by somebody this program does not know. */
export const isUntrusted = (error: unknown): boolean => UNTRUSTED.test(codeOf(error));

/** What a failed connection means. A fault that is one already stays as it is. */
export function connectionFault(error: unknown, host: string): HubFault {
  if (error instanceof HubFault) return error;
  const code = codeOf(error);
  if (UNTRUSTED.test(code)) {
    return fault(
      'later',
      'tls',
      `The connection to ${host} is not safe: its certificate is not trusted (${code}).`,
      'In a network with a sign-in page, sign in first. Where a company inspects traffic, its certificate belongs in the keychain. Look at the date of this Mac, too.',
      { cause: error },
    );
  }
  if (code.startsWith('ERR_PROXY')) {
    return fault(
      'later',
      'proxy',
      `The proxy does not connect to ${host}.`,
      'Look at the proxy under Models › Downloads.',
      { cause: error },
    );
  }
  if (['ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN', 'ECONNREFUSED'].includes(code)) {
    return fault('later', 'offline', `${host} cannot be reached.`, 'The download goes on when the network is back.', {
      cause: error,
    });
  }
  return fault('later', 'connection-lost', `The connection to ${host} broke off.`, 'Headroom goes on by itself.', {
    cause: error,
  });
}

/** What a failed file operation means. `isMac` decides whose permission it may be. */
export function diskFault(error: unknown, folder: string, isMac = process.platform === 'darwin'): HubFault {
  if (error instanceof HubFault) return error;
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return fault(
      'never',
      'disk-full',
      `The disk with ${folder} is full.`,
      'Free some space, then continue: what is there already is kept.',
      { cause: error },
    );
  }
  if (code === 'EPERM' || code === 'EACCES') {
    return isMac && code === 'EPERM'
      ? fault(
          'never',
          'access-denied',
          `macOS does not let Headroom use ${folder}.`,
          'Allow it under System Settings › Privacy & Security › Files & Folders, or choose another folder for models.',
          { cause: error },
        )
      : fault(
          'never',
          'access-denied',
          `Headroom may not write into ${folder}.`,
          'Change the permissions of the folder, or choose another one for models.',
          { cause: error },
        );
  }
  if (code === 'EROFS') {
    return fault(
      'never',
      'read-only',
      `The disk with ${folder} can only be read.`,
      'Choose another folder for models.',
      {
        cause: error,
      },
    );
  }
  if (code === 'EFBIG') {
    return fault(
      'never',
      'disk-format',
      `The disk with ${folder} cannot hold files this large.`,
      'Choose a folder on a disk formatted as APFS.',
      { cause: error },
    );
  }
  return fault(
    'never',
    'disk-error',
    `Writing into ${folder} failed (${code || 'unknown error'}).`,
    'Look whether the disk is in order, then try again.',
    { cause: error },
  );
}
