/** The one line on stdout that tells a program what it may use. */
import type { App } from '../../app.ts';

/** `url`: the link to the window, null where none is offered. */
export function readyLine(url: string | null, { endpoint, modelName }: Pick<App, 'endpoint' | 'modelName'>): string {
  return `${JSON.stringify({ ready: true, url, api: endpoint?.url ?? null, key: endpoint?.key ?? null, model: modelName })}\n`;
}
