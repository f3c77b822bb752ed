import { lazy, Suspense, useEffect, useState } from 'react';
import { AppHeader } from './app-header.tsx';
import styles from './app.module.css';
import { Composer } from './chat/composer.tsx';
import { ConversationSettingsSheet } from './conversations/conversation-settings-sheet.tsx';
import { ConversationsSheet } from './conversations/conversations-sheet.tsx';
import { UndoStrip } from './conversations/undo-strip.tsx';
import { EngineTrouble } from './engine/engine-trouble.tsx';
import { EngineStage, Stage, StageText } from './engine/stage.tsx';
import { MemorySheet } from './memory/memory-sheet.tsx';
import { useMemory, useMirror, useMirrored, useModels } from './mirror/react.ts';
import { ModelStrip } from './models/model-strip.tsx';
import { FirstRun } from './onboarding/first-run.tsx';
import { isFirstRun } from './onboarding/first-run-words.ts';
import { SetupStrip } from './onboarding/setup-strip.tsx';
import { useArrival } from './onboarding/use-arrival.ts';
import { PreflightSheet } from './preflight/preflight-sheet.tsx';
import { ProtectionBanner } from './protection/protection-banner.tsx';
import { SettingsSheet } from './settings/settings-sheet.tsx';
import { type ShortcutAction, shortcutOf } from './shortcuts/shortcuts.ts';
import { ShortcutsSheet } from './shortcuts/shortcuts-sheet.tsx';
import { OpenSheetContext, type SheetName, useOpenSheet } from './sheets.ts';
import { Button } from './ui/button.tsx';
import { Hidden } from './ui/hidden.tsx';
import { useSay } from './ui/live-region.tsx';
import { Refusal } from './ui/refusal.tsx';
import { isSheetOpen } from './ui/sheet.tsx';
import { zoomText } from './ui/text-zoom.ts';
import { WiredLimitSheet } from './wired-limit/wired-limit-sheet.tsx';

// Markdown is a quarter of the script, and a window that opens empty does not need it for its first paint.
// Nor does it need what is opened by a click.
const ModelsSheet = lazy(async () => ({ default: (await import('./models/models-sheet.tsx')).ModelsSheet }));
const importConversation = () => import('./chat/conversation.tsx');
const Conversation = lazy(async () => ({ default: (await importConversation()).Conversation }));

export function App() {
  const mirror = useMirror();
  const connection = useMirrored((state) => state.connection);
  const platform = useMirrored((state) => state.app?.platform ?? null);
  const [sheet, setSheet] = useState<SheetName | null>(null);

  useEffect(() => {
    const idle = requestIdleCallback(() => void importConversation());
    return () => cancelIdleCallback(idle);
  }, []);

  // The person turned the model on and it needs their word: that is what comes next. Other programs only get a notice.
  const isAsked = useMemory(({ wiredLimit }) => wiredLimit?.kind === 'asking' && wiredLimit.askedBy === 'window');
  useEffect(() => {
    if (isAsked) setSheet('wired-limit');
  }, [isAsked]);

  // A start was refused for what the pre-flight found: its numbers and ways come instead of a bare refusal.
  const isHeld = useModels(({ preflight }) => preflight.kind === 'known' && preflight.isHeld);
  useEffect(() => {
    if (isHeld) setSheet('preflight');
  }, [isHeld]);

  // Once a model of the user's own runs, the first run is over.
  const isSetUp = useMirrored(
    ({ app }) => app?.settings.firstRun === 'todo' && app.model?.isToy === false && app.engine.kind === 'ready',
  );
  useArrival(useIsFirstRun());
  useEffect(() => {
    if (!isSetUp) return;
    void mirror.setFirstRun('done');
    // The permission was the last thing to ask: what comes now is the first message.
    setSheet((open) => (open === 'wired-limit' ? null : open));
    mirror.requestFocus();
  }, [mirror, isSetUp]);

  const say = useSay();
  useEffect(() => {
    const perform = (action: ShortcutAction): void => {
      switch (action) {
        case 'new-conversation':
          setSheet(null);
          mirror.newConversation();
          return;
        case 'search-conversations':
          setSheet('conversations');
          return;
        case 'find':
          setSheet(null);
          mirror.requestFind();
          return;
        case 'stop':
          void mirror.stopAnswer();
          return;
        case 'edit-last':
          mirror.editLastMessage();
          return;
        case 'copy-answer': {
          const text = mirror.lastAnswerText();
          if (text !== null) void navigator.clipboard.writeText(text).then(() => say('Copied the last answer'));
          return;
        }
        case 'toggle-model': {
          const isOff = mirror.store.getState().app?.engine.kind === 'off';
          void (isOff ? mirror.turnOn() : mirror.turnOff());
          return;
        }
        case 'settings':
          setSheet('settings');
          return;
        case 'models':
          setSheet('models');
          return;
        case 'memory':
          setSheet('memory');
          return;
        case 'conversation-settings':
          setSheet('conversation');
          return;
        case 'zoom-in':
          zoomText(1);
          return;
        case 'zoom-out':
          zoomText(-1);
          return;
        case 'zoom-reset':
          zoomText(0);
          return;
        case 'shortcuts':
          setSheet('shortcuts');
          return;
      }
    };
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.isComposing || event.defaultPrevented || platform === null) return;
      const action = shortcutOf(event, platform);
      if (action !== null) {
        event.preventDefault();
        perform(action);
        return;
      }
      // Escape means less: an open sheet closes itself, else the window goes.
      if (event.key === 'Escape' && !isSheetOpen()) mirror.hideWindow();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, [mirror, platform, say]);

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
    <OpenSheetContext value={setSheet}>
      <div className={styles.app}>
        <AppHeader />
        <main className={styles.main}>
          <ConnectionStrip />
          <ProtectionBanner />
          <SetupStrip />
          <Pane />
          <Notices />
          {sheet !== 'conversations' && <UndoStrip />}
          <ComposerWhenOfUse />
        </main>
        {sheet === 'conversations' && <ConversationsSheet onClose={() => setSheet(null)} />}
        {sheet === 'conversation' && <ConversationSettingsSheet onClose={() => setSheet(null)} />}
        {sheet === 'settings' && <SettingsSheet onClose={() => setSheet(null)} />}
        {sheet === 'shortcuts' && <ShortcutsSheet onClose={() => setSheet(null)} />}
        {sheet === 'models' && (
          <Suspense>
            <ModelsSheet onClose={() => setSheet(null)} />
          </Suspense>
        )}
        {sheet === 'preflight' && <PreflightSheet onClose={() => setSheet(null)} />}
        {sheet === 'memory' && (
          <MemorySheet onClose={() => setSheet(null)} onWiredLimit={() => setSheet('wired-limit')} />
        )}
        {sheet === 'wired-limit' && <WiredLimitSheet onClose={() => setSheet(null)} />}
      </div>
    </OpenSheetContext>
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
      return <Beginning />;
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

/** What the first run takes the place of. */
const useIsFirstRun = (): boolean => {
  const isWanted = useModels((state) => state.isFirstRunWanted);
  return useMirrored(({ app, pane }) => app !== null && pane.kind === 'new' && isFirstRun(app, isWanted));
};

const Beginning = () => (useIsFirstRun() ? <FirstRun /> : <EngineStage />);

/** Before there is a model nothing can be written to it. */
const ComposerWhenOfUse = () =>
  useIsFirstRun() ? null : (
    <>
      <ModelStrip />
      <Composer />
    </>
  );

/** Between conversation and composer: trouble with the engine, and what main refused. */
function Notices() {
  const mirror = useMirror();
  const refusal = useMirrored((state) => state.refusal);
  const isTroubled = useMirrored(
    ({ app, pane }) => pane.kind !== 'new' && (app?.engine.kind === 'failed' || app?.engine.kind === 'waiting'),
  );
  const open = useOpenSheet();
  const askedBy = useMemory(({ wiredLimit }) => (wiredLimit?.kind === 'asking' ? wiredLimit.askedBy : 'window'));
  if (refusal === null && !isTroubled && askedBy === 'window') return null;
  return (
    <div className={styles.notice}>
      {askedBy !== 'window' && (
        <div className={styles.request} role="status" data-testid="limit-request">
          <div>
            <p>
              {askedBy === 'endpoint' ? 'Another program asked for the model.' : 'The model was to be loaded again.'}
            </p>
            <p>The GPU has to keep more memory for that. Nothing happens without you.</p>
          </div>
          <Button onClick={() => open('wired-limit')}>Look…</Button>
        </div>
      )}
      {isTroubled && <EngineTrouble />}
      {refusal !== null && (
        <Refusal
          refusal={refusal}
          onDismiss={() => {
            mirror.dismissRefusal();
            mirror.requestFocus();
          }}
        />
      )}
    </div>
  );
}
