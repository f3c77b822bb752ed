import { createStore, type StoreApi } from 'zustand/vanilla';
import type {
  AppError,
  Bridge,
  ContextPlan,
  HubSettings,
  ModelEntry,
  Preflight,
  RouteInput,
} from '../../preload/contract.ts';
import { taken } from '../mirror/taken.ts';

/**
 * What loading the chosen model would meet. `held`: a start was refused for it, so it is shown without being asked for.
 */
type PreflightView =
  | { readonly kind: 'none' }
  | { readonly kind: 'looking' }
  | { readonly kind: 'known'; readonly preflight: Preflight; readonly isHeld: boolean }
  | { readonly kind: 'failed'; readonly error: AppError };

export interface ModelsState {
  /** Null until main has told. */
  readonly entries: readonly ModelEntry[] | null;
  /** Of the chosen model; null without one. */
  readonly plan: ContextPlan | null;
  /** Null until asked for. */
  readonly hub: HubSettings | null;
  readonly preflight: PreflightView;
  /** What main refused to do with a model, until the next action. Shown where the action was. */
  readonly refusal: AppError | null;
  /** The model whose page is open in the models sheet. */
  readonly lookingAt: string | null;
  /** The user looked around with the demo and wants to go on setting up. */
  readonly isFirstRunWanted: boolean;
  /** What the models sheet is to show when it opens, because something else led there; null for its list. */
  readonly wantedPage: 'downloads' | 'endpoint' | null;
}

/** The routes that take a model and answer with it. */
type ModelAction = 'models.download' | 'models.pause' | 'models.cancel' | 'models.verify' | 'models.repair';

/** Main's truth about models, downloads and the context slider. */
export class ModelsMirror {
  readonly store: StoreApi<ModelsState>;
  readonly #bridge: Bridge;

  constructor(bridge: Bridge) {
    this.#bridge = bridge;
    this.store = createStore<ModelsState>(() => ({
      entries: null,
      plan: null,
      hub: null,
      preflight: { kind: 'none' },
      refusal: null,
      lookingAt: null,
      isFirstRunWanted: false,
      wantedPage: null,
    }));
  }

  /** Begins to listen; returns what ends it. */
  listen(): () => void {
    const release = [
      this.#bridge.on('models.changed', (entries) => this.store.setState({ entries })),
      this.#bridge.on('context.changed', (plan) => this.store.setState({ plan })),
      // Another model has other stops.
      this.#bridge.on('model.changed', () => void this.loadPlan()),
      // A raised limit has room for more; a loaded model has been measured.
      this.#bridge.on('wiredLimit.state', ({ kind }) => {
        if (kind === 'raised' || kind === 'idle') void this.loadPlan();
      }),
      this.#bridge.on('engine.state', ({ kind }) => {
        if (kind === 'ready' || kind === 'off') void this.loadPlan();
      }),
    ];
    return () => {
      for (const end of release) end();
    };
  }

  async load(): Promise<void> {
    await Promise.all([this.loadEntries(), this.loadPlan()]);
  }

  async loadEntries(): Promise<void> {
    const listed = taken(this.store, await this.#bridge.call('models.list', null));
    if (listed !== null) this.store.setState({ entries: listed.models });
  }

  async loadPlan(): Promise<void> {
    const result = await this.#bridge.call('context.plan', { modelId: null });
    // Without a model there is no slider; that is no fault.
    this.store.setState({ plan: result.ok ? result.value : null });
  }

  async act(action: ModelAction, modelId: string): Promise<void> {
    const entry = taken(this.store, await this.#bridge.call(action, { modelId }));
    if (entry !== null) this.#put(entry);
  }

  /** The model that was added, or null where main refused. */
  async add(input: RouteInput<'models.add'>): Promise<ModelEntry | null> {
    const entry = taken(this.store, await this.#bridge.call('models.add', input));
    if (entry !== null) this.#put(entry);
    return entry;
  }

  /** How many bytes that freed, or null where main refused. */
  async remove(modelId: string, evenIfShared: boolean): Promise<number | null> {
    const removed = taken(this.store, await this.#bridge.call('models.delete', { modelId, evenIfShared }));
    if (removed === null) return null;
    await this.loadEntries();
    return removed.freedBytes;
  }

  async setContext(tokens: number): Promise<void> {
    const plan = taken(this.store, await this.#bridge.call('context.set', { tokens }));
    if (plan !== null) this.store.setState({ plan });
  }

  async loadHub(): Promise<void> {
    const hub = taken(this.store, await this.#bridge.call('hub.settings', null));
    if (hub !== null) this.store.setState({ hub });
  }

  /** True when main has taken it. */
  async updateHub(change: RouteInput<'hub.update'>): Promise<boolean> {
    const hub = taken(this.store, await this.#bridge.call('hub.update', change));
    if (hub !== null) this.store.setState({ hub });
    return hub !== null;
  }

  /** What loading the chosen model would meet now. */
  async lookBeforeLoading(): Promise<void> {
    // What was found stays until there is something newer: nothing jumps under the pointer.
    const isHeld = this.#isHeld();
    if (this.store.getState().preflight.kind !== 'known') this.store.setState({ preflight: { kind: 'looking' } });
    const result = await this.#bridge.call('models.preflight', { modelId: null });
    this.store.setState({
      preflight: result.ok
        ? { kind: 'known', preflight: result.value, isHeld }
        : { kind: 'failed', error: result.error },
    });
  }

  /** A start was refused: true when what was looked at before loading is the reason, which then shows itself. */
  async explainsRefusal(): Promise<boolean> {
    const result = await this.#bridge.call('models.preflight', { modelId: null });
    if (!result.ok || result.value.verdict === 'go') return false;
    this.store.setState({ preflight: { kind: 'known', preflight: result.value, isHeld: true } });
    return true;
  }

  forgetPreflight(): void {
    this.store.setState({ preflight: { kind: 'none' } });
  }

  lookAt(modelId: string | null): void {
    this.store.setState({ lookingAt: modelId, refusal: null });
  }

  wantFirstRun(isFirstRunWanted: boolean): void {
    this.store.setState({ isFirstRunWanted });
  }

  wantPage(wantedPage: ModelsState['wantedPage']): void {
    this.store.setState({ wantedPage });
  }

  dismissRefusal(): void {
    this.store.setState({ refusal: null });
  }

  #isHeld(): boolean {
    const { preflight } = this.store.getState();
    return preflight.kind === 'known' && preflight.isHeld;
  }

  #put(entry: ModelEntry): void {
    this.store.setState(({ entries }) => {
      const known = entries ?? [];
      const isKnown = known.some(({ id }) => id === entry.id);
      return { entries: isKnown ? known.map((other) => (other.id === entry.id ? entry : other)) : [...known, entry] };
    });
  }
}
