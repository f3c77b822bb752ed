import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEnginePlaces } from './engine-places.ts';

let folder: string;
let program: string;
const moved: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headroom-places-'));
  program = join(folder, 'llama-server');
  writeFileSync(program, '');
  chmodSync(program, 0o755);
  moved.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (environment: Record<string, string> = {}) =>
  openEnginePlaces({
    dataFolder: join(folder, 'data'),
    environment,
    onDamage: (movedTo) => moved.push(movedTo),
    log: () => {},
  });
const fileOf = (name: string): string => join(folder, 'data', name);

describe('where other engines are', () => {
  it('is the usual place until somebody says otherwise', () => {
    const places = open();
    expect(places.server('ollama')).toMatchObject({ base: 'http://127.0.0.1:11434', reach: 'this-computer' });
    expect(places.server('lm-studio')).toMatchObject({ base: 'http://127.0.0.1:1234' });
    expect(places.modelsFolder()).toBeNull();
    expect(places.isOn('ollama')).toBe(true);
  });

  it('is kept, and taken back with null', () => {
    open().update('ollama', { address: ' 192.168.1.20 ', isOn: false });
    open().update('llama.cpp', { program, modelsFolder: folder });
    const places = open();
    expect(places.settings('ollama')).toMatchObject({ address: '192.168.1.20', isOn: false, usualPort: 11_434 });
    expect(places.server('ollama')).toMatchObject({ base: 'http://192.168.1.20:11434', reach: 'private-network' });
    expect(places.llamaServer()).toEqual({ program });
    expect(places.modelsFolder()).toBe(folder);
    places.update('ollama', { address: null });
    expect(open().server('ollama')?.base).toBe('http://127.0.0.1:11434');
    expect(open().isOn('ollama')).toBe(false);
  });

  it('is a server rather than a program where both are said', () => {
    const places = open();
    places.update('llama.cpp', { program, address: '127.0.0.1:9000', token: 'abc' });
    expect(places.llamaServer()).toMatchObject({
      server: { base: 'http://127.0.0.1:9000', headers: { authorization: 'Bearer abc' } },
    });
    rmSync(program);
    places.update('llama.cpp', { address: null });
    expect(places.llamaServer()).toBeNull();
    expect(places.unusable('llama.cpp')?.message).toContain(program);
  });

  it('comes from the environment first, which the window is told', () => {
    open().update('ollama', { address: '127.0.0.1:1' });
    const places = open({
      OLLAMA_HOST: '0.0.0.0:2',
      LLAMA_SERVER: program,
      LLAMA_MODELS: '/models',
      LM_STUDIO_HOST: '',
      LM_API_TOKEN: 'given',
    });
    expect(places.server('ollama')?.base).toBe('http://127.0.0.1:2');
    expect(places.llamaServer()).toEqual({ program });
    expect(places.modelsFolder()).toBe('/models');
    expect(places.settings('llama.cpp').fromEnvironment).toEqual(['LLAMA_SERVER', 'LLAMA_MODELS']);
    expect(places.settings('lm-studio').fromEnvironment).toEqual(['LM_API_TOKEN']);
    expect(places.server('lm-studio')?.headers).toEqual({ authorization: 'Bearer given' });
  });

  it('is nowhere outside of the user’s network without their word, and never by the environment', () => {
    const places = open();
    expect(() => places.update('ollama', { address: 'gpu.example' })).toThrow(/would leave this computer/);
    expect(places.server('ollama')?.reach).toBe('this-computer');
    places.update('ollama', { address: 'https://gpu.example', evenIfElsewhere: true });
    expect(open().server('ollama')).toMatchObject({ base: 'https://gpu.example', reach: 'elsewhere' });
    // The word was for that address.
    expect(() => places.update('ollama', { address: 'other.example' })).toThrow();
    places.update('ollama', { isOn: false });
    expect(places.server('ollama')?.reach).toBe('elsewhere');
    for (const name of ['OLLAMA_HOST', 'LLAMA_SERVER', 'LM_STUDIO_HOST']) {
      const given = open({ [name]: 'https://gpu.example' });
      const kind = name === 'OLLAMA_HOST' ? 'ollama' : name === 'LLAMA_SERVER' ? 'llama.cpp' : 'lm-studio';
      expect(kind === 'llama.cpp' ? given.llamaServer() : given.server(kind)).toBeNull();
      expect(given.unusable(kind)?.message).toMatch(new RegExp(`^${name} names gpu.example`));
    }
    expect(open({ OLLAMA_HOST: 'not an address' }).unusable('ollama')?.message).toContain('no address');
  });

  it('refuses what is not there, and keeps what was', () => {
    const places = open();
    places.update('llama.cpp', { program });
    for (const wrong of [
      { program: join(folder, 'gone') },
      { program: folder },
      { modelsFolder: program },
      { address: 'ftp://a' },
      { token: 'two words' },
    ]) {
      expect(() => places.update('llama.cpp', wrong)).toThrow();
    }
    expect(open().settings('llama.cpp')).toMatchObject({ program, modelsFolder: null, address: null, hasToken: false });
  });

  it('has a token in a file of its own that only the user may read, and tells nobody', () => {
    const places = open();
    places.update('lm-studio', { token: ' secret ' });
    expect(statSync(fileOf('lm-studio-token')).mode & 0o777).toBe(0o600);
    expect(readFileSync(fileOf('engines.json'), 'utf8')).not.toContain('secret');
    expect(JSON.stringify(places.settings('lm-studio'))).not.toContain('secret');
    chmodSync(fileOf('lm-studio-token'), 0o644);
    const again = open();
    expect(statSync(fileOf('lm-studio-token')).mode & 0o777).toBe(0o600);
    expect(again.server('lm-studio')?.headers).toEqual({ authorization: 'Bearer secret' });
    again.update('lm-studio', { token: null });
    expect(open().settings('lm-studio').hasToken).toBe(false);
  });

  it.each([
    '{',
    '[]',
    '{"ollama": 7}',
    '{"llama.cpp": {"program": "relative", "modelsFolder": 3, "isOn": "yes"}, "ollama": {"address": {}}}',
  ])('is the usual place where the file says %s', (text) => {
    open().update('ollama', { isOn: false });
    writeFileSync(fileOf('engines.json'), text);
    const places = open();
    expect(places.server('ollama')?.base).toBe('http://127.0.0.1:11434');
    expect(places.settings('llama.cpp')).toMatchObject({ program: null, modelsFolder: null, isOn: true });
  });

  it('does not follow a foreign address that somebody else wrote into the file', () => {
    open().update('ollama', { isOn: true });
    const place = { isOn: true, program: null, address: 'http://gpu.example', modelsFolder: null };
    writeFileSync(fileOf('engines.json'), JSON.stringify({ ollama: place, 'llama.cpp': place, 'lm-studio': place }));
    const places = open();
    expect(places.server('ollama')).toBeNull();
    expect(places.llamaServer()).toBeNull();
  });
});
