import { useRef, useState } from 'react';
import type { ModelEntry } from '../../preload/contract.ts';
import { useMirror, useMirrored, useNow } from '../mirror/react.ts';
import { useOpenSheet } from '../sheets.ts';
import { Button } from '../ui/button.tsx';
import { useSay } from '../ui/live-region.tsx';
import { bytes } from '../ui/numbers.ts';
import { DownloadProgress } from './download-progress.tsx';
import { FitWays } from './fit-ways.tsx';
import styles from './model-detail.module.css';
import {
  checkedWords,
  deleteQuestion,
  factsOf,
  isOnlyForgotten,
  lastCheckedWords,
  measuredWords,
  predictionRows,
  verdictTitle,
  waysOf,
} from './model-words.ts';
import { ModelsRefusal } from './refusal.tsx';
import { switchModel } from './start-model.ts';
import { VerdictMark } from './verdict-mark.tsx';

interface Props {
  readonly entry: ModelEntry;
  readonly onBack: () => void;
  readonly onClose: () => void;
}

/** All there is to know about a model before it is fetched or run: does it fit, why, and what is on the disk. */
export function ModelDetail({ entry, onBack, onClose }: Props) {
  const isChosen = useMirrored((state) => state.app?.model?.id === entry.id);
  const { presence, prediction, verdict } = entry;
  const measured = measuredWords(entry);
  return (
    <>
      <div className={styles.scroll}>
        <ModelsRefusal />
        <div>
          {entry.goodFor !== null && <p>{entry.goodFor}</p>}
          <p className={styles.detail}>{factsOf(entry)}</p>
          {entry.engineName !== undefined && <p className={styles.detail}>Runs in {entry.engineName}</p>}
          {entry.repository !== null && <p className={`${styles.detail} ${styles.repository}`}>{entry.repository}</p>}
        </div>

        {presence.kind === 'getting' && <DownloadProgress entry={entry} download={presence.download} />}

        <section aria-labelledby="fit-title">
          <h3 className={styles.verdict} id="fit-title">
            <VerdictMark verdict={verdict} size={14} />
            {verdictTitle(verdict)}
          </h3>
          <p className={styles.message}>{verdict.message}</p>
          <FitWays ways={waysOf(verdict)} isChosen={isChosen} />
        </section>

        {prediction !== null && (
          <section aria-labelledby="prediction-title">
            <h3 className={styles.title} id="prediction-title">
              Memory it is predicted to take
            </h3>
            <dl className={styles.numbers}>
              {predictionRows(prediction).map(({ name, value, aside }) => (
                <div key={name}>
                  <dt>
                    {name}
                    {aside !== null && <span className={styles.aside}>{aside}</span>}
                  </dt>
                  <dd>{value}</dd>
                </div>
              ))}
            </dl>
            {measured !== null && <p className={styles.detail}>{measured}</p>}
          </section>
        )}

        <Files entry={entry} />
      </div>
      <Actions entry={entry} isChosen={isChosen} onBack={onBack} onClose={onClose} />
    </>
  );
}

/** Whether the files are what they should be. */
function Files({ entry }: { readonly entry: ModelEntry }) {
  const { models } = useMirror();
  const { presence } = entry;
  const checked = checkedWords(entry);
  const lastChecked = lastCheckedWords(presence, useNow(true));
  if (checked === null || (presence.kind !== 'here' && presence.kind !== 'damaged')) return null;
  return (
    <section aria-labelledby="files-title">
      <h3 className={styles.title} id="files-title">
        Files
      </h3>
      <div className={styles.files}>
        <div>
          <p>{checked}</p>
          {lastChecked !== null && <p className={styles.detail}>{lastChecked}</p>}
          <p className={`${styles.detail} ${styles.repository}`} title={presence.folder}>
            {presence.folder}
          </p>
        </div>
        {/* A folder of the user's own has no checksums to compare with, and nobody to fetch it from. */}
        {entry.repository !== null &&
          (presence.kind === 'damaged' ? (
            <Button onClick={() => void models.act('models.repair', entry.id)}>Repair</Button>
          ) : (
            <Button onClick={() => void models.act('models.verify', entry.id)}>Check</Button>
          ))}
      </div>
    </section>
  );
}

interface ActionsProps extends Props {
  readonly isChosen: boolean;
}

/** What can be done with it; deleting is asked about, because only a download brings the files back. */
function Actions({ entry, isChosen, onBack, onClose }: ActionsProps) {
  const mirror = useMirror();
  const open = useOpenSheet();
  const say = useSay();
  const isRunning = useMirrored(({ app }) => app?.engine.kind !== 'off' && app?.engine.kind !== 'failed');
  const isKept = useMirrored(({ app }) => app?.chosenModelId === entry.id);
  const isStopping = useMirrored(({ app }) => app?.engine.kind === 'stopping');
  const [isAsking, setIsAsking] = useState(false);
  const isAnswered = useRef(false);
  const [freed, setFreed] = useState<string | null>(null);
  const { presence } = entry;
  const { models } = mirror;
  const isForgotten = isOnlyForgotten(entry);

  const answered = (): void => {
    isAnswered.current = true;
    setIsAsking(false);
  };
  /** The question has gone: the focus is where it came from. */
  const focusAgain = (button: HTMLButtonElement | null): void => {
    if (button === null || !isAnswered.current) return;
    isAnswered.current = false;
    button.focus();
  };
  const remove = async (): Promise<void> => {
    answered();
    const freedBytes = await models.remove(entry.id, entry.isShared);
    if (freedBytes === null) return;
    const words = isForgotten ? `${entry.name} is off the list.` : `Deleted. ${bytes(freedBytes)} freed.`;
    say(words);
    if (isForgotten) onBack();
    else setFreed(words);
  };
  const choose = async (): Promise<void> => {
    onClose();
    mirror.requestFocus();
    await switchModel(mirror, entry.id);
  };

  if (isAsking && isChosen && isRunning)
    return (
      // A key of its own: what deletes must not come under the pointer or the focus that turned it off.
      <div key="off-first" className={`${styles.foot} ${styles.sure}`} role="group" aria-label={`Delete ${entry.name}`}>
        <p>It is loaded now. Turn it off first.</p>
        <span>
          <Button ref={focusOnce} onClick={answered}>
            Keep
          </Button>
          <Button disabled={isStopping} onClick={() => void mirror.turnOff()}>
            {isStopping ? 'Turning off…' : 'Turn off'}
          </Button>
        </span>
      </div>
    );
  if (isAsking)
    return (
      <div key="sure" className={`${styles.foot} ${styles.sure}`} role="group" aria-label={`Delete ${entry.name}`}>
        <p>{deleteQuestion(entry)}</p>
        <span>
          <Button ref={focusOnce} onClick={answered}>
            Keep
          </Button>
          <Button onClick={() => void remove()}>{isForgotten ? 'Take off' : 'Delete'}</Button>
        </span>
      </div>
    );
  const isEmpty = presence.kind === 'getting' || (entry.isToy && isChosen && isRunning);
  if (isEmpty) return null;
  return (
    <div className={styles.foot}>
      {freed !== null && <p className={styles.detail}>{freed}</p>}
      <div className={styles.actions}>
        {presence.kind === 'absent' && (
          <Button
            isPrimary
            onClick={() => {
              setFreed(null);
              void models.act('models.download', entry.id);
            }}
          >
            {entry.sizeBytes === null ? 'Download' : `Download ${bytes(entry.sizeBytes)}`}
          </Button>
        )}
        {presence.kind === 'here' && (!isChosen || !isKept) && (
          <Button isPrimary onClick={() => void choose()}>
            Use this model
          </Button>
        )}
        {presence.kind === 'here' && isChosen && !isRunning && (
          <Button aria-haspopup="dialog" onClick={() => open('preflight')}>
            Can it load now?
          </Button>
        )}
        {/* What belongs to another engine is deleted there. */}
        {(presence.kind === 'here' || presence.kind === 'damaged' || isForgotten) &&
          !entry.isToy &&
          entry.engineName === undefined && (
            <Button ref={focusAgain} onClick={() => setIsAsking(true)}>
              {isForgotten ? 'Take off the list…' : 'Delete…'}
            </Button>
          )}
      </div>
    </div>
  );
}

/** The question has taken its button's place: the focus goes to the answer that loses nothing. */
const focusOnce = (button: HTMLButtonElement | null): void => button?.focus();
