/** What `app://headroom/…` answers: a file of the window, or nothing. Pure. */
import type { KnownFile, KnownFiles } from '../renderer-files.ts';
import { CONTENT_SECURITY_POLICY, isOurAddress } from './page-policy.ts';

export type PageAnswer =
  | { readonly status: 200; readonly file: KnownFile; readonly headers: Readonly<Record<string, string>> }
  | { readonly status: 404 | 405; readonly headers: Readonly<Record<string, string>> };

const HEADERS = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  // The files change with the app; a copy kept by Chromium would outlive an update.
  'Cache-Control': 'no-store',
};

export function answerPage(request: { readonly method: string; readonly url: string }, files: KnownFiles): PageAnswer {
  if (!isOurAddress(request.url)) return { status: 404, headers: HEADERS };
  if (request.method !== 'GET') return { status: 405, headers: HEADERS };
  const file = files.get(new URL(request.url).pathname);
  if (file === undefined) return { status: 404, headers: HEADERS };
  return { status: 200, file, headers: { ...HEADERS, 'Content-Type': file.contentType } };
}
