/** Who may use the endpoint: programs on this Mac that hold a key, and no web page but those let in by name. Pure. */
import { isOwnHost, LOOPBACK } from '../loopback.ts';
import { ApiFault } from './api-fault.ts';

export interface CallerHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly 'sec-fetch-site'?: string | string[] | undefined;
  readonly authorization?: string | undefined;
  /** Where Anthropic's programs put the key. */
  readonly 'x-api-key'?: string | string[] | undefined;
}

/**
 * Programs write either of the first two names; in a container on this Mac it has the third, and what comes from there
 * arrives here. The port must be ours.
 */
const ownNames = [LOOPBACK, 'localhost', 'host.docker.internal'];

/** Null when the request did not come from a web page by any way we can see, or from one in `origins`. */
export function pageFault(headers: CallerHeaders, port: number, origins: readonly string[]): ApiFault | null {
  if (!isOwnHost(headers.host, port, ownNames))
    return new ApiFault(421, 'wrong_host', `This endpoint is http://${LOOPBACK}:${port}/v1.`);
  // Pages send Origin with every request that could carry a key or a body (`null` from sandboxes and files); for the
  // rest, such as images, browsers say where the request came from.
  if (isLetIn(headers, origins)) return null;
  const site = headers['sec-fetch-site'];
  if (headers.origin !== undefined || (site !== undefined && site !== 'none'))
    return new ApiFault(403, 'web_page', 'Web pages may not use this endpoint.');
  return null;
}

/** Whether a page asks that the user has let in. `null`, which any sandboxed page or file sends, cannot be let in. */
export const isLetIn = ({ origin }: CallerHeaders, origins: readonly string[]): boolean =>
  origin !== undefined && origin !== 'null' && origins.includes(origin);

/** The key that was sent. Throws ApiFault where there is none. */
export function sentKey(headers: CallerHeaders): string {
  const apiKey = headers['x-api-key'];
  const given =
    /^Bearer +(\S{1,500})$/i.exec(headers.authorization ?? '')?.[1] ??
    (typeof apiKey === 'string' && /^\S{1,500}$/.test(apiKey) ? apiKey : undefined);
  if (given !== undefined) return given;
  throw new ApiFault(
    401,
    'missing_api_key',
    'Send a key from Headroom’s window as "Authorization: Bearer …" or "x-api-key: …".',
  );
}

export const wrongKey = (): ApiFault =>
  new ApiFault(401, 'invalid_api_key', 'This is no key of Headroom’s, or it was revoked. Make one in its window.');

/** An origin as browsers send it: `https://app.example`, `http://localhost:3000`. Null for anything else. */
export function originOf(text: string): string | null {
  try {
    const url = new URL(text);
    const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
    return isWeb && url.origin === text.replace(/\/$/, '').toLowerCase() ? url.origin : null;
  } catch {
    return null;
  }
}
