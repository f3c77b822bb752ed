import { ChevronDown, PanelLeft, SquarePen } from 'lucide-react';
import styles from './app-header.module.css';
import { engineWords } from './engine/engine-words.ts';
import { PowerSwitch } from './engine/power-switch.tsx';
import { useUnloadWords } from './engine/use-unload-words.ts';
import { Gauge } from './memory/gauge.tsx';
import { liveAnswer } from './mirror/mirror.ts';
import { useMirror, useMirrored, useNow } from './mirror/react.ts';
import { HeaderDownload } from './models/header-download.tsx';
import { useOpenSheet } from './sheets.ts';
import { Hidden } from './ui/hidden.tsx';
import { IconButton } from './ui/icon-button.tsx';
import { modifierKey } from './ui/keys.ts';
import { Progress } from './ui/progress.tsx';
import { ToyLabel } from './ui/toy-label.tsx';

export function AppHeader() {
  const open = useOpenSheet();
  const mirror = useMirror();
  const app = useMirrored((state) => state.app);
  const isConnected = useMirrored((state) => state.connection.kind === 'connected');
  // The stage and a waiting answer have their own bar.
  const showsProgress = useMirrored(({ pane }) => pane.kind !== 'new' && liveAnswer(pane) === null);
  const nowMs = useNow(app?.engine.kind === 'waiting');
  const unloadWords = useUnloadWords();
  if (app === null) return null;
  const { words, progress } = engineWords(app.engine, nowMs);
  const modifier = modifierKey(app.platform);
  return (
    <header className={styles.header}>
      <Hidden>
        <h1>Headroom</h1>
      </Hidden>
      <IconButton icon={PanelLeft} label="Conversations" aria-haspopup="dialog" onClick={() => open('conversations')} />
      <button
        type="button"
        className={styles.model}
        aria-haspopup="dialog"
        title="Models"
        onClick={() => open('models')}
      >
        <span className={styles.name}>
          <span>{app.model?.name ?? 'No model'}</span>
          {app.model?.isToy === true && <ToyLabel />}
          <ChevronDown size={12} strokeWidth={2.25} aria-hidden />
        </span>
        <span className={styles.state} data-testid="engine-state">
          {isConnected ? (app.model === null ? 'None chosen' : (unloadWords ?? words)) : 'Not connected'}
        </span>
      </button>
      <span className={styles.space} />
      <HeaderDownload />
      <IconButton
        icon={SquarePen}
        label="New conversation"
        shortcut={`${modifier}N`}
        onClick={() => mirror.newConversation()}
      />
      <Gauge onOpen={() => open('memory')} />
      <PowerSwitch />
      {progress !== null && isConnected && showsProgress && (
        <div className={styles.progress}>
          <Progress label={words} progress={progress} />
        </div>
      )}
    </header>
  );
}
