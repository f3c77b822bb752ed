import { useMirror, useMirrored, useNow } from '../mirror/react.ts';
import { useOpenSheet } from '../sheets.ts';
import { Button } from '../ui/button.tsx';
import { CopyButton } from '../ui/copy-button.tsx';
import { engineWords, isForTheUser } from './engine-words.ts';
import styles from './engine-trouble.module.css';

/** Cause, next step, details folded. Nothing when the engine is well. */
export function EngineTrouble() {
  const mirror = useMirror();
  const open = useOpenSheet();
  const engine = useMirrored((state) => state.app?.engine);
  const modelId = useMirrored((state) => state.app?.model?.id ?? null);
  /** Its page lists what needs no password: a shorter context, a smaller model. */
  const lookAtWays = (id: string): void => {
    mirror.models.lookAt(id);
    open('models');
  };
  const nowMs = useNow(engine?.kind === 'waiting');
  if (engine?.kind === 'waiting')
    return (
      <section className={styles.trouble} data-testid="trouble">
        <h2>{engine.cause.message}</h2>
        <p>{engineWords(engine, nowMs).words}. Nothing you wrote is lost.</p>
      </section>
    );
  if (engine?.kind !== 'failed') return null;
  return (
    <section className={styles.trouble} role="alert" data-testid="trouble">
      <h2>{engine.cause.message}</h2>
      <p>{engine.cause.nextStep}</p>
      <div className={styles.actions}>
        {engine.cause.code === 'wired-limit-needed' && (
          <Button isPrimary aria-haspopup="dialog" onClick={() => open('wired-limit')}>
            Raise the limit…
          </Button>
        )}
        {engine.cause.code === 'wired-limit-being-changed' && (
          <Button isPrimary aria-haspopup="dialog" onClick={() => open('wired-limit')}>
            Look at the limit…
          </Button>
        )}
        {engine.cause.code === 'wired-limit-needed' && modelId !== null && (
          <Button aria-haspopup="dialog" onClick={() => lookAtWays(modelId)}>
            Other ways…
          </Button>
        )}
        {engine.cause.code === 'preflight' && (
          <Button isPrimary aria-haspopup="dialog" onClick={() => open('preflight')}>
            What would help…
          </Button>
        )}
        <Button isPrimary={!isForTheUser(engine.cause.code)} onClick={() => void mirror.turnOn()}>
          Try again
        </Button>
      </div>
      {engine.logTail.length > 0 && (
        <details className={styles.details}>
          <summary>What the engine said last</summary>
          {/* Focusable, so that the keyboard can scroll it. */}
          <pre tabIndex={0} aria-label="Last lines of the engine">
            {engine.logTail.join('\n')}
          </pre>
          <span className={styles.copy}>
            <CopyButton label="Copy these lines" text={() => engine.logTail.join('\n')} />
          </span>
        </details>
      )}
    </section>
  );
}
