import { describe, expect, it } from 'vitest';
import { answerPage } from './page-answer.ts';
import { APP_PAGE_URL, CONTENT_SECURITY_POLICY } from './page-policy.ts';

const html = { file: '/bundle/index.html', contentType: 'text/html; charset=utf-8' };
const files = new Map([
  ['/', html],
  ['/assets/a.js', { file: '/bundle/assets/a.js', contentType: 'text/javascript; charset=utf-8' }],
]);

describe('answerPage', () => {
  it.each([APP_PAGE_URL, 'app://headroom/?x=1#y'])('serves the page at %s', (url) => {
    const answer = answerPage({ method: 'GET', url }, files);
    expect(answer).toMatchObject({ status: 200, file: html });
    expect(answer.headers).toMatchObject({
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'X-Content-Type-Options': 'nosniff',
      'Cross-Origin-Opener-Policy': 'same-origin',
    });
  });

  it.each([
    ['GET', 'app://headroom/missing.js', 404],
    ['GET', 'app://headroom/../secret.html', 404],
    ['GET', 'app://headroom/%2e%2e/secret.html', 404],
    ['GET', 'app://headroom/..%2fsecret.html', 404],
    ['GET', 'app://headroom/assets', 404],
    ['GET', 'app://headroom/__proto__', 404],
    ['GET', 'app://other/', 404],
    ['GET', 'https://headroom/', 404],
    ['POST', 'app://headroom/', 405],
    ['HEAD', 'app://headroom/', 405],
  ])('%s %s → %i', (method, url, status) => {
    const answer = answerPage({ method, url }, files);
    expect(answer.status).toBe(status);
    expect(answer.headers['Content-Security-Policy']).toBe(CONTENT_SECURITY_POLICY);
  });
});
