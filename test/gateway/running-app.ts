/** The whole app without a host, with the real engine and the demo model, its endpoint on any port. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, createApp } from '../../main/app.ts';
import { modelFolder, pythonExecutable } from '../engine/fixtures.ts';

export interface RunningApp {
  readonly app: App;
  readonly url: string;
  readonly key: string;
  end(): Promise<void>;
}

/** `givenFolder`: another model beside the demo, chosen at first. */
export async function runApp(givenFolder: string | null = null): Promise<RunningApp> {
  const folder = mkdtempSync(join(tmpdir(), 'hr-endpoint-'));
  const app = await createApp({
    version: '0.0.0',
    host: 'headless',
    platform: 'linux',
    dataFolder: folder,
    pythonExecutable,
    demoModelFolder: modelFolder,
    modelFolder: givenFolder,
    endpointPort: 0,
    openExternal: () => Promise.resolve(),
    hub: { environment: { HF_HOME: join(folder, 'hub') } },
  });
  const { endpoint } = app;
  if (endpoint === null) throw new Error('the endpoint does not listen');
  return {
    app,
    ...endpoint,
    async end() {
      await app.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
