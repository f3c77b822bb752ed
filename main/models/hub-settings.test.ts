import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppFault } from '../fault.ts';
import { openHubSettings } from './hub-settings.ts';

let root: string;
let logged: string[];
const open = (environment: Record<string, string> = {}) =>
  openHubSettings({
    dataFolder: join(root, 'data'),
    environment,
    homeFolder: root,
    systemProxy: async () => ({ HTTPS_PROXY: 'http://system:1' }),
    log: (_, message) => logged.push(message),
  });

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'headroom-hub-settings-'));
  logged = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('token', () => {
  it('set here beats the environment beats the hub tool’s login', () => {
    expect(open().current.token).toBe('none');
    mkdirSync(join(root, '.cache/huggingface'), { recursive: true });
    writeFileSync(join(root, '.cache/huggingface/token'), 'hf_login\n');
    expect(open()).toMatchObject({ token: 'hf_login', current: { token: 'hub-login' } });
    expect(open({ HF_TOKEN: ' hf_env ' })).toMatchObject({ token: 'hf_env', current: { token: 'environment' } });
    const store = open({ HF_TOKEN: 'hf_env' });
    store.update({ token: 'hf_own' });
    expect(store).toMatchObject({ token: 'hf_own', current: { token: 'set-here' } });
    expect(open({ HF_TOKEN: 'hf_env' }).token).toBe('hf_own');
    store.update({ token: null });
    expect(open({ HF_TOKEN: 'hf_env' }).token).toBe('hf_env');
    expect(existsSync(join(root, 'data/hub-token'))).toBe(false);
  });

  it('lies in a file of its own that only the user may read, and neither in the answer nor in the log', () => {
    const store = open();
    const answer = store.update({ token: 'hf_secret', proxyUrl: 'http://proxy:8080' });
    expect(JSON.stringify(answer)).not.toContain('hf_secret');
    expect(logged.join('\n')).not.toContain('hf_secret');
    expect(readFileSync(join(root, 'data/hub.json'), 'utf8')).not.toContain('hf_secret');
    expect(statSync(join(root, 'data/hub-token')).mode & 0o777).toBe(0o600);
  });

  it.each(['hf_with space', 'hf_ümlaut', 'hf_a\nX-Other: b', '   '])('%j is refused and changes nothing', (token) => {
    const store = open();
    expect(() => store.update({ token, cacheFolder: root })).toThrow(AppFault);
    expect(store.current).toMatchObject({ token: 'none', cacheFolder: null });
  });
});

describe('folder and proxy', () => {
  it('uses the folder that other tools use until another is chosen', () => {
    expect(open({ HF_HOME: '/somewhere' }).current.cacheFolderInUse).toBe('/somewhere/hub');
    const store = open();
    expect(store.current.cacheFolderInUse).toBe(join(root, '.cache/huggingface/hub'));
    store.update({ cacheFolder: root });
    expect(open().current).toMatchObject({ cacheFolder: root, cacheFolderInUse: root });
    expect(store.update({ cacheFolder: null }).cacheFolder).toBeNull();
  });

  it('refuses a folder that is not there', () => {
    expect(() => open().update({ cacheFolder: join(root, 'nothing') })).toThrow(/no folder/);
  });

  it('the proxy set here beats the environment beats the system', async () => {
    const url = new URL('https://huggingface.co');
    expect(await open().proxyFor(url)).toEqual({ HTTPS_PROXY: 'http://system:1' });
    expect(await open({ https_proxy: 'http://env:2', NO_PROXY: 'a' }).proxyFor(url)).toEqual({
      HTTPS_PROXY: 'http://env:2',
      NO_PROXY: 'a',
    });
    const store = open({ HTTPS_PROXY: 'http://env:2' });
    store.update({ proxyUrl: ' http://me:word@own:3/ ' });
    expect(await store.proxyFor(url)).toEqual({ HTTPS_PROXY: 'http://me:word@own:3' });
  });

  it.each(['own:3', 'socks5://own:3', 'nonsense', 'http://'])('%j is no proxy', (proxyUrl) => {
    expect(() => open().update({ proxyUrl })).toThrow(/no address of a proxy/);
  });
});

it('a damaged file is as good as none', () => {
  mkdirSync(join(root, 'data'));
  writeFileSync(join(root, 'data/hub.json'), '{"proxyUrl": 7, ');
  expect(open().current).toMatchObject({ proxyUrl: null, cacheFolder: null });
});
