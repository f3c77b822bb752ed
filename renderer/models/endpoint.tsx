import { useEffect, useState } from 'react';
import type { Result, RouteOutput } from '../../preload/contract.ts';
import { useMirror } from '../mirror/react.ts';
import { CopyButton } from '../ui/copy-button.tsx';
import styles from './endpoint.module.css';

/** Address and key of the local endpoint, for other programs. */
export function Endpoint() {
  const mirror = useMirror();
  const [revealed, setRevealed] = useState<Result<RouteOutput<'endpoint.reveal'>> | null>(null);
  useEffect(() => {
    let isHere = true;
    void mirror.revealEndpoint().then((result) => {
      if (isHere) setRevealed(result);
    });
    return () => {
      isHere = false;
    };
  }, [mirror]);
  return (
    <div className={styles.endpoint}>
      {revealed?.ok === false && (
        <p className={styles.text}>
          {revealed.error.message} {revealed.error.nextStep}
        </p>
      )}
      {revealed?.ok === true && (
        <>
          <p className={styles.text}>
            Anything that speaks to OpenAI can use this model. The address answers on this computer only.
          </p>
          <div role="group" aria-label="Address and key">
            <div className={styles.field}>
              <span className={styles.label}>Address</span>
              <code title={revealed.value.url}>{revealed.value.url}</code>
              <CopyButton label="Copy the address" text={() => revealed.value.url} />
            </div>
            <div className={styles.field}>
              <span className={styles.label}>Key</span>
              <code aria-hidden>••••••••{revealed.value.key.slice(-4)}</code>
              <CopyButton label="Copy the key" text={() => revealed.value.key} />
            </div>
          </div>
        </>
      )}
    </div>
  );
}
