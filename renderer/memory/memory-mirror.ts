import { createStore, type StoreApi } from 'zustand/vanilla';
import type {
  AppError,
  Bridge,
  MemorySample,
  MemoryUser,
  ProtectionState,
  Result,
  WiredLimitHelperStatus,
  WiredLimitPlan,
  WiredLimitState,
  WiredLimitWay,
} from '../../preload/contract.ts';
import { withSample } from './memory-history.ts';

/** Who uses the memory: asked for when somebody looks. */
type Users =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'known'; readonly users: readonly MemoryUser[] }
  | { readonly kind: 'failed'; readonly message: string };

export interface MemoryState {
  /** Oldest first, ten minutes of them. */
  readonly samples: readonly MemorySample[];
  readonly users: Users;
  /** Null until main has told. */
  readonly wiredLimit: WiredLimitState | null;
  /** What the chosen model needs; null where there is no limit to raise, or before it was asked. */
  readonly plan: WiredLimitPlan | null;
  /** The limit last asked for in this window, for another try. */
  readonly wantedMiB: number | null;
  /** What is done to keep the machine from swapping; null until main has told. */
  readonly protection: ProtectionState | null;
  /** Null until asked for. */
  readonly helper: WiredLimitHelperStatus | null;
  /** Why the last click in the limit's sheet did nothing, and at which part of it. */
  readonly limitRefusal: (Pick<AppError, 'message' | 'nextStep'> & { readonly at: LimitPart }) | null;
}

type LimitPart = 'limit' | 'helper';

type Take = <T>(result: Result<T>) => T | null;

/** Main's truth about memory, apart from the conversation's: it changes every two seconds. */
export class MemoryMirror {
  readonly store: StoreApi<MemoryState>;
  readonly #bridge: Bridge;
  /** Shows a refusal in the window. */
  readonly #take: Take;

  constructor(bridge: Bridge, take: Take) {
    this.#bridge = bridge;
    this.#take = take;
    this.store = createStore<MemoryState>(() => ({
      samples: [],
      users: { kind: 'unknown' },
      wiredLimit: null,
      plan: null,
      wantedMiB: null,
      protection: null,
      helper: null,
      limitRefusal: null,
    }));
  }

  /** Begins to listen; returns what ends it. */
  listen(): () => void {
    const release = [
      this.#bridge.on('memory.sample', (sample) =>
        this.store.setState(({ samples }) => ({ samples: withSample(samples, sample) })),
      ),
      this.#bridge.on('wiredLimit.state', (wiredLimit) =>
        this.store.setState(({ plan }) => ({
          wiredLimit,
          plan: wiredLimit.kind === 'asking' ? wiredLimit.plan : plan,
        })),
      ),
      this.#bridge.on('protection.state', (protection) => this.store.setState({ protection })),
    ];
    return () => {
      for (const end of release) end();
    };
  }

  async load(): Promise<void> {
    const [history, protection] = await Promise.all([
      this.#bridge.call('memory.history', null),
      this.#bridge.call('protection.state', null),
      this.lookAtLimit(),
    ]);
    if (protection.ok) this.store.setState({ protection: protection.value });
    if (!history.ok) return;
    const meanwhile = this.store.getState().samples;
    const newest = history.value.samples.at(-1)?.atMs ?? 0;
    this.store.setState({
      samples: meanwhile.filter(({ atMs }) => atMs > newest).reduce(withSample, history.value.samples),
    });
  }

  async loadUsers(): Promise<void> {
    const result = await this.#bridge.call('memory.apps', null);
    this.store.setState({
      users: result.ok
        ? { kind: 'known', users: result.value.apps }
        : { kind: 'failed', message: result.error.message },
    });
  }

  /** What came of it, in words. */
  async quit(user: MemoryUser): Promise<string> {
    const result = await this.#bridge.call('memory.quitApp', { pid: user.pid, name: user.name });
    if (!result.ok) return `${result.error.message} ${result.error.nextStep}`;
    const { outcome, message } = result.value;
    if (outcome === 'asked' || outcome === 'gone') void this.loadUsers();
    return message;
  }

  /** Protection keeps the model off and has its own words for it: what would make it fit is not the question. */
  get protectionRefuses(): boolean {
    const kind = this.store.getState().protection?.kind;
    return kind === 'wired-left' || kind === 'unloaded';
  }

  /** The user overrules protection for a while. */
  async undoProtection(): Promise<void> {
    const protection = this.#take(await this.#bridge.call('protection.undo', null));
    if (protection !== null) this.store.setState({ protection });
  }

  // ── The wired limit ──

  async lookAtLimit(): Promise<void> {
    const result = await this.#bridge.call('wiredLimit.plan', null);
    if (result.ok) this.store.setState({ wiredLimit: result.value.state, plan: result.value.plan });
  }

  async raise(limitMiB: number, by: WiredLimitWay): Promise<void> {
    this.store.setState({ wantedMiB: limitMiB });
    this.#tookLimit(await this.#bridge.call('wiredLimit.raise', { limitMiB, by }));
  }

  async restore(by: WiredLimitWay): Promise<void> {
    this.#tookLimit(await this.#bridge.call('wiredLimit.restore', { by }));
  }

  async cancel(): Promise<void> {
    this.#tookLimit(await this.#bridge.call('wiredLimit.cancel', null));
  }

  async startAnyway(): Promise<void> {
    this.#tookLimit(await this.#bridge.call('wiredLimit.startAnyway', null));
  }

  #tookLimit(result: Result<WiredLimitState>): void {
    if (this.#answered(result, 'limit')) this.store.setState({ wiredLimit: result.value });
  }

  /** A refusal is told where the click was: the sheet covers the window. */
  #answered<T>(result: Result<T>, at: LimitPart): result is Extract<Result<T>, { ok: true }> {
    this.store.setState({ limitRefusal: result.ok ? null : { ...result.error, at } });
    return result.ok;
  }

  /** Installs, removes or looks at the helper. */
  async helper(action: 'install' | 'remove' | 'status'): Promise<void> {
    const result = await this.#bridge.call('wiredLimit.helper', { action });
    if (this.#answered(result, 'helper')) this.store.setState({ helper: result.value });
  }

  async setAtBoot(limitMiB: number | null): Promise<void> {
    const result = await this.#bridge.call('wiredLimit.atBoot', { limitMiB });
    if (this.#answered(result, 'helper')) this.store.setState({ helper: result.value });
  }
}
