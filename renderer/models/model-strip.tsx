import { liveAnswer } from '../mirror/mirror.ts';
import { useMirror, useMirrored, useModels } from '../mirror/react.ts';
import { useOpenSheet } from '../sheets.ts';
import { Button } from '../ui/button.tsx';
import styles from './model-strip.module.css';
import { otherModel } from './other-model.ts';

/** Another model answers here than the one in use: which, and what the next message does. */
export function ModelStrip() {
  const mirror = useMirror();
  const open = useOpenSheet();
  const app = useMirrored((state) => state.app);
  const ownId = useMirrored(({ pane }) =>
    pane.kind === 'open'
      ? pane.about.settings.modelId
      : pane.kind === 'new'
        ? (pane.settings.modelId ?? null)
        : undefined,
  );
  const conversationId = useMirrored(({ pane }) => (pane.kind === 'open' ? pane.conversationId : null));
  const isAnswering = useMirrored(({ pane }) => liveAnswer(pane) !== null);
  const entries = useModels((state) => state.entries);
  if (app === null || ownId === undefined || isAnswering) return null;
  const other = otherModel(app, ownId, entries);
  if (other === null) return null;
  // What is loaded now may be in the middle of another answer.
  const canLoad = other.isHere && app.engine.kind !== 'busy';
  return (
    <section className={styles.strip} aria-label="Model of this conversation" data-testid="other-model">
      <p role="status">
        {other.isHere
          ? `${other.name} answers here. It is loaded with your next message.`
          : `${other.name} was to answer here. It is not on this computer any more.`}
      </p>
      <span>
        {other.isOwn && app.model !== null && (
          <Button onClick={() => void mirror.configure(conversationId, { modelId: null })}>
            {app.model.id === app.chosenModelId ? `Use ${app.model.name}` : 'Use the usual one'}
          </Button>
        )}
        {canLoad && (
          <Button isPrimary onClick={() => void mirror.loadForNow(other.id)}>
            Load it now
          </Button>
        )}
        {!other.isHere && <Button onClick={() => open('models')}>Models…</Button>}
      </span>
    </section>
  );
}
