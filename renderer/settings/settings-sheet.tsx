import { AArrowDown, AArrowUp } from 'lucide-react';
import { type KeyboardEvent, useId, useState } from 'react';
import { useMirror, useMirrored } from '../mirror/react.ts';
import { useOpenSheet } from '../sheets.ts';
import { Button } from '../ui/button.tsx';
import { Sheet, SheetTitle } from '../ui/sheet.tsx';
import { Switch } from '../ui/switch.tsx';
import { TEXT_SIZES, textSize, zoomText } from '../ui/text-zoom.ts';
import { acceleratorOf, acceleratorWords } from './accelerator.ts';
import styles from './settings-sheet.module.css';

/** How the app itself behaves. What belongs to a model or a conversation is with it. */
export function SettingsSheet({ onClose }: { readonly onClose: () => void }) {
  const mirror = useMirror();
  const host = useMirrored((state) => state.app?.host ?? 'headless');
  const opensAtLogin = useMirrored((state) => state.app?.opensAtLogin ?? null);
  const loginId = useId();
  return (
    <Sheet label="Settings" width="full" onClose={onClose}>
      <div className={styles.body}>
        <SheetTitle>Settings</SheetTitle>
        {host === 'electron' && <ShortcutRow />}
        {opensAtLogin !== null && (
          <div className={styles.row}>
            <span id={loginId}>Open Headroom at login</span>
            <Switch isOn={opensAtLogin} labelledBy={loginId} onChange={(opens) => void mirror.setOpensAtLogin(opens)} />
          </div>
        )}
        <TextSizeRow />
        <ProgramsRow />
      </div>
    </Sheet>
  );
}

function ShortcutRow() {
  const mirror = useMirror();
  const id = useId();
  const platform = useMirrored((state) => state.app?.platform ?? 'other');
  const accelerator = useMirrored((state) => state.app?.settings.globalShortcut ?? null);
  const [isRecording, setRecording] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);

  const set = async (to: string | null): Promise<void> => {
    setRecording(false);
    const error = await mirror.setGlobalShortcut(to);
    setTrouble(error === null ? null : `${error.message} ${error.nextStep}`);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!isRecording || event.key === 'Tab') return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === 'Escape') {
      setRecording(false);
      return;
    }
    const pressed = acceleratorOf(event);
    if (pressed !== null) void set(pressed);
  };
  return (
    <div className={styles.row}>
      <div>
        <span id={id}>Open from anywhere</span>
        <p className={styles.hint} role={trouble === null ? undefined : 'alert'}>
          {trouble ??
            (isRecording
              ? 'Press the keys, ⎋ to leave it.'
              : 'A shortcut that shows this window. Off unless you set one.')}
        </p>
      </div>
      <span className={styles.buttons}>
        <Button
          aria-describedby={id}
          aria-pressed={isRecording}
          onClick={() => setRecording(!isRecording)}
          onKeyDown={onKeyDown}
          onBlur={() => setRecording(false)}
        >
          {isRecording ? 'Press keys' : accelerator === null ? 'Set…' : acceleratorWords(accelerator, platform)}
        </Button>
        {accelerator !== null && !isRecording && <Button onClick={() => void set(null)}>Off</Button>}
      </span>
    </div>
  );
}

/** People look for address and key here; they are with the models, because they name one. */
function ProgramsRow() {
  const { models } = useMirror();
  const openSheet = useOpenSheet();
  const id = useId();
  const look = (): void => {
    models.wantPage('endpoint');
    openSheet('models');
  };
  return (
    <div className={styles.row}>
      <div>
        <span id={id}>For other programs</span>
        <p className={styles.hint}>The address and the keys with which they use your model.</p>
      </div>
      <Button aria-describedby={id} onClick={look}>
        Open…
      </Button>
    </div>
  );
}

function TextSizeRow() {
  const id = useId();
  const [size, setSize] = useState(textSize);
  const zoom = (by: 1 | -1 | 0): void => {
    zoomText(by);
    setSize(textSize());
  };
  return (
    <div className={styles.row}>
      <span id={id}>Text size</span>
      <span className={styles.buttons} role="group" aria-labelledby={id}>
        <Button aria-label="Smaller text" disabled={size === TEXT_SIZES[0]} onClick={() => zoom(-1)}>
          <AArrowDown size={16} strokeWidth={1.75} aria-hidden />
        </Button>
        <output className={styles.size}>{Math.round(size * 100)} %</output>
        <Button aria-label="Larger text" disabled={size === TEXT_SIZES.at(-1)} onClick={() => zoom(1)}>
          <AArrowUp size={16} strokeWidth={1.75} aria-hidden />
        </Button>
      </span>
    </div>
  );
}
