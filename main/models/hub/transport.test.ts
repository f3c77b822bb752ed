import { expect, it } from 'vitest';
import { proxyFromPac } from './transport.ts';

it.each([
  ['DIRECT', null],
  ['', null],
  ['PROXY proxy.example:8080', 'http://proxy.example:8080'],
  ['PROXY proxy.example', 'http://proxy.example'],
  ['PROXY 10.0.0.1:3128; DIRECT', 'http://10.0.0.1:3128'],
  ['HTTPS proxy.example:443;DIRECT', 'https://proxy.example:443'],
  ['PROXY [::1]:3128', 'http://[::1]:3128'],
  ['SOCKS5 proxy.example:1080; DIRECT', null],
  ['DIRECT; PROXY proxy.example:8080', null],
  ['PROXY bad host:1', null],
])('proxyFromPac %s: %s', (pac, url) => expect(proxyFromPac(pac)?.HTTPS_PROXY ?? null).toBe(url));
