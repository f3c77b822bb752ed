/**
 * Who may be a window of the headless host.
 *
 * The printed link carries a token that is good once and for a minute; it is exchanged for a session secret that lives
 * as long as this process. A link opened too late or twice is refused, and a fresh one is printed in the terminal: only
 * somebody who can read the terminal gets on. No fresh link is made while one is still good, so nobody can spoil the
 * user's link or flood the terminal by asking.
 */
import type { AppError } from '../../../preload/contract.ts';
import { secretsEqual } from '../../secret.ts';

export const LINK_LIFETIME_MS = 60_000;
const MOST_SESSIONS = 64;
const MOST_SPENT_TOKENS = 16;

type Link =
  | { readonly kind: 'good'; readonly token: string; readonly expiresAtMs: number }
  | { readonly kind: 'used' }
  | { readonly kind: 'none' };

export interface Admissions {
  readonly link: Link;
  readonly sessions: readonly string[];
  /** Tokens that were exchanged, newest first; kept only to say "used" rather than "unknown". */
  readonly spent: readonly string[];
}

export type Verdict =
  | { readonly kind: 'admitted'; readonly session: string }
  | { readonly kind: 'refused'; readonly error: AppError; readonly freshToken: string | null };

export const noAdmissions: Admissions = { link: { kind: 'none' }, sessions: [], spent: [] };

export function offerLink(state: Admissions, token: string, nowMs: number): Admissions {
  return { ...state, link: { kind: 'good', token, expiresAtMs: nowMs + LINK_LIFETIME_MS } };
}

/** A token that is good wins over a session, so that it is spent; a stale token beside a good session does no harm. */
export function admit(
  state: Admissions,
  hello: { readonly token?: string | undefined; readonly session?: string | undefined },
  nowMs: number,
  newSecret: () => string,
): { readonly state: Admissions; readonly verdict: Verdict } {
  const { link } = state;
  const { token, session } = hello;
  const isTheLink = link.kind === 'good' && token !== undefined && secretsEqual(token, link.token);
  if (isTheLink && nowMs <= link.expiresAtMs) {
    const admitted = newSecret();
    return {
      state: {
        link: { kind: 'used' },
        sessions: [admitted, ...state.sessions].slice(0, MOST_SESSIONS),
        spent: [link.token, ...state.spent].slice(0, MOST_SPENT_TOKENS),
      },
      verdict: { kind: 'admitted', session: admitted },
    };
  }
  if (session !== undefined && state.sessions.some((known) => secretsEqual(known, session)))
    return { state, verdict: { kind: 'admitted', session } };

  const linkIsGood = link.kind === 'good' && nowMs <= link.expiresAtMs;
  const freshToken = linkIsGood ? null : newSecret();
  const isSpent = token !== undefined && state.spent.some((known) => secretsEqual(known, token));
  return {
    state: freshToken === null ? state : offerLink(state, freshToken, nowMs),
    verdict: {
      kind: 'refused',
      freshToken,
      error: refusal(isTheLink ? 'late' : isSpent ? 'used' : token ? 'unknown' : 'none'),
    },
  };
}

function refusal(why: 'late' | 'used' | 'unknown' | 'none'): AppError {
  const message = {
    late: 'This link is older than a minute and no longer works.',
    used: 'This link has been used already. Each link opens one window.',
    unknown: 'This link is not from the Headroom that is running now.',
    none: 'This window has no link to Headroom.',
  }[why];
  return {
    code: 'untrusted-sender',
    message,
    nextStep: 'Open the newest link that Headroom has printed in its terminal. It works once, within a minute.',
  };
}
