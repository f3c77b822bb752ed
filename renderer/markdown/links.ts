/** Where a link in an answer leads. Main opens only `https` and `mailto`; all else stays text. */
export type LinkTarget =
  | { readonly kind: 'open'; readonly url: string; readonly shown: string; readonly warnHost: string | null }
  | { readonly kind: 'text'; readonly shown: string };

const SHOWN_LENGTH = 120;

/** An address as people read it: no scheme, no trailing slash, cut when long. */
function readable(url: URL): string {
  if (url.protocol === 'mailto:') return decode(url.pathname);
  const text = `${url.host}${decode(url.pathname)}${url.search}${url.hash}`.replace(/\/$/, '');
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}

/** Only the readable part of percent escapes: anything that could move or hide text stays escaped. */
function decode(text: string): string {
  try {
    const plain = decodeURI(text);
    return /^[\p{L}\p{N}\p{P}\p{S} ]*$/u.test(plain) ? plain : text;
  } catch {
    return text;
  }
}

/** The host a label claims to lead to, when the label itself looks like an address. */
function claimedHost(label: string): string | null {
  const match = /^(?:https?:\/\/)?((?:[\p{L}\p{N}-]+\.)+\p{L}{2,})(?:[:/?#].*)?$/u.exec(label.trim());
  return match?.[1]?.toLowerCase() ?? null;
}

const bareHost = (host: string): string => host.toLowerCase().replace(/^www\./, '');

/**
 * `href` as the model wrote it, `label` as the reader sees it. A label that names another host than the link's gets the
 * real one beside it.
 */
export function linkTarget(href: string, label: string): LinkTarget {
  let url: URL;
  try {
    url = new URL(href);
  } catch {
    return { kind: 'text', shown: href };
  }
  if (url.protocol === 'mailto:') return { kind: 'open', url: url.href, shown: readable(url), warnHost: null };
  // A name or password in front of the host exists in answers only to deceive.
  if (url.protocol !== 'https:' || url.username !== '' || url.password !== '') return { kind: 'text', shown: href };
  const claimed = claimedHost(label);
  const warnHost = claimed !== null && bareHost(claimed) !== bareHost(url.hostname) ? url.hostname : null;
  return { kind: 'open', url: url.href, shown: readable(url), warnHost };
}
