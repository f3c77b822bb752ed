import { describe, expect, it } from 'vitest';
import { type CallerHeaders, keyFault, pageFault } from './access.ts';

describe('pageFault', () => {
  it.each<[string, CallerHeaders, number | null]>([
    ['a program', { host: '127.0.0.1:9000' }, null],
    ['a program that says localhost', { host: 'localhost:9000' }, null],
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
    expect(pageFault(headers, 9000)?.status ?? null).toBe(status);
  });
});

describe('keyFault', () => {
  const key = `hr-${'k'.repeat(43)}`;
  it.each<[string | undefined, string | null]>([
    [`Bearer ${key}`, null],
    [`bearer ${key}`, null],
    [undefined, 'missing_api_key'],
    ['', 'missing_api_key'],
    [key, 'missing_api_key'],
    [`Basic ${key}`, 'missing_api_key'],
    ['Bearer ', 'missing_api_key'],
    [`Bearer ${'x'.repeat(501)}`, 'missing_api_key'],
    [`Bearer ${key}x`, 'invalid_api_key'],
    [`Bearer ${key.slice(0, -1)}`, 'invalid_api_key'],
    [`Bearer ${key} ${key}`, 'missing_api_key'],
  ])('%s', (authorization, code) => {
    const fault = keyFault({ authorization }, key);
    expect(fault?.code ?? null).toBe(code);
    if (fault !== null) expect(fault).toMatchObject({ status: 401 });
  });
});
