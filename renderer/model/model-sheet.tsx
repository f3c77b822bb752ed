import { Check } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { Result, RouteOutput } from '../../preload/contract.ts';
import { useMirror, useMirrored } from '../mirror/react.ts';
import { CopyButton } from '../ui/copy-button.tsx';
import { bytes } from '../ui/numbers.ts';
import { Sheet } from '../ui/sheet.tsx';
import { ToyLabel } from '../ui/toy-label.tsx';
import styles from './model-sheet.module.css';

/** Which model runs, and how other programs reach it. */
export function ModelSheet({ onClose }: { readonly onClose: () => void }) {
  const mirror = useMirror();
  const app = useMirrored((state) => state.app);
  if (app === null) return null;
  return (
    <Sheet label="Model and connections" onClose={onClose}>
      <div className={styles.body}>
        <h2 className={styles.title} id="models-title">
          Model
        </h2>
        {app.availableModels.length === 0 ? (
          <p className={styles.text}>
            No model here yet. Start Headroom with <code>--model</code> and a model’s folder.
          </p>
        ) : (
          <ul aria-labelledby="models-title">
            {app.availableModels.map((model) => {
              const isChosen = model.id === app.model?.id;
              return (
                <li key={model.id}>
                  <button
                    type="button"
                    className={styles.model}
                    aria-current={isChosen}
                    onClick={() => {
                      onClose();
                      if (!isChosen) void mirror.chooseModel(model.id);
                    }}
                  >
                    {isChosen && <Check size={14} strokeWidth={2.25} aria-hidden />}
                    <span className={styles.name}>
                      {model.name}
                      {model.isToy && <ToyLabel />}
                    </span>
                    <span className={styles.detail}>
                      {bytes(model.sizeBytes)}
                      {model.isToy ? ', shows the app and knows little' : ''}
                    </span>
                  </button>
                </li>
              );
            })}
          </ul>
        )}
        <div className={styles.separator} />
        <Endpoint />
        <p className={styles.version}>Headroom {app.version}</p>
      </div>
    </Sheet>
  );
}

function Endpoint() {
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
    <section aria-labelledby="endpoint-title">
      <h2 className={styles.title} id="endpoint-title">
        For other programs
      </h2>
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
    </section>
  );
}
