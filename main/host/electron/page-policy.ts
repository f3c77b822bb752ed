/**
 * What the window may load, open and ask for. Everything is denied but our own page; model output is hostile text.
 */

export const APP_SCHEME = 'app';
const APP_HOST = 'headroom';
export const APP_PAGE_URL = `${APP_SCHEME}://${APP_HOST}/`;

/**
 * The renderer talks through the bridge only, so it needs no connection at all. Trusted Types: no string ever becomes
 * markup or script.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

/** True for an address inside our page. Not by `origin`: for schemes Node does not know it is the string 'null'. */
export function isOurAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  return url.protocol === `${APP_SCHEME}:` && url.host === APP_HOST && url.username === '' && url.password === '';
}

/** A file our page has made in memory, to be saved. */
export function isOwnFile(address: string): boolean {
  return address.startsWith('blob:') && isOurAddress(address.slice('blob:'.length));
}

/** The one navigation our page makes is reloading itself. */
export function mayNavigate(address: string): boolean {
  return isOurAddress(address) && new URL(address).pathname === '/';
}

/** Requests that may leave the page at all: our own files, pictures inside the page, and the developer tools' own. */
export function mayRequest(address: string): boolean {
  if (isOurAddress(address)) return true;
  return URL.canParse(address) && ['data:', 'blob:', 'devtools:'].includes(new URL(address).protocol);
}

/** Copying text on a click. Nothing else: no camera, no notifications, no pointer lock, no devices. */
export function isPermissionGranted(permission: string, requestingAddress: string): boolean {
  return permission === 'clipboard-sanitized-write' && isOurAddress(requestingAddress);
}
