import { useMirror, useMirrored } from '../mirror/react.ts';
import { engineWords } from './engine-words.ts';
import styles from './power-switch.module.css';

/** The model's on/off switch. It answers at once: main says `starting` or `stopping` before anything slow happens. */
export function PowerSwitch() {
  const mirror = useMirror();
  const engine = useMirrored((state) => state.app?.engine);
  const model = useMirrored((state) => state.app?.model ?? null);
  const isConnected = useMirrored((state) => state.connection.kind === 'connected');
  if (engine === undefined) return null;
  const { isOn, progress } = engineWords(engine, 0);
  const invites = engine.kind === 'off' && model !== null && isConnected;
  return (
    <button
      type="button"
      role="switch"
      className={invites ? `${styles.switch} ${styles.inviting}` : styles.switch}
      aria-checked={isOn}
      aria-busy={progress !== null}
      aria-label={model === null ? 'Model' : model.name}
      title={isOn ? 'Turn the model off' : 'Turn the model on'}
      disabled={!isConnected || model === null}
      onClick={() => void (isOn ? mirror.turnOff() : mirror.turnOn())}
    />
  );
}
