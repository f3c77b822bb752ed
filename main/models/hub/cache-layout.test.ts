import { describe, expect, it } from 'vitest';
import {
  cacheFolderFrom,
  isPartialName,
  linkTarget,
  modelPaths,
  partialName,
  repositoryOf,
  tokenFileFrom,
} from './cache-layout.ts';

describe('where the cache lies', () => {
  const home = '/Users/me';
  it.each([
    [{}, '/Users/me/.cache/huggingface/hub'],
    [{ XDG_CACHE_HOME: '/x' }, '/x/huggingface/hub'],
    [{ XDG_CACHE_HOME: '' }, '/Users/me/.cache/huggingface/hub'],
    [{ HF_HOME: '/hf', XDG_CACHE_HOME: '/x' }, '/hf/hub'],
    [{ HF_HOME: '~/hf' }, '/Users/me/hf/hub'],
    [{ HF_HOME: '$DISK/hf', DISK: '/Volumes/Big' }, '/Volumes/Big/hf/hub'],
    [{ HF_HOME: '${DISK}/hf', DISK: '/Volumes/Big' }, '/Volumes/Big/hf/hub'],
    [{ HF_HOME: '$NONE/hf' }, '$NONE/hf/hub'],
    [{ HF_HOME: '/hf', HF_HUB_CACHE: '/c' }, '/c'],
    [{ HUGGINGFACE_HUB_CACHE: '/old', HF_HOME: '/hf' }, '/old'],
    [{ HUGGINGFACE_HUB_CACHE: '/old', HF_HUB_CACHE: '/new' }, '/new'],
  ])('%j', (env, folder) => expect(cacheFolderFrom(env, home)).toBe(folder));

  it.each([
    [{}, '/Users/me/.cache/huggingface/token'],
    [{ HF_HOME: '/hf' }, '/hf/token'],
    [{ HF_HOME: '/hf', HF_TOKEN_PATH: '~/t' }, '/Users/me/t'],
  ])('the login: %j', (env, file) => expect(tokenFileFrom(env, home)).toBe(file));
});

it('a model lies below its folder, links are relative', () => {
  const paths = modelPaths('/c', 'owner/some.model-1');
  expect(paths.folder).toBe('/c/models--owner--some.model-1');
  expect(linkTarget(paths, 'f'.repeat(40), 'config.json', 'abc')).toBe('../../blobs/abc');
  expect(linkTarget(paths, 'f'.repeat(40), 'x/y.jinja', 'abc')).toBe('../../../blobs/abc');
});

it.each([
  ['models--owner--name', 'owner/name'],
  ['models--mlx-community--gpt-oss-20b-MXFP4-Q8', 'mlx-community/gpt-oss-20b-MXFP4-Q8'],
  ['models--gpt2', null],
  ['datasets--a--b', null],
  ['.locks', null],
  ['models--a--b/..', null],
])('repositoryOf %s: %s', (name, repository) => expect(repositoryOf(name)).toBe(repository));

it('partial files are told from those of other tools', () => {
  const sha = 'a'.repeat(64);
  expect(isPartialName(partialName(sha))).toBe(true);
  expect(isPartialName(`${sha}.incomplete`)).toBe(false);
  expect(isPartialName(`${sha}.0123abcd.incomplete`)).toBe(false);
  expect(isPartialName(sha)).toBe(false);
});
