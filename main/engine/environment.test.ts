import { expect, it } from 'vitest';
import { engineEnvironment } from './environment.ts';

const given = { token: 't'.repeat(64), cacheFolder: '/cache' };

it('passes named variables only', () => {
  const ours = {
    HOME: '/home/me',
    PATH: '/bin',
    LANG: 'de_DE.UTF-8',
    AWS_SECRET_ACCESS_KEY: 'secret',
    PYTHONPATH: '/evil',
    DYLD_INSERT_LIBRARIES: '/evil.dylib',
    LD_PRELOAD: '/evil.so',
    HF_TOKEN: 'secret',
    ELECTRON_RUN_AS_NODE: '1',
    TMPDIR: '',
  };
  expect(engineEnvironment(ours, given)).toEqual({
    HOME: '/home/me',
    PATH: '/bin',
    LANG: 'de_DE.UTF-8',
    HF_HOME: '/cache',
    HF_HUB_OFFLINE: '1',
    TRANSFORMERS_OFFLINE: '1',
    TOKENIZERS_PARALLELISM: 'false',
    HEADROOM_ENGINE_TOKEN: 't'.repeat(64),
  });
});

it('finds system programs without a PATH of ours', () => {
  expect(engineEnvironment({}, given)['PATH']).toBe('/usr/bin:/bin:/usr/sbin:/sbin');
});
