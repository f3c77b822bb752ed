import { describe, expect, it } from 'vitest';
import { hubUrl, nextHop } from './redirects.ts';

const hub = new URL('https://huggingface.co');
const local = new URL('http://127.0.0.1:8000');
const from = new URL('https://huggingface.co/owner/model/resolve/main/x');

describe('nextHop', () => {
  it.each([
    ['/api/resolve-cache/x', 'https://huggingface.co/api/resolve-cache/x', true],
    ['https://huggingface.co/y', 'https://huggingface.co/y', true],
    ['https://huggingface.co:444/y', 'https://huggingface.co:444/y', false],
    ['https://cdn-lfs.hf.co/y?sig=1', 'https://cdn-lfs.hf.co/y?sig=1', false],
    ['//evil.example/y', 'https://evil.example/y', false],
    ['https://huggingface.co.evil.example/', 'https://huggingface.co.evil.example/', false],
  ])('%s', (location, url, withToken) => {
    expect(nextHop(location, from, hub)).toEqual({ kind: 'go', url: new URL(url), withToken });
  });

  it.each([
    null,
    'http://huggingface.co/y',
    'http://127.0.0.1/y',
    'file:///etc/passwd',
    'data:text/plain,x',
    'ftp://x/y',
    'https://me:secret@huggingface.co/y',
    'https://[',
  ])('refuses %s', (location) => expect(nextHop(location, from, hub).kind).toBe('refused'));

  it('plain http is for a hub on this machine, and stays on it', () => {
    const at = new URL('http://127.0.0.1:8000/x');
    expect(nextHop('http://localhost:9000/y', at, local)).toMatchObject({ kind: 'go', withToken: false });
    expect(nextHop('https://cdn.example/y', at, local)).toMatchObject({ kind: 'go', withToken: false });
    expect(nextHop('http://example.com/y', at, local).kind).toBe('refused');
    expect(nextHop('http://localhost.example.com/y', at, local).kind).toBe('refused');
  });
});

it.each([
  ['https://huggingface.co', true],
  ['https://mirror.example/hub', true],
  ['http://127.0.0.1:8000', true],
  ['http://localhost:1', true],
  ['http://mirror.example', false],
  ['https://me:pw@mirror.example', false],
  ['file:///x', false],
  ['mirror', false],
])('hubUrl %s: %s', (text, is) => expect(hubUrl(text) !== null).toBe(is));
