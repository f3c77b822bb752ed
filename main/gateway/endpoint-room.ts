/** The endpoint's room: its keys, its port, its list of requests and what the window may do with them. */
import type { EndpointStatus, EventEnvelope, Handlers } from '../../preload/contract.ts';
import type { Clock } from '../engine/clock.ts';
import type { Engine } from '../engine/engine.ts';
import { AppFault } from '../fault.ts';
import type { Log } from '../log/log.ts';
import { originOf } from './access.ts';
import { createEndpoint, type Endpoint, type EndpointModels, type EndpointOptions } from './endpoint.ts';
import { keepIdleUnload } from './idle-unload.ts';
import { openDefaultKey } from './key.ts';
import type { OfferedModel } from './model-admission.ts';
import { type EndpointRecords, openRecords } from './records.ts';

export interface EndpointRoomPorts {
  readonly dataFolder: string;
  readonly engine: Pick<Engine, 'generate' | 'count' | 'metrics' | 'state' | 'subscribe'> & { openAnswers(): number };
  readonly models: Pick<EndpointModels, 'current' | 'available'>;
  /** Puts this model in the place of the one that runs. */
  readonly choose: (modelId: string) => Promise<void>;
  readonly sampling: EndpointOptions['sampling'];
  readonly ensureRunning: () => void;
  readonly unload: () => void;
  /** Which program listens on this port, in words; null when that cannot be found out. */
  readonly portHolder: (port: number) => Promise<string | null>;
  /** The usual port; 0 for any. */
  readonly port: number;
  readonly publish: (envelope: EventEnvelope) => void;
  readonly clock: Clock;
  readonly log: Log;
}

type EndpointRoute = Extract<keyof Handlers, `endpoint.${string}`>;

export interface EndpointRoom {
  /** Null when it could not listen. */
  readonly current: { readonly url: string; readonly key: string } | null;
  /** The chosen model stays loaded. */
  isPinned(): boolean;
  /** Somebody waits for the model or is answered by it. */
  isServing(): boolean;
  /** The user writes: an idle model is not unloaded now. True if it was, and should come back. */
  userWrites(): boolean;
  readonly handlers: Pick<Handlers, EndpointRoute>;
  dispose(): Promise<void>;
}

const PUBLISH_EVERY_MS = 250;

/** Throws the file system's error when the keys cannot be kept. */
export async function openEndpointRoom(ports: EndpointRoomPorts): Promise<EndpointRoom> {
  const { dataFolder, engine, clock, log } = ports;
  const key = openDefaultKey(dataFolder, log);
  const records = openRecords(dataFolder, { defaultKey: key, nowMs: () => clock.nowMs(), log });
  let endpoint: Endpoint | null = null;
  let portTaken: string | null = null;
  let cancelPublish: (() => void) | null = null;
  let isDisposed = false;

  const pinned = (): boolean => {
    const { pinnedModelId } = records.settings;
    return pinnedModelId !== null && pinnedModelId === ports.models.current()?.id;
  };
  const wantedPort = (): number => records.settings.port ?? ports.port;
  const status = (): EndpointStatus => ({
    url: endpoint?.url ?? null,
    wantedPort: wantedPort(),
    portTaken,
    clients: records.clients,
    requests: endpoint?.requests ?? [],
    origins: records.settings.origins,
    isPinned: pinned(),
    unloadAfterMinutes: records.settings.unloadAfterMinutes,
    unloadsAtMs: idle.atMs,
  });
  const changed = (): void => {
    if (isDisposed || cancelPublish !== null) return;
    cancelPublish = clock.after(PUBLISH_EVERY_MS, () => {
      cancelPublish = null;
      ports.publish({ event: 'endpoint.changed', payload: status() });
    });
  };

  const idle = keepIdleUnload({
    engine,
    afterMinutes: () => records.settings.unloadAfterMinutes,
    isPinned: pinned,
    unload: () => {
      log('info', 'the model was not used for the chosen time and is unloaded');
      ports.unload();
    },
    changed,
    clock,
  });

  async function listen(): Promise<void> {
    const wanted = wantedPort();
    const { lastPort } = records.settings;
    try {
      endpoint = await createEndpoint({
        engine,
        models: { ...ports.models, isPinned: pinned, choose: ports.choose },
        sampling: ports.sampling,
        ensureRunning: ports.ensureRunning,
        callerOf: (sent) => records.callerOf(sent),
        origins: () => records.settings.origins,
        changed,
        log,
        // What programs were told last comes first: a port that is free again is no use to them.
        ports: lastPort === null || lastPort === wanted ? [wanted] : [lastPort, wanted],
      });
    } catch (error) {
      log('error', `the endpoint could not listen: ${error instanceof Error ? error.message : String(error)}`);
      return;
    }
    const isElsewhere = wanted !== 0 && endpoint.port !== wanted;
    if (isElsewhere && endpoint.port !== lastPort) records.update({ lastPort: endpoint.port });
    portTaken = null;
    if (!isElsewhere) return;
    const holder = await ports.portHolder(wanted);
    portTaken =
      endpoint.port === lastPort && holder === null
        ? `Headroom uses port ${endpoint.port}, as last time, when ${wanted} was taken.`
        : `Port ${wanted} is used by ${holder ?? 'another program'}, so Headroom uses ${endpoint.port}.`;
    changed();
  }

  const closed = (): never => {
    throw new AppFault('engine-off', 'The endpoint could not find a free port.', 'Open Headroom again.');
  };
  const handlers: Pick<Handlers, EndpointRoute> = {
    'endpoint.reveal': () => (endpoint === null ? closed() : { url: endpoint.url, key }),
    'endpoint.status': status,
    'endpoint.addClient': ({ name }) => {
      const { url } = endpoint ?? closed();
      const made = records.addClient(name);
      changed();
      return { url, key: made, status: status() };
    },
    'endpoint.revokeClient': ({ clientId }) => {
      records.revokeClient(clientId);
      endpoint?.endRequestsOf(clientId);
      changed();
      return status();
    },
    'endpoint.endRequest': ({ requestId }) => {
      if (endpoint?.endRequest(requestId) !== true)
        throw new AppFault('not-found', 'This request has ended already.', 'Nothing needs to be done.');
      return status();
    },
    'endpoint.configure': async (change) => {
      configure(change, records, ports.models.current());
      idle.review();
      if (change.port !== undefined && wantedPort() !== endpoint?.port) {
        await endpoint?.dispose();
        endpoint = null;
        await listen();
      }
      changed();
      return status();
    },
  };

  await listen();
  return {
    get current() {
      return endpoint === null ? null : { url: endpoint.url, key };
    },
    isPinned: pinned,
    isServing: () => (endpoint?.requests.length ?? 0) > 0,
    userWrites() {
      idle.used();
      return idle.isAway;
    },
    handlers,
    async dispose() {
      isDisposed = true;
      cancelPublish?.();
      idle.dispose();
      await endpoint?.dispose();
    },
  };
}

type Change = Parameters<Handlers['endpoint.configure']>[0];

/** Throws AppFault (refused). */
function configure(change: Change, records: EndpointRecords, model: OfferedModel | null): void {
  const origins = change.origins?.map((text) => {
    const origin = originOf(text);
    if (origin !== null) return origin;
    throw new AppFault('refused', 'This is not a page’s origin.', 'Write it as https://app.example, without a path.');
  });
  if (change.isPinned === true && model === null)
    throw new AppFault('no-model', 'No model has been chosen yet.', 'Choose a model first.');
  records.update({
    ...(change.port === undefined ? {} : { port: change.port, lastPort: null }),
    ...(origins === undefined ? {} : { origins: [...new Set(origins)] }),
    ...(change.isPinned === undefined ? {} : { pinnedModelId: change.isPinned ? (model?.id ?? null) : null }),
    ...(change.unloadAfterMinutes === undefined ? {} : { unloadAfterMinutes: change.unloadAfterMinutes }),
  });
}
