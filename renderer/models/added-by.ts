import type { RouteInput } from '../../preload/contract.ts';

/** The hub's own rule for names; main checks it again. */
const REPOSITORY = /^[\w](?:[\w.-]{0,94}[\w])?\/[\w](?:[\w.-]{0,94}[\w])?$/;

/** What the text names: a folder, a repository, or nothing yet. A pasted address of the hub counts as its repository. */
export function addedBy(text: string): RouteInput<'models.add'> | null {
  const trimmed = text.trim();
  if (trimmed.startsWith('/')) return trimmed.length > 1 ? { by: 'folder', folder: trimmed } : null;
  const repository = trimmed
    .replace(/^https:\/\/(?:www\.)?huggingface\.co\//, '')
    .replace(/\/(?:tree|blob)\/.*$/, '')
    .replace(/\/$/, '');
  return REPOSITORY.test(repository) ? { by: 'repository', repository } : null;
}
