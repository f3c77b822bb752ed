/** Where a redirect may lead, and whether the token goes along. */

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

export type NextHop =
  | { readonly kind: 'go'; readonly url: URL; readonly withToken: boolean }
  | { readonly kind: 'refused'; readonly why: string };

/** True for `https:` anywhere, and for `http:` on this machine where the hub itself is there: a local mirror, a test. */
function mayAsk(url: URL, hub: URL): boolean {
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && hub.protocol === 'http:' && LOOPBACK.has(url.hostname);
}

/** `location`: what the answer said, relative to `from` or absolute. The token is for the hub's own origin alone. */
export function nextHop(location: string | null, from: URL, hub: URL): NextHop {
  if (location === null) return { kind: 'refused', why: 'a redirect without an address' };
  const url = parsed(location, from);
  if (url === null) return { kind: 'refused', why: 'a redirect to something that is no address' };
  if (!mayAsk(url, hub)) return { kind: 'refused', why: `a redirect to ${url.protocol}//${url.hostname}` };
  if (url.username !== '' || url.password !== '') return { kind: 'refused', why: 'a redirect with a password in it' };
  return { kind: 'go', url, withToken: url.origin === hub.origin };
}

/** The hub's address as it may be given: https, or http on this machine. Null when it is neither. */
export function hubUrl(text: string): URL | null {
  const url = parsed(text);
  return url !== null && mayAsk(url, url) && url.username === '' && url.password === '' ? url : null;
}

function parsed(text: string, base?: URL): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}
