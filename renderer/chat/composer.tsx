import { ArrowUp, ChevronDown, Square } from 'lucide-react';
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { EFFORTS, type Effort } from '../../preload/contract.ts';
import { ContextMeter } from '../context/context-meter.tsx';
import { ContextPanel } from '../context/context-panel.tsx';
import { liveAnswer } from '../mirror/mirror.ts';
import { useMirror, useMirrored } from '../mirror/react.ts';
import styles from './composer.module.css';

const EFFORT_WORDS: Readonly<Record<Effort, string>> = {
  low: 'Low effort',
  medium: 'Medium effort',
  high: 'High effort',
};

/**
 * Where messages are written. Enter sends and Shift+Enter breaks the line, except while an input method composes. The
 * draft belongs to its conversation and outlives the window.
 */
export function Composer() {
  const mirror = useMirror();
  const paneId = useMirrored((state) => (state.pane.kind === 'new' ? null : state.pane.conversationId));
  const liveId = useMirrored((state) => liveAnswer(state.pane)?.id ?? null);
  const isStopping = useMirrored((state) => liveAnswer(state.pane)?.id === state.stoppingId && liveId !== null);
  const isConnected = useMirrored((state) => state.connection.kind === 'connected');
  const hasModel = useMirrored((state) => state.app?.model != null);
  const isOff = useMirrored((state) => state.app?.engine.kind === 'off');
  const focusRequests = useMirrored((state) => state.focusRequests);
  const isSending = useMirrored((state) => state.isSending);
  const field = useRef<HTMLTextAreaElement>(null);
  const [isContextOpen, setIsContextOpen] = useState(false);
  const [text, setText] = useState(() => mirror.draft());

  useEffect(() => setText(mirror.draft()), [mirror, paneId]);
  useEffect(() => field.current?.focus(), [focusRequests]);

  const canSend = isConnected && hasModel && liveId === null && !isSending && text.trim() !== '';

  const submit = async (event?: FormEvent): Promise<void> => {
    event?.preventDefault();
    if (!canSend) return;
    const sent = text;
    const wasTaken = await mirror.send(sent);
    // Only what was sent leaves: the person may have written on meanwhile.
    if (wasTaken) setText((now) => (now === sent ? '' : now));
  };

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.altKey) return;
    // 229: WebKit's and older Chromium's key code for the Enter that ends a composition.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    void submit();
  };

  return (
    <form className={styles.composer} onSubmit={(event) => void submit(event)}>
      {isContextOpen && (
        <ContextPanel
          onClose={() => {
            setIsContextOpen(false);
            field.current?.focus();
          }}
        />
      )}
      <div className={styles.box}>
        <textarea
          ref={field}
          className={styles.field}
          aria-label="Message"
          placeholder={isOff && hasModel ? 'Message, turns the model on' : 'Message'}
          rows={1}
          value={text}
          onFocus={() => void mirror.warm()}
          onChange={(event) => {
            // The focus may have been here all the while the model was away.
            if (text === '') void mirror.warm();
            setText(event.target.value);
            mirror.keepDraft(event.target.value);
          }}
          onKeyDown={onKeyDown}
        />
        {liveId === null ? (
          <button type="submit" className={styles.send} aria-label="Send" title="Send (↩)" disabled={!canSend}>
            <ArrowUp size={16} strokeWidth={2.25} aria-hidden />
          </button>
        ) : (
          <button
            type="button"
            className={styles.send}
            aria-label="Stop"
            title="Stop"
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
      </div>
      <div className={styles.row}>
        <EffortPicker />
        <ContextMeter isOpen={isContextOpen} onToggle={() => setIsContextOpen((isOpen) => !isOpen)} />
      </div>
    </form>
  );
}

function EffortPicker() {
  const mirror = useMirror();
  const effort = useMirrored((state) => state.app?.settings.effort ?? 'medium');
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
