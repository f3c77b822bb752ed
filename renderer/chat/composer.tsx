import { ArrowUp, ChevronDown, Paperclip, SlidersHorizontal, Square } from 'lucide-react';
import {
  type ClipboardEvent,
  type FormEvent,
  type KeyboardEvent,
  useCallback,
  useEffect,
  useRef,
  useState,
} from 'react';
import { type Draft, EFFORTS, type Effort } from '../../preload/contract.ts';
import { ContextFit } from '../context/context-fit.tsx';
import { ContextMeter } from '../context/context-meter.tsx';
import { ContextPanel } from '../context/context-panel.tsx';
import { useContextUse } from '../context/use-context-use.ts';
import { effortOf, liveAnswer } from '../mirror/mirror.ts';
import { useMirror, useMirrored } from '../mirror/react.ts';
import { useOpenSheet } from '../sheets.ts';
import { FilePicker } from '../ui/file-picker.tsx';
import { IconButton } from '../ui/icon-button.tsx';
import { modifierKey } from '../ui/keys.ts';
import { AttachmentBlock } from './attachment-block.tsx';
import styles from './composer.module.css';
import { isLongPaste, useAttach, useDrop } from './attaching.ts';
import { QueuedMessages } from './queued-messages.tsx';

const EFFORT_WORDS: Readonly<Record<Effort, string>> = {
  low: 'Low effort',
  medium: 'Medium effort',
  high: 'High effort',
};

const EMPTY: Draft = { text: '', attachments: [] };

/**
 * Where messages are written. Enter sends and Shift+Enter breaks the line, except while an input method composes. The
 * draft belongs to its conversation and outlives the window.
 */
export function Composer() {
  const mirror = useMirror();
  const paneId = useMirrored((state) => (state.pane.kind === 'new' ? null : state.pane.conversationId));
  const paneKind = useMirrored((state) => state.pane.kind);
  const liveId = useMirrored((state) => liveAnswer(state.pane)?.id ?? null);
  const isStopping = useMirrored((state) => liveAnswer(state.pane)?.id === state.stoppingId && liveId !== null);
  const isConnected = useMirrored((state) => state.connection.kind === 'connected');
  const hasModel = useMirrored((state) => state.app?.model != null);
  const isOff = useMirrored((state) => state.app?.engine.kind === 'off');
  const platform = useMirrored((state) => state.app?.platform ?? 'other');
  const focusRequests = useMirrored((state) => state.focusRequests);
  const isSending = useMirrored((state) => state.isSending);
  const field = useRef<HTMLTextAreaElement>(null);
  const [draft, setDraft] = useState<Draft>(() => mirror.drafts.get(paneId));
  const [isContextOpen, setContextOpen] = useState(false);
  const { text, attachments } = draft;
  const contextUse = useContextUse(draft);

  // Opened anew, also after it was fetched: what was being written there.
  useEffect(() => setDraft(mirror.drafts.get(paneId)), [mirror, paneId, paneKind]);
  useEffect(() => field.current?.focus(), [focusRequests]);
  // The window may be gone for good at any time after it is hidden.
  useEffect(() => {
    const flush = (): void => mirror.drafts.flush();
    addEventListener('visibilitychange', flush);
    addEventListener('pagehide', flush);
    return () => {
      removeEventListener('visibilitychange', flush);
      removeEventListener('pagehide', flush);
    };
  }, [mirror]);

  const change = useCallback(
    (next: (now: Draft) => Draft): void =>
      setDraft((now) => {
        const changed = next(now);
        mirror.drafts.keep(paneId, changed);
        return changed;
      }),
    [mirror, paneId],
  );
  const { attachFiles, attachText, isAttaching } = useAttach(
    useCallback((attachment) => change((now) => ({ ...now, attachments: [...now.attachments, attachment] })), [change]),
  );

  const isDropping = useDrop(attachFiles);
  // A file alone is a message, too.
  const hasSomething = text.trim() !== '' || attachments.length > 0;
  const canSend = isConnected && hasModel && !isSending && !isAttaching && paneKind !== 'opening' && hasSomething;

  const submit = async (event?: FormEvent): Promise<void> => {
    event?.preventDefault();
    if (!canSend) return;
    const sent = draft;
    // Gone at once; what main refuses comes back, unless the person has written on meanwhile.
    setDraft(EMPTY);
    const isFitShown = contextUse?.kind === 'counted' && contextUse.leftTokens < 0 && !isContextOpen;
    const wasTaken = await mirror.send(sent, isFitShown);
    if (!wasTaken) setDraft((now) => (now === EMPTY ? sent : now));
    field.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.altKey) return;
    // 229: WebKit's and older Chromium's key code for the Enter that ends a composition.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    void submit();
  };

  const onPaste = (event: ClipboardEvent): void => {
    if (event.clipboardData.files.length > 0) {
      event.preventDefault();
      void attachFiles([...event.clipboardData.files]);
      return;
    }
    const pasted = event.clipboardData.getData('text/plain');
    if (!isLongPaste(pasted)) return;
    event.preventDefault();
    void attachText(pasted);
  };

  return (
    <form className={styles.composer} onSubmit={(event) => void submit(event)}>
      <QueuedMessages
        onTakeBack={(taken) =>
          // In front of what has been written meanwhile.
          change((now) => ({
            text: [taken.text, now.text].filter((each) => each.trim() !== '').join('\n\n'),
            attachments: [...taken.attachments, ...now.attachments],
          }))
        }
      />
      {contextUse !== null && !isContextOpen && (
        <ContextFit use={contextUse} draft={draft} onRaise={() => setContextOpen(true)} />
      )}
      {isContextOpen && <ContextPanel onClose={() => setContextOpen(false)} />}
      <div className={styles.box} data-dropping={isDropping}>
        {(attachments.length > 0 || isAttaching) && (
          <ul className={styles.attachments} aria-label="Attachments">
            {attachments.map((attachment) => (
              <li key={attachment.id}>
                <AttachmentBlock
                  attachment={attachment}
                  onRemove={() => {
                    change((now) => ({
                      ...now,
                      attachments: now.attachments.filter(({ id }) => id !== attachment.id),
                    }));
                    field.current?.focus();
                  }}
                />
              </li>
            ))}
            {isAttaching && (
              <li className={styles.attaching} role="status">
                Reading the file
              </li>
            )}
          </ul>
        )}
        <div className={styles.line}>
          <textarea
            ref={field}
            className={styles.field}
            aria-label="Message"
            placeholder={
              liveId !== null
                ? 'Message, sent after this answer'
                : isOff && hasModel
                  ? 'Message, turns the model on'
                  : 'Message'
            }
            rows={1}
            value={text}
            onFocus={() => void mirror.warm()}
            onChange={(event) => {
              // The focus may have been here all the while the model was away.
              if (text === '') void mirror.warm();
              const { value } = event.target;
              change((now) => ({ ...now, text: value }));
            }}
            onKeyDown={onKeyDown}
            onPaste={onPaste}
          />
          {liveId !== null && (
            <button
              type="button"
              className={styles.send}
              aria-label="Stop"
              title={`Stop (${modifierKey(platform)}.)`}
              disabled={isStopping || !isConnected}
              onClick={() => {
                void mirror.stopAnswer();
                // The button turns into another one: the focus goes where writing goes on.
                field.current?.focus();
              }}
            >
              <Square size={11} strokeWidth={0} fill="currentColor" aria-hidden />
            </button>
          )}
          {(liveId === null || hasSomething) && (
            <button
              type="submit"
              className={styles.send}
              aria-label={liveId === null ? 'Send' : 'Send after this answer'}
              title={liveId === null ? 'Send (↩)' : 'Send after this answer (↩)'}
              disabled={!canSend}
            >
              <ArrowUp size={16} strokeWidth={2.25} aria-hidden />
            </button>
          )}
        </div>
      </div>
      <div className={styles.row}>
        <EffortPicker />
        <ConversationSettingsButton />
        <AttachButton onFiles={(files) => void attachFiles(files)} />
        <span className={styles.space} />
        <ContextMeter use={contextUse} isOpen={isContextOpen} onToggle={() => setContextOpen(!isContextOpen)} />
      </div>
    </form>
  );
}

function EffortPicker() {
  const mirror = useMirror();
  const effort = useMirrored(({ app, pane }) => effortOf(app, pane));
  return (
    <div className={styles.effort}>
      <select
        aria-label="Effort"
        title="How long the model may think before it answers"
        value={effort}
        onChange={(event) => void mirror.setEffort(event.target.value as Effort)}
      >
        {EFFORTS.map((name) => (
          <option key={name} value={name}>
            {EFFORT_WORDS[name]}
          </option>
        ))}
      </select>
      <ChevronDown size={12} strokeWidth={2.25} aria-hidden />
    </div>
  );
}

function ConversationSettingsButton() {
  const open = useOpenSheet();
  const hasSystemText = useMirrored(({ pane }) => {
    if (pane.kind === 'opening') return false;
    const { systemText } = pane.kind === 'new' ? pane.settings : pane.about.settings;
    return (systemText ?? '') !== '';
  });
  return (
    <IconButton
      isSmall
      icon={SlidersHorizontal}
      label={hasSystemText ? 'Conversation settings, instructions set' : 'Conversation settings'}
      aria-haspopup="dialog"
      data-marked={hasSystemText}
      onClick={() => open('conversation')}
    />
  );
}

function AttachButton({ onFiles }: { readonly onFiles: (files: readonly File[]) => void }) {
  return (
    <FilePicker isMultiple testId="attach-input" onFiles={onFiles}>
      {(open) => <IconButton isSmall icon={Paperclip} label="Attach text or code" onClick={open} />}
    </FilePicker>
  );
}
