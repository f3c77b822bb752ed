import { createStore, type StoreApi } from 'zustand/vanilla';
import type { AppError, Bridge, EndpointStatus, Result, RouteInput } from '../../preload/contract.ts';
import { taken } from '../mirror/taken.ts';

export interface EndpointState {
  /** Null until asked for. */
  readonly status: EndpointStatus | null;
  /** What main refused, until the next action. */
  readonly refusal: AppError | null;
}

/** Main's truth about the endpoint for other programs. */
export class EndpointMirror {
  readonly store: StoreApi<EndpointState>;
  readonly #bridge: Bridge;

  constructor(bridge: Bridge) {
    this.#bridge = bridge;
    this.store = createStore<EndpointState>(() => ({ status: null, refusal: null }));
  }

  /** Begins to listen; returns what ends it. */
  listen(): () => void {
    return this.#bridge.on('endpoint.changed', (status) => this.store.setState({ status }));
  }

  async load(): Promise<void> {
    this.#show(await this.#bridge.call('endpoint.status', null));
  }

  /** Address and default key, or null where main refused. */
  async reveal(): Promise<{ readonly url: string; readonly key: string } | null> {
    return taken(this.store, await this.#bridge.call('endpoint.reveal', null));
  }

  /** A new key, told this once; null where main refused. */
  async addClient(name: string): Promise<{ readonly url: string; readonly key: string } | null> {
    const added = taken(this.store, await this.#bridge.call('endpoint.addClient', { name }));
    if (added !== null) this.store.setState({ status: added.status });
    return added;
  }

  async revokeClient(clientId: string): Promise<void> {
    this.#show(await this.#bridge.call('endpoint.revokeClient', { clientId }));
  }

  async endRequest(requestId: string): Promise<void> {
    this.#show(await this.#bridge.call('endpoint.endRequest', { requestId }));
  }

  /** True when main has taken it. */
  async configure(change: RouteInput<'endpoint.configure'>): Promise<boolean> {
    return this.#show(await this.#bridge.call('endpoint.configure', change));
  }

  #show(result: Result<EndpointStatus>): boolean {
    const status = taken(this.store, result);
    if (status !== null) this.store.setState({ status });
    return status !== null;
  }
}
