import { useMirror, useMirrored, useModels } from '../mirror/react.ts';
import { startModel } from '../models/start-model.ts';
import { Button } from '../ui/button.tsx';
import { setupNews } from './first-run-words.ts';
import styles from './setup-strip.module.css';

/** Looking around with the demo while the real model comes: that it is there now, and how to go on with it. */
export function SetupStrip() {
  const mirror = useMirror();
  const isLooking = useMirrored(({ app }) => app?.model?.isToy === true && app.settings.firstRun === 'todo');
  const arrived = useModels(({ entries }) => setupNews(entries));
  if (!isLooking || arrived === null) return null;
  return (
    <section className={styles.strip} aria-label="Setting up" data-testid="setup">
      <p role="status">{arrived.name} is here.</p>
      <Button onClick={() => void mirror.setFirstRun('done')}>Later</Button>
      <Button isPrimary onClick={() => void startModel(mirror, arrived.id)}>
        Start it
      </Button>
    </section>
  );
}
