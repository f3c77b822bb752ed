/**
 * Where another engine's server is, as people write it, and how far a chat with it travels. Pure: the window warns with
 * it, main decides with it.
 */

/** `private-network`: another computer of the same network. `elsewhere`: chats leave it. */
type EngineReach = 'this-computer' | 'private-network' | 'elsewhere';

export interface EngineAddress {
  /** `http://127.0.0.1:11434`, without a slash at its end. */
  readonly base: string;
  /** As it was written, for people: `gpu.example`. */
  readonly host: string;
  readonly reach: EngineReach;
}

/**
 * `127.0.0.1:11434`, `http://localhost:11434/`, `:11434`, `nas.local`; what programs show for others to copy (`…/v1`)
 * is cut to what it belongs to. `0.0.0.0`, as servers are told to listen, is asked at 127.0.0.1. Null for anything that
 * is no such address, and for one with a password in it: a token has a field of its own.
 */
export function engineAddress(text: string, usualPort: number): EngineAddress | null {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed.length > 2_000) return null;
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed)
    ? trimmed
    : `http://${trimmed.startsWith(':') ? '127.0.0.1' : ''}${trimmed}`;
  if (!URL.canParse(withScheme)) return null;
  const url = new URL(withScheme);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
  if (url.hostname === '' || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    return null;
  }
  const host = isAny(url.hostname) ? '127.0.0.1' : url.hostname;
  // URL drops a port that is the scheme's own: the one that was written counts.
  const isWritten = /^[^/]*\/\/[^/]*:\d+(?:\/|$)/.test(withScheme);
  const port = url.port !== '' ? url.port : url.protocol === 'https:' || isWritten ? '' : String(usualPort);
  const folder = url.pathname.replace(/\/(?:v1|api)?\/?$/, '');
  return {
    base: `${url.protocol}//${host}${port === '' ? '' : `:${port}`}${folder}`,
    host: host.replace(/^\[|\]$/g, ''),
    reach: reachOf(host),
  };
}

const isAny = (hostname: string): boolean =>
  hostname === '0.0.0.0' || hostname === '[::]' || hostname === 'localhost' || hostname.endsWith('.localhost');

/** RFC 1918, 3927, 4193, 4291, 6762, 8375; a name without a dot is looked up in one's own network. */
function reachOf(hostname: string): EngineReach {
  if (hostname.startsWith('[')) {
    if (hostname === '[::1]') return 'this-computer';
    return /^\[(?:f[cd]|fe[89ab])/.test(hostname) ? 'private-network' : 'elsewhere';
  }
  const [, first = '', second = ''] = /^(\d+)\.(\d+)\.\d+\.\d+$/.exec(hostname) ?? [];
  if (first === '') {
    return !hostname.includes('.') || /\.(?:local|home\.arpa|internal|lan)\.?$/.test(hostname)
      ? 'private-network'
      : 'elsewhere';
  }
  const [a, b] = [Number(first), Number(second)];
  if (a === 127) return 'this-computer';
  const isPrivate =
    a === 10 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168) || (a === 169 && b === 254);
  return isPrivate ? 'private-network' : 'elsewhere';
}
