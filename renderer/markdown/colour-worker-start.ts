import type { ColourAnswer } from './code-colours.ts';
import type { ColourWorker } from './code-colouring.ts';
// Vite makes this export.
// oxlint-disable-next-line import/default
import workerUrl from './colour-worker.ts?worker&url';

/** Where the page requires trusted types, only this one address may become a worker. */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): {
    createScriptURL(url: string): string;
  };
}

let policy: ReturnType<TrustedTypes['createPolicy']> | null = null;

export function startColourWorker(): ColourWorker {
  const { trustedTypes } = window as { readonly trustedTypes?: TrustedTypes };
  policy ??= trustedTypes?.createPolicy('headroom-colour-worker', { createScriptURL: () => workerUrl }) ?? null;
  const worker = new Worker(policy?.createScriptURL(workerUrl) ?? workerUrl, { type: 'module', name: 'colours' });
  return {
    // A worker has no origin to name.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    ask: (request) => worker.postMessage(request),
    terminate: () => worker.terminate(),
    onAnswer: (listener) =>
      worker.addEventListener('message', ({ data }: MessageEvent<ColourAnswer>) => listener(data)),
    onFailure: (listener) => worker.addEventListener('error', () => listener()),
  };
}
