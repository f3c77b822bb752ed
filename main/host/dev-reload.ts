/** `npm run dev`: when the window's files have been built anew, lists them again and tells the windows to reload. */
import { watch } from 'node:fs';
import type { EventEnvelope } from '../../preload/contract.ts';
import { type KnownFile, type KnownFiles, listRendererFiles } from './renderer-files.ts';

/** A build writes several files; the window reloads when it has been quiet for this long. */
const SETTLE_MS = 300;

export interface DevReload {
  /** What the host should serve: changes with every build. */
  readonly files: KnownFiles;
  dispose(): void;
}

export function reloadOnBuild(
  folder: string,
  initial: KnownFiles,
  publish: (envelope: EventEnvelope) => void,
): DevReload {
  const files = new Map<string, KnownFile>(initial);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const reload = async (): Promise<void> => {
    const built = await listRendererFiles(folder);
    // In the middle of a build there is no index.html: its end is seen too.
    if (built === null) return;
    files.clear();
    for (const [path, file] of built) files.set(path, file);
    publish({ event: 'window.reload', payload: null });
  };
  const watcher = watch(folder, { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(() => void reload(), SETTLE_MS);
  });
  return {
    files,
    dispose() {
      clearTimeout(timer);
      watcher.close();
    },
  };
}
