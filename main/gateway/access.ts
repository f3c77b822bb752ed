/** Who may use the endpoint: programs on this Mac that hold the key, and no web page. Pure. */
import { isOwnHost, LOOPBACK } from '../loopback.ts';
import { secretsEqual } from '../secret.ts';
import { ApiFault } from './api-fault.ts';

export interface CallerHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly 'sec-fetch-site'?: string | string[] | undefined;
  readonly authorization?: string | undefined;
}

/** Programs write either name; the port must be ours. */
const ownNames = [LOOPBACK, 'localhost'];

/** Null when the request did not come from a web page by any way we can see. */
export function pageFault(headers: CallerHeaders, port: number): ApiFault | null {
  if (!isOwnHost(headers.host, port, ownNames))
    return new ApiFault(421, 'wrong_host', `This endpoint is http://${LOOPBACK}:${port}/v1.`);
  // Pages send Origin with every request that could carry a key or a body (`null` from sandboxes and files); for the
  // rest, such as images, browsers say where the request came from.
  const site = headers['sec-fetch-site'];
  if (headers.origin !== undefined || (site !== undefined && site !== 'none'))
    return new ApiFault(403, 'web_page', 'Web pages may not use this endpoint.');
  return null;
}

export function keyFault(headers: CallerHeaders, key: string): ApiFault | null {
  const given = /^Bearer +(\S{1,500})$/i.exec(headers.authorization ?? '')?.[1];
  if (given === undefined)
    return new ApiFault(
      401,
      'missing_api_key',
      'Send the key from Headroom’s endpoint panel as "Authorization: Bearer …".',
    );
  if (!secretsEqual(given, key))
    return new ApiFault(401, 'invalid_api_key', 'This is not Headroom’s key. Copy it again from the endpoint panel.');
  return null;
}
