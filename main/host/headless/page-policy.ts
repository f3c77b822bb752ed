/** What the headless host answers over plain HTTP: the window's files, to those who meant this server. Pure. */
import { isOwnHost, LOOPBACK } from '../../loopback.ts';
import type { KnownFiles } from '../renderer-files.ts';

export interface RequestHead {
  readonly method: string;
  readonly url: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

export interface PageAnswer {
  readonly status: 200 | 403 | 404 | 405 | 421;
  readonly headers: Readonly<Record<string, string>>;
  readonly content: { readonly file: string } | { readonly text: string };
}

/** Only this name: `localhost` would be another origin, to which neither the policy nor the session belongs. */
const ownNames = [LOOPBACK];
export const ownOrigin = (port: number): string => `http://${LOOPBACK}:${port}`;

export function contentSecurityPolicy(port: number): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src ws://${LOOPBACK}:${port}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
  ].join('; ');
}

export function answerPage(head: RequestHead, files: KnownFiles, port: number): PageAnswer {
  const headers = {
    'content-security-policy': contentSecurityPolicy(port),
    'x-content-type-options': 'nosniff',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    // Another program may have had this port yesterday, and have it tomorrow: nothing of ours stays in a cache.
    'cache-control': 'no-store',
  };
  const refuse = (status: 403 | 404 | 405 | 421, text: string, more: Record<string, string> = {}): PageAnswer => ({
    status,
    headers: { ...headers, 'content-type': 'text/plain; charset=utf-8', ...more },
    content: { text: `${text}\n` },
  });

  if (!isOwnHost(head.host, port, ownNames)) return refuse(421, `Open ${ownOrigin(port)} instead.`);
  if (head.origin !== undefined && head.origin !== ownOrigin(port))
    return refuse(403, 'Other pages may not ask Headroom for anything.');
  if (head.method !== 'GET' && head.method !== 'HEAD')
    return refuse(405, 'Only GET and HEAD work here.', { allow: 'GET, HEAD' });
  const known = files.get(pathOf(head.url));
  if (known === undefined) return refuse(404, 'There is nothing here.');
  return { status: 200, headers: { ...headers, 'content-type': known.contentType }, content: { file: known.file } };
}

/** May this upgrade become a window's socket? Browsers always send Origin with one, and pages cannot forge it. */
export function mayUpgrade(head: RequestHead, port: number, socketPath: string): boolean {
  return isOwnHost(head.host, port, ownNames) && head.origin === ownOrigin(port) && pathOf(head.url) === socketPath;
}

const pathOf = (url: string): string => url.split('?', 1)[0] ?? '';
