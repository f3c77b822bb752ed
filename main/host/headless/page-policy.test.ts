import { describe, expect, it } from 'vitest';
import { answerPage, contentSecurityPolicy, mayUpgrade, type RequestHead } from './page-policy.ts';

const files = new Map([
  ['/', { file: '/out/index.html', contentType: 'text/html; charset=utf-8' }],
  ['/assets/a.js', { file: '/out/assets/a.js', contentType: 'text/javascript; charset=utf-8' }],
]);
const head: RequestHead = { method: 'GET', url: '/', host: '127.0.0.1:4000', origin: undefined };

describe('answerPage', () => {
  it.each<[string, Partial<RequestHead>, number]>([
    ['the page', {}, 200],
    ['HEAD', { method: 'HEAD' }, 200],
    ['a file', { url: '/assets/a.js' }, 200],
    ['a query', { url: '/?x=1' }, 200],
    ['its own origin', { origin: 'http://127.0.0.1:4000' }, 200],
    ['POST', { method: 'POST' }, 405],
    ['OPTIONS', { method: 'OPTIONS' }, 405],
    ['a file that is not there', { url: '/assets/b.js' }, 404],
    ['index.html by name', { url: '/index.html' }, 404],
    ['a way out', { url: '/../package.json' }, 404],
    ['an encoded way out', { url: '/assets/..%2f..%2fpackage.json' }, 404],
    ['a whole address', { url: 'http://evil.example/' }, 404],
    ['another host', { host: 'evil.example:4000' }, 421],
    ['localhost, another origin', { host: 'localhost:4000' }, 421],
    ['another port', { host: '127.0.0.1:4001' }, 421],
    ['no host', { host: undefined }, 421],
    ['another origin', { origin: 'http://evil.example' }, 403],
    ['another port’s origin', { origin: 'http://127.0.0.1:4001' }, 403],
    ['the null origin', { origin: 'null' }, 403],
  ])('%s', (_name, change, status) => {
    const answer = answerPage({ ...head, ...change }, files, 4000);
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({
      'content-security-policy': contentSecurityPolicy(4000),
      'x-content-type-options': 'nosniff',
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': 'no-store',
    });
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('lets the page connect to its own socket and to nothing else', () => {
    const policy = contentSecurityPolicy(4000);
    expect(policy).toContain('connect-src ws://127.0.0.1:4000;');
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|\*/);
  });
});

describe('mayUpgrade', () => {
  const upgrade = { ...head, url: '/bridge', origin: 'http://127.0.0.1:4000' };
  it.each<[string, Partial<RequestHead>, boolean]>([
    ['our page', {}, true],
    ['no origin', { origin: undefined }, false],
    ['another origin', { origin: 'http://evil.example' }, false],
    ['localhost’s origin', { origin: 'http://localhost:4000' }, false],
    ['https', { origin: 'https://127.0.0.1:4000' }, false],
    ['the null origin', { origin: 'null' }, false],
    ['another host', { host: 'evil.example:4000' }, false],
    ['another path', { url: '/' }, false],
  ])('%s', (_name, change, allowed) => {
    expect(mayUpgrade({ ...upgrade, ...change }, 4000, '/bridge')).toBe(allowed);
  });
});
