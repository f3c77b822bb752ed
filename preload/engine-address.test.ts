import { describe, expect, it } from 'vitest';
import { engineAddress } from './engine-address.ts';

describe('an address of another engine', () => {
  it.each([
    ['127.0.0.1:11434', 'http://127.0.0.1:11434', 'this-computer'],
    ['http://localhost:11434/', 'http://127.0.0.1:11434', 'this-computer'],
    [':9', 'http://127.0.0.1:9', 'this-computer'],
    ['0.0.0.0', 'http://127.0.0.1:1234', 'this-computer'],
    ['[::]:11434', 'http://127.0.0.1:11434', 'this-computer'],
    ['http://[::1]', 'http://[::1]:1234', 'this-computer'],
    ['http://localhost:1234/v1', 'http://127.0.0.1:1234', 'this-computer'],
    ['http://localhost:80', 'http://127.0.0.1', 'this-computer'],
    ['192.168.1.20', 'http://192.168.1.20:1234', 'private-network'],
    ['10.0.0.1:8080', 'http://10.0.0.1:8080', 'private-network'],
    ['172.31.0.1', 'http://172.31.0.1:1234', 'private-network'],
    ['studio.local:1234', 'http://studio.local:1234', 'private-network'],
    ['nas', 'http://nas:1234', 'private-network'],
    ['http://[fd00::1]:8080', 'http://[fd00::1]:8080', 'private-network'],
    ['172.32.0.1', 'http://172.32.0.1:1234', 'elsewhere'],
    ['8.8.8.8', 'http://8.8.8.8:1234', 'elsewhere'],
    ['https://gpu.example', 'https://gpu.example', 'elsewhere'],
    ['https://gpu.example:8443/ollama/', 'https://gpu.example:8443/ollama', 'elsewhere'],
    ['http://[2001:db8::1]:8080', 'http://[2001:db8::1]:8080', 'elsewhere'],
    // The address that hides in a longer name is not the one that is asked.
    ['127.0.0.1.gpu.example', 'http://127.0.0.1.gpu.example:1234', 'elsewhere'],
    ['localhost.gpu.example', 'http://localhost.gpu.example:1234', 'elsewhere'],
    // 127.0.0.1 in other spellings is still that.
    ['http://2130706433', 'http://127.0.0.1:1234', 'this-computer'],
    ['0x7f.1', 'http://127.0.0.1:1234', 'this-computer'],
  ])('%s is %s, %s', (text, base, reach) => {
    expect(engineAddress(text, 1_234)).toMatchObject({ base, reach });
  });

  it.each([
    '',
    '  ',
    'ftp://localhost',
    'file:///etc',
    'http://user:secret@localhost',
    'http://',
    'a b',
    'localhost?x=1',
  ])('%j is none', (text) => expect(engineAddress(text, 1_234)).toBeNull());
});
