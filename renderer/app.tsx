import { X } from 'lucide-react';
import { lazy, Suspense, useEffect, useState } from 'react';
import { AppHeader } from './app-header.tsx';
import styles from './app.module.css';
import { Composer } from './chat/composer.tsx';
import { ConversationsSheet } from './conversations/conversations-sheet.tsx';
import { EngineTrouble } from './engine/engine-trouble.tsx';
import { EngineStage, Stage, StageText } from './engine/stage.tsx';
import { useMirror, useMirrored } from './mirror/react.ts';
import { ModelSheet } from './model/model-sheet.tsx';
import { Hidden } from './ui/hidden.tsx';
import { IconButton } from './ui/icon-button.tsx';
import { hasModifier } from './ui/keys.ts';
import { isSheetOpen } from './ui/sheet.tsx';

// Markdown is a quarter of the script, and a window that opens empty does not need it for its first paint.
const importConversation = () => import('./chat/conversation.tsx');
const Conversation = lazy(async () => ({ default: (await importConversation()).Conversation }));

type OpenSheet = 'none' | 'conversations' | 'model';

export function App() {
  const mirror = useMirror();
  const connection = useMirrored((state) => state.connection);
  const platform = useMirrored((state) => state.app?.platform ?? null);
  const [sheet, setSheet] = useState<OpenSheet>('none');

  useEffect(() => {
    const idle = requestIdleCallback(() => void importConversation());
    return () => cancelIdleCallback(idle);
  }, []);

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.isComposing || event.defaultPrevented || platform === null) return;
      if (event.key === 'Escape') {
        // Escape means less: an open sheet closes itself, else the window goes.
        if (!isSheetOpen()) mirror.hideWindow();
      } else if (event.key.toLowerCase() === 'n' && hasModifier(event, platform) && !event.shiftKey && !event.altKey) {
        event.preventDefault();
        setSheet('none');
        mirror.newConversation();
      }
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, [mirror, platform]);

  if (platform === null)
    return (
      <main className={styles.app}>
        <Hidden>
          <h1>Headroom</h1>
        </Hidden>
        {connection.kind === 'refused' && (
          <Stage title={connection.error.message}>
            <StageText>{connection.error.nextStep}</StageText>
          </Stage>
        )}
      </main>
    );
  return (
    <div className={styles.app}>
      <AppHeader onConversations={() => setSheet('conversations')} onModel={() => setSheet('model')} />
      <main className={styles.main}>
        <ConnectionStrip />
        <Pane />
        <Notices />
        <Composer />
      </main>
      {sheet === 'conversations' && <ConversationsSheet onClose={() => setSheet('none')} />}
      {sheet === 'model' && <ModelSheet onClose={() => setSheet('none')} />}
    </div>
  );
}

function ConnectionStrip() {
  const connection = useMirrored((state) => state.connection);
  if (connection.kind === 'lost')
    return (
      <p className={styles.strip} role="status">
        The connection to Headroom is lost. It comes back by itself while Headroom runs.
      </p>
    );
  if (connection.kind === 'refused')
    return (
      <p className={styles.strip} role="alert">
        {connection.error.message} {connection.error.nextStep}
      </p>
    );
  return null;
}

function Pane() {
  const pane = useMirrored((state) => state.pane);
  switch (pane.kind) {
    case 'new':
      return <EngineStage />;
    case 'opening':
      // A conversation opens within a frame or two: a spinner would only flash.
      return <div className={styles.main} aria-busy />;
    case 'open':
      return (
        <Suspense fallback={<div className={styles.main} aria-busy />}>
          <Conversation key={pane.conversationId} messages={pane.messages} />
        </Suspense>
      );
  }
}

/** Between conversation and composer: trouble with the engine, and what main refused. */
function Notices() {
  const mirror = useMirror();
  const refusal = useMirrored((state) => state.refusal);
  const isTroubled = useMirrored(
    ({ app, pane }) => pane.kind !== 'new' && (app?.engine.kind === 'failed' || app?.engine.kind === 'waiting'),
  );
  if (refusal === null && !isTroubled) return null;
  return (
    <div className={styles.notice}>
      {isTroubled && <EngineTrouble />}
      {refusal !== null && (
        <div className={styles.refusal} role="alert">
          <div>
            <p>{refusal.message}</p>
            <p>{refusal.nextStep}</p>
          </div>
          <IconButton
            isSmall
            icon={X}
            label="Dismiss"
            onClick={() => {
              mirror.dismissRefusal();
              mirror.requestFocus();
            }}
          />
        </div>
      )}
    </div>
  );
}
