import {
  AppWindow,
  Archive,
  ArrowLeft,
  Download,
  Keyboard,
  PanelTop,
  Search,
  Settings,
  SquarePen,
  Upload,
} from 'lucide-react';
import { type KeyboardEvent, type UIEvent, useEffect, useState } from 'react';
import type { ConversationSummary, SearchHit } from '../../preload/contract.ts';
import { useConversations, useMirror, useMirrored } from '../mirror/react.ts';
import { useOpenSheet } from '../sheets.ts';
import { FilePicker } from '../ui/file-picker.tsx';
import { IconButton } from '../ui/icon-button.tsx';
import { modifierKey } from '../ui/keys.ts';
import { Menu } from '../ui/menu.tsx';
import { saveFile } from '../ui/save-file.ts';
import { Sheet } from '../ui/sheet.tsx';
import { ConversationRow } from './conversation-row.tsx';
import styles from './conversations-sheet.module.css';
import { dayTitle, groupByDay } from './days.ts';
import { Highlighted } from './highlighted.tsx';
import { ImportReport } from './import-report.tsx';
import { UndoStrip } from './undo-strip.tsx';

const NONE = [] as const;
/** The next page is asked for this far before the end, in pixels. */
const NEAR_END = 200;
const SEARCH_REST_MS = 120;

/** Arrow keys walk the list as in a native one; Tab works as everywhere. */
function walk(event: KeyboardEvent<HTMLElement>): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (step === 0) return;
  const items = [
    ...event.currentTarget.querySelectorAll<HTMLElement>('[data-walked], [data-testid="conversation"] > button'),
  ];
  const index = items.indexOf(document.activeElement as HTMLElement);
  const next = items[Math.min(items.length - 1, Math.max(0, index + step))];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}

type View = 'list' | 'archive';

/** Earlier conversations: found, opened, tidied, taken in and out. */
export function ConversationsSheet({ onClose }: { readonly onClose: () => void }) {
  const mirror = useMirror();
  const { conversations } = mirror;
  const platform = useMirrored((state) => state.app?.platform ?? 'other');
  const host = useMirrored((state) => state.app?.host ?? 'headless');
  const windowForm = useMirrored((state) => state.app?.windowForm ?? 'page');
  const openSheet = useOpenSheet();
  const query = useConversations((state) => state.query);
  const [view, setView] = useState<View>('list');
  const [text, setText] = useState(query);

  useEffect(() => {
    const timer = setTimeout(() => void conversations.search(text), SEARCH_REST_MS);
    return () => clearTimeout(timer);
  }, [conversations, text]);
  useEffect(() => {
    if (view !== 'archive') return;
    void conversations.loadArchived();
    return () => conversations.leaveArchive();
  }, [conversations, view]);
  // The next time it begins with the list.
  useEffect(() => () => void conversations.search(''), [conversations]);

  const open = (id: string, messageId: string | null = null): void => {
    onClose();
    void mirror.openConversation(id, messageId);
  };
  const exportAll = async (): Promise<void> => {
    const exported = await conversations.exported(null, 'json');
    if (exported !== null) saveFile(exported.fileName, exported.pieces);
  };
  return (
    <Sheet label="Conversations" onClose={onClose} onBack={view === 'archive' ? () => setView('list') : null}>
      <div className={styles.head}>
        {view === 'archive' && (
          <IconButton icon={ArrowLeft} label="All conversations" onClick={() => setView('list')} />
        )}
        <h2>{view === 'archive' ? 'Archived' : 'Conversations'}</h2>
        <FilePicker
          accept=".json,.md,application/json,text/markdown"
          testId="import-input"
          onFiles={([chosen]) => chosen !== undefined && void conversations.import(chosen)}
        >
          {(openFile) => (
            <Menu
              label="More"
              items={[
                { label: 'Import…', icon: Upload, onChoose: openFile },
                { label: 'Export everything', icon: Download, onChoose: () => void exportAll() },
                { label: 'Archived', icon: Archive, onChoose: () => setView('archive') },
                ...(host === 'electron'
                  ? [
                      windowForm === 'window'
                        ? {
                            label: 'Back to the menu bar',
                            icon: PanelTop,
                            onChoose: () => mirror.detachWindow(false),
                            isApart: true,
                          }
                        : {
                            label: 'Open in a window',
                            icon: AppWindow,
                            onChoose: () => mirror.detachWindow(true),
                            isApart: true,
                          },
                    ]
                  : []),
                {
                  label: 'Settings…',
                  icon: Settings,
                  onChoose: () => openSheet('settings'),
                  isApart: host !== 'electron',
                },
                { label: 'Keyboard shortcuts', icon: Keyboard, onChoose: () => openSheet('shortcuts') },
              ]}
            />
          )}
        </FilePicker>
        <IconButton
          icon={SquarePen}
          label="New conversation"
          shortcut={`${modifierKey(platform)}N`}
          onClick={() => {
            onClose();
            mirror.newConversation();
          }}
        />
      </div>
      <div className={styles.search}>
        <Search size={14} strokeWidth={1.75} aria-hidden />
        <input
          type="search"
          aria-label="Search conversations"
          placeholder="Search"
          data-first-focus
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'ArrowDown') focusFirst(event);
            if (event.key !== 'Escape' || text === '') return;
            // First the search goes, then the list.
            event.preventDefault();
            event.stopPropagation();
            setText('');
          }}
        />
      </div>
      {text.trim() !== '' ? (
        <Hits onOpen={open} />
      ) : view === 'archive' ? (
        <Archived onOpen={open} />
      ) : (
        <List onOpen={open} />
      )}
      <ImportReport />
      <UndoStrip />
    </Sheet>
  );
}

function focusFirst(event: KeyboardEvent<HTMLElement>): void {
  event.preventDefault();
  event.currentTarget
    .closest('dialog')
    ?.querySelector<HTMLElement>('[data-walked], [data-testid="conversation"] > button')
    ?.focus();
}

interface ListProps {
  readonly onOpen: (conversationId: string, messageId?: string | null) => void;
}

function List({ onOpen }: ListProps) {
  const { conversations } = useMirror();
  const head = useMirrored((state) => state.app?.conversations ?? NONE);
  const older = useConversations((state) => state.older);
  const [nowMs] = useState(Date.now);
  const known = new Set(head.map(({ id }) => id));
  const all = [...head, ...older.filter(({ id }) => !known.has(id))];
  const pinned = all.filter(({ pinnedAtMs }) => pinnedAtMs !== null);
  const rest = all.filter(({ pinnedAtMs }) => pinnedAtMs === null);
  const onScroll = ({ currentTarget: { scrollHeight, scrollTop, clientHeight } }: UIEvent): void => {
    if (scrollHeight - scrollTop - clientHeight < NEAR_END) void conversations.loadOlder();
  };
  if (all.length === 0)
    return <p className={styles.empty}>None yet. What you write is kept on this computer, and nowhere else.</p>;
  return (
    <nav className={styles.list} aria-label="Earlier conversations" onKeyDown={walk} onScroll={onScroll}>
      {pinned.length > 0 && <Group title="Pinned" conversations={pinned} onOpen={onOpen} />}
      {groupByDay(rest, nowMs).map((group) => (
        <Group key={group.title} {...group} onOpen={onOpen} />
      ))}
    </nav>
  );
}

function Archived({ onOpen }: ListProps) {
  const { conversations } = useMirror();
  const archived = useConversations((state) => state.archived);
  const hasMore = useConversations((state) => state.archivedNext !== null);
  const [nowMs] = useState(Date.now);
  if (archived === null) return <div className={styles.empty} aria-busy />;
  if (archived.length === 0) return <p className={styles.empty}>Nothing is archived.</p>;
  return (
    <nav
      className={styles.list}
      aria-label="Archived conversations"
      onKeyDown={walk}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        if (hasMore && scrollHeight - scrollTop - clientHeight < NEAR_END) void conversations.loadMoreArchived();
      }}
    >
      {groupByDay(archived, nowMs).map((group) => (
        <Group key={group.title} {...group} onOpen={onOpen} />
      ))}
    </nav>
  );
}

function Group({
  title,
  conversations,
  onOpen,
}: ListProps & { readonly title: string; readonly conversations: readonly ConversationSummary[] }) {
  return (
    <section aria-label={title}>
      <h3 className={styles.day}>{title}</h3>
      <ul>
        {conversations.map((conversation) => (
          <li key={conversation.id}>
            <ConversationRow conversation={conversation} onOpen={() => onOpen(conversation.id)} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Hits({ onOpen }: ListProps) {
  const hits = useConversations((state) => state.hits);
  const [nowMs] = useState(Date.now);
  if (hits === null) return <div className={styles.empty} aria-busy />;
  if (hits.length === 0) return <p className={styles.empty}>Nothing holds all of these words.</p>;
  return (
    <nav className={styles.list} aria-label="Found" onKeyDown={walk}>
      <ul>
        {hits.map((hit) => (
          <li key={`${hit.conversation.id} ${hit.messageId ?? ''} ${hit.attachment?.id ?? ''}`}>
            <Hit hit={hit} nowMs={nowMs} onOpen={onOpen} />
          </li>
        ))}
      </ul>
    </nav>
  );
}

const WHO = { user: 'You', assistant: 'Answer' } as const;

function placeOf({ attachment, role }: SearchHit): string {
  if (attachment !== null) return `In ${attachment.name}: `;
  return role === null ? '' : `${WHO[role]}: `;
}

function Hit({ hit, nowMs, onOpen }: ListProps & { readonly hit: SearchHit; readonly nowMs: number }) {
  return (
    <button
      type="button"
      className={styles.hit}
      data-walked
      data-testid="hit"
      onClick={() => onOpen(hit.conversation.id, hit.messageId)}
    >
      <span className={styles.hitHead}>
        <span className={styles.hitTitle}>
          {hit.messageId === null ? <Highlighted text={hit.snippet} ranges={hit.ranges} /> : hit.conversation.title}
        </span>
        <span className={styles.hitDay}>{dayTitle(hit.createdAtMs, nowMs)}</span>
      </span>
      {hit.messageId !== null && (
        <span className={styles.snippet}>
          {placeOf(hit)}
          <Highlighted text={hit.snippet} ranges={hit.ranges} />
        </span>
      )}
    </button>
  );
}
