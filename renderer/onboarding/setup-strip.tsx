import { useMirror, useMirrored, useModels } from '../mirror/react.ts';
import { startModel } from '../models/start-model.ts';
import { Button } from '../ui/button.tsx';
import { setupNews } from './first-run-words.ts';
import styles from './setup-strip.module.css';

/** The model the user went for came while they looked around: that it is here, and how to go on with it. */
export function SetupStrip() {
  const mirror = useMirror();
  const app = useMirrored((state) => state.app);
  // A new conversation's stage says it itself.
  const isStageShown = useMirrored(({ app: shown, pane }) => pane.kind === 'new' && shown?.model?.isToy !== true);
  const entries = useModels((state) => state.entries);
  const arrived = app === null || isStageShown ? null : setupNews(app, entries);
  if (arrived === null) return null;
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
