import { createStore, type StoreApi } from 'zustand/vanilla';
import type { AppError, Bridge, OutsideEngineKind, OutsideEngineStatus, RouteInput } from '../../preload/contract.ts';
import { taken } from '../mirror/taken.ts';

export interface EnginesState {
  /** Null until main has looked. */
  readonly engines: readonly OutsideEngineStatus[] | null;
  /** The one that is being looked for just now. */
  readonly looking: OutsideEngineKind | null;
  /** What main refused, until the next action, and for which of them. */
  readonly refusal: AppError | null;
  readonly refusedFor: OutsideEngineKind | null;
}

/** Main's truth about engines that others made: where they are and whether they answer. */
export class EnginesMirror {
  readonly store: StoreApi<EnginesState>;
  readonly #bridge: Bridge;

  constructor(bridge: Bridge) {
    this.#bridge = bridge;
    this.store = createStore<EnginesState>(() => ({ engines: null, looking: null, refusal: null, refusedFor: null }));
  }

  async load(): Promise<void> {
    const listed = taken(this.store, await this.#bridge.call('engines.list', null));
    if (listed !== null) this.store.setState({ engines: listed.engines, refusedFor: null });
  }

  /** True when main has taken it, and looked there. */
  async update(change: RouteInput<'engines.update'>): Promise<boolean> {
    this.store.setState({ looking: change.kind });
    const updated = taken(this.store, await this.#bridge.call('engines.update', change));
    this.store.setState((state) => ({
      looking: null,
      refusedFor: updated === null ? change.kind : null,
      engines: state.engines?.map((each) => (each.kind === updated?.kind ? updated : each)) ?? null,
    }));
    return updated !== null;
  }

  dismissRefusal(): void {
    this.store.setState({ refusal: null, refusedFor: null });
  }
}
