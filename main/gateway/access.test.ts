import { describe, expect, it } from 'vitest';
import { ApiFault } from './api-fault.ts';
import { type CallerHeaders, isLetIn, originOf, pageFault, sentKey } from './access.ts';

describe('pageFault', () => {
  it.each<[string, CallerHeaders, number | null]>([
    ['a program', { host: '127.0.0.1:9000' }, null],
    ['a program that says localhost', { host: 'localhost:9000' }, null],
    ['a program in a container', { host: 'host.docker.internal:9000' }, null],
    ['a person at the address bar', { host: '127.0.0.1:9000', 'sec-fetch-site': 'none' }, null],
    ['a page', { host: '127.0.0.1:9000', origin: 'https://evil.example' }, 403],
    ['a page on this machine', { host: '127.0.0.1:9000', origin: 'http://127.0.0.1:9000' }, 403],
    ['a sandboxed page', { host: '127.0.0.1:9000', origin: 'null' }, 403],
    ['an empty origin', { host: '127.0.0.1:9000', origin: '' }, 403],
    ['an image in a page', { host: '127.0.0.1:9000', 'sec-fetch-site': 'cross-site' }, 403],
    ['a re-bound name', { host: 'evil.example:9000' }, 421],
    ['another port', { host: '127.0.0.1:9001' }, 421],
    ['no host', {}, 421],
  ])('%s', (_name, headers, status) => {
    expect(pageFault(headers, 9000, [])?.status ?? null).toBe(status);
  });
});

describe('pages that were let in', () => {
  const origins = ['https://app.example', 'http://localhost:3000'];
  const host = '127.0.0.1:9000';
  it.each<[string, CallerHeaders, number | null]>([
    ['one of them', { host, origin: 'https://app.example', 'sec-fetch-site': 'cross-site' }, null],
    ['another port of it', { host, origin: 'https://app.example:8443' }, 403],
    ['a name that begins like it', { host, origin: 'https://app.example.evil.example' }, 403],
    ['null', { host, origin: 'null' }, 403],
    ['one of them at a re-bound name', { host: 'app.example:9000', origin: 'https://app.example' }, 421],
  ])('%s', (_name, headers, status) => {
    expect(pageFault(headers, 9000, origins)?.status ?? null).toBe(status);
    // Not even when somebody wrote it into the file.
    expect(isLetIn({ origin: 'null' }, ['null'])).toBe(false);
  });

  it.each<[string, string | null]>([
    ['https://app.example', 'https://app.example'],
    ['https://app.example/', 'https://app.example'],
    ['https://APP.example', 'https://app.example'],
    ['http://localhost:3000', 'http://localhost:3000'],
    ['https://app.example/path', null],
    ['https://user@app.example', null],
    ['null', null],
    ['*', null],
    ['file:///tmp/x', null],
    ['javascript:alert(1)', null],
    ['', null],
  ])('reads %s as an origin', (text, origin) => expect(originOf(text)).toBe(origin));
});

describe('sentKey', () => {
  const key = `hr-${'k'.repeat(43)}`;
  it.each<[CallerHeaders, string | null]>([
    [{ authorization: `Bearer ${key}` }, key],
    [{ authorization: `bearer ${key}` }, key],
    [{ 'x-api-key': key }, key],
    [{}, null],
    [{ authorization: '' }, null],
    [{ authorization: key }, null],
    [{ authorization: `Basic ${key}` }, null],
    [{ authorization: 'Bearer ' }, null],
    [{ authorization: `Bearer ${'x'.repeat(501)}` }, null],
    [{ authorization: `Bearer ${key} ${key}` }, null],
    [{ 'x-api-key': [key, key] }, null],
    [{ 'x-api-key': `${key} ${key}` }, null],
  ])('%j', (headers, expected) => {
    if (expected !== null) return expect(sentKey(headers)).toBe(expected);
    expect(() => sentKey(headers)).toThrow(ApiFault);
  });
});
