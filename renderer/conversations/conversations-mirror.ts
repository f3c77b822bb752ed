import { createStore, type StoreApi } from 'zustand/vanilla';
import type {
  AppError,
  Bridge,
  ConversationSummary,
  ImportReport,
  Preset,
  Result,
  RouteOutput,
  SearchHit,
} from '../../preload/contract.ts';
import { IMPORT_PIECE_LENGTH } from '../../preload/contract.ts';

/** What can be taken back, for as long as it is offered. */
export interface Undoable {
  readonly what: 'deleted' | 'archived';
  readonly conversationId: string;
  readonly title: string;
}

/**
 * An import, as the window shows it.
 *
 *  none ─► running ─► done | refused ─► none
 */
type Importing =
  | { readonly kind: 'none' }
  | { readonly kind: 'running'; readonly fileName: string; readonly doneShare: number }
  | { readonly kind: 'done'; readonly fileName: string; readonly report: ImportReport }
  | { readonly kind: 'refused'; readonly fileName: string; readonly error: AppError };

export interface ConversationsState {
  /** What was searched for; the hits belong to it. Empty: nothing is searched. */
  readonly query: string;
  readonly hits: readonly SearchHit[] | null;
  /** Pages after the head of the list, which is in `AppState`. `next` null: there are no more; undefined: not asked yet. */
  readonly older: readonly ConversationSummary[];
  readonly next: string | null | undefined;
  /** Null until they were asked for. */
  readonly archived: readonly ConversationSummary[] | null;
  readonly archivedNext: string | null;
  readonly undoable: Undoable | null;
  readonly importing: Importing;
  /** Null until they were asked for. */
  readonly presets: readonly Preset[] | null;
}

const NOTHING: ConversationsState = {
  query: '',
  hits: null,
  older: [],
  next: undefined,
  archived: null,
  archivedNext: null,
  undoable: null,
  importing: { kind: 'none' },
  presets: null,
};

/** Taking back is offered for so long. Main can for an hour. */
const UNDO_OFFER_MS = 8_000;

/** The list of conversations beyond its head: search, older pages, the archive, undo, import and export. */
export class ConversationsMirror {
  readonly store: StoreApi<ConversationsState> = createStore(() => NOTHING);
  readonly #bridge: Bridge;
  readonly #take: <T>(result: Result<T>) => T | null;
  #undoTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(bridge: Bridge, take: <T>(result: Result<T>) => T | null) {
    this.#bridge = bridge;
    this.#take = take;
  }

  listen(): () => void {
    const { on } = this.#bridge;
    const release = [
      // Titles, order and membership may have changed anywhere: what was fetched is asked again when it is looked at.
      on('chat.conversations', () => {
        this.store.setState({ older: [], next: undefined });
        if (this.store.getState().archived !== null) void this.loadArchived();
      }),
      on('preset.changed', (presets) => this.store.setState({ presets })),
    ];
    return () => {
      for (const each of release) each();
    };
  }

  async search(query: string): Promise<void> {
    this.store.setState({ query, ...(query.trim() === '' ? { hits: null } : {}) });
    if (query.trim() === '') return;
    const result = await this.#bridge.call('chat.search', { text: query });
    // The answer to a question nobody asks any more.
    if (this.store.getState().query !== query) return;
    const found = this.#take(result);
    if (found !== null) this.store.setState({ hits: found.hits });
  }

  /** The next page of the list. `after`: the last one that is shown. */
  async loadOlder(): Promise<void> {
    const { next, older } = this.store.getState();
    if (next === null) return;
    const page = this.#take(await this.#bridge.call('chat.list', { archived: false, after: next ?? null }));
    if (page === null || this.store.getState().next !== next) return;
    this.store.setState({ older: [...older, ...page.conversations], next: page.next });
  }

  /** The archive from its beginning. */
  async loadArchived(): Promise<void> {
    const page = this.#take(await this.#bridge.call('chat.list', { archived: true, after: null }));
    if (page !== null) this.store.setState({ archived: page.conversations, archivedNext: page.next });
  }

  async loadMoreArchived(): Promise<void> {
    const { archived, archivedNext } = this.store.getState();
    if (archived === null || archivedNext === null) return;
    const page = this.#take(await this.#bridge.call('chat.list', { archived: true, after: archivedNext }));
    if (page === null || this.store.getState().archivedNext !== archivedNext) return;
    this.store.setState({ archived: [...archived, ...page.conversations], archivedNext: page.next });
  }

  /** Nobody looks at it any more. */
  leaveArchive(): void {
    this.store.setState({ archived: null, archivedNext: null });
  }

  async rename(conversationId: string, title: string): Promise<boolean> {
    return this.#take(await this.#bridge.call('chat.rename', { conversationId, title })) !== null;
  }

  async pin(conversationId: string, pinned: boolean): Promise<void> {
    this.#take(await this.#bridge.call('chat.pin', { conversationId, pinned }));
  }

  async archive({ id, title }: ConversationSummary): Promise<void> {
    const done = this.#take(await this.#bridge.call('chat.archive', { conversationId: id, archived: true }));
    if (done !== null) this.#offerUndo({ what: 'archived', conversationId: id, title });
  }

  async unarchive(conversationId: string): Promise<void> {
    this.#take(await this.#bridge.call('chat.archive', { conversationId, archived: false }));
  }

  async delete({ id, title }: ConversationSummary): Promise<void> {
    const result = await this.#bridge.call('chat.delete', { conversationId: id });
    if (!result.ok) {
      this.#take(result);
      return;
    }
    this.store.setState(({ hits }) => ({
      hits: hits?.filter(({ conversation }) => conversation.id !== id) ?? null,
    }));
    this.#offerUndo({ what: 'deleted', conversationId: id, title });
  }

  async undo(): Promise<void> {
    const { undoable } = this.store.getState();
    if (undoable === null) return;
    this.dismissUndo();
    const { conversationId } = undoable;
    if (undoable.what === 'deleted') this.#take(await this.#bridge.call('chat.undelete', { conversationId }));
    else await this.unarchive(conversationId);
  }

  dismissUndo(): void {
    if (this.#undoTimer !== null) clearTimeout(this.#undoTimer);
    this.#undoTimer = null;
    this.store.setState({ undoable: null });
  }

  /** The file, whole; null when main refused. */
  async exported(
    conversationIds: readonly string[] | null,
    format: 'markdown' | 'json',
  ): Promise<{ readonly fileName: string; readonly pieces: readonly string[] } | null> {
    const pieces: string[] = [];
    let after: string | null = null;
    for (;;) {
      const ids = conversationIds === null ? null : [...conversationIds];
      const piece: RouteOutput<'chat.export'> | null = this.#take(
        await this.#bridge.call('chat.export', { conversationIds: ids, format, after }),
      );
      if (piece === null) return null;
      pieces.push(piece.text);
      if (piece.next === null) return { fileName: piece.fileName, pieces };
      after = piece.next;
    }
  }

  /** Hands a file over in pieces; a wrong one changes nothing. */
  async import(file: { readonly name: string; text(): Promise<string> }): Promise<void> {
    const { name: fileName } = file;
    this.store.setState({ importing: { kind: 'running', fileName, doneShare: 0 } });
    let text: string;
    try {
      text = await file.text();
    } catch {
      // A folder, a file that is gone or larger than a string can be.
      const error = {
        code: 'refused',
        message: `${fileName} could not be read.`,
        nextStep: 'Choose another file.',
      } as const;
      this.store.setState({ importing: { kind: 'refused', fileName, error } });
      return;
    }
    const importId = crypto.randomUUID();
    const pieces = Math.max(1, Math.ceil(text.length / IMPORT_PIECE_LENGTH));
    for (let index = 0; index < pieces; index += 1) {
      const result = await this.#bridge.call('chat.import', {
        importId,
        index,
        text: text.slice(index * IMPORT_PIECE_LENGTH, (index + 1) * IMPORT_PIECE_LENGTH),
        isLast: index === pieces - 1,
      });
      if (!result.ok) {
        this.store.setState({ importing: { kind: 'refused', fileName, error: result.error } });
        return;
      }
      if (result.value !== null) {
        this.store.setState({ importing: { kind: 'done', fileName, report: result.value } });
        return;
      }
      this.store.setState({ importing: { kind: 'running', fileName, doneShare: (index + 1) / pieces } });
    }
  }

  endImport(): void {
    this.store.setState({ importing: { kind: 'none' } });
  }

  async loadPresets(): Promise<void> {
    const list = this.#take(await this.#bridge.call('preset.list', null));
    if (list !== null) this.store.setState(list);
  }

  async savePreset(presetId: string | null, name: string, systemText: string): Promise<boolean> {
    const list = this.#take(await this.#bridge.call('preset.save', { presetId, name, systemText }));
    if (list !== null) this.store.setState(list);
    return list !== null;
  }

  async deletePreset(presetId: string): Promise<void> {
    const list = this.#take(await this.#bridge.call('preset.delete', { presetId }));
    if (list !== null) this.store.setState(list);
  }

  #offerUndo(undoable: Undoable): void {
    this.dismissUndo();
    this.store.setState({ undoable });
    this.#undoTimer = setTimeout(() => this.dismissUndo(), UNDO_OFFER_MS);
  }
}
