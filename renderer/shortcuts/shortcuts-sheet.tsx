import { useMirrored } from '../mirror/react.ts';
import { Sheet, SheetTitle } from '../ui/sheet.tsx';
import { PLAIN_KEYS, SHORTCUTS, shortcutKeys } from './shortcuts.ts';
import styles from './shortcuts-sheet.module.css';

export function ShortcutsSheet({ onClose }: { readonly onClose: () => void }) {
  const platform = useMirrored((state) => state.app?.platform ?? 'other');
  return (
    <Sheet label="Keyboard shortcuts" onClose={onClose}>
      <div className={styles.body}>
        <SheetTitle>Keyboard shortcuts</SheetTitle>
        <dl className={styles.list}>
          {SHORTCUTS.map((shortcut) => (
            <div key={shortcut.action}>
              <dt>{shortcut.words}</dt>
              <dd>
                <kbd>{shortcutKeys(shortcut, platform)}</kbd>
              </dd>
            </div>
          ))}
          {PLAIN_KEYS.map(({ shown, words }) => (
            <div key={shown}>
              <dt>{words}</dt>
              <dd>
                <kbd>{shown}</kbd>
              </dd>
            </div>
          ))}
        </dl>
      </div>
    </Sheet>
  );
}
