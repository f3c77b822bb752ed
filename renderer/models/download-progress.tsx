import { Pause, Play, RotateCw, X } from 'lucide-react';
import { useState } from 'react';
import type { DownloadState, ModelEntry } from '../../preload/contract.ts';
import { useMirror, useNow } from '../mirror/react.ts';
import { useOpenSheet } from '../sheets.ts';
import { Button } from '../ui/button.tsx';
import { IconButton } from '../ui/icon-button.tsx';
import { bytes } from '../ui/numbers.ts';
import { Progress } from '../ui/progress.tsx';
import styles from './download-progress.module.css';
import { ACTION_WORDS, downloadWords, fetchedBytes, hubRemedy } from './download-words.ts';

/** Below this a download that is thrown away is no loss worth a question. */
const WORTH_ASKING_BYTES = 50_000_000;

const ICONS = { pause: Pause, resume: Play, 'try-now': RotateCw } as const;

interface Props {
  readonly entry: ModelEntry;
  readonly download: DownloadState;
}

/** How far a download is, with what can be done about it: pause, go on, cancel. */
export function DownloadProgress({ entry, download }: Props) {
  const mirror = useMirror();
  const { models } = mirror;
  const nowMs = useNow(download.kind === 'waiting');
  const [isAsking, setIsAsking] = useState(false);
  const { text, nextStep, progress, action } = downloadWords(download, nowMs);
  const rests = download.kind === 'paused' || download.kind === 'waiting' || download.kind === 'failed';
  const fetched = fetchedBytes(download);
  const remedy = hubRemedy(download);
  const open = useOpenSheet();
  const cancel = (): void => void models.act('models.cancel', entry.id);
  return (
    <div className={styles.download} data-testid="download" data-state={download.kind}>
      <div className={styles.row}>
        <div className={rests ? `${styles.bar} ${styles.atRest}` : styles.bar}>
          {progress === null ? (
            <div className={styles.rest} />
          ) : (
            <Progress label={`Download of ${entry.name}`} progress={progress} />
          )}
        </div>
        {action !== null && (
          <IconButton
            isSmall
            icon={ICONS[action]}
            label={`${ACTION_WORDS[action]}, ${entry.name}`}
            onClick={() => void models.act(action === 'pause' ? 'models.pause' : 'models.download', entry.id)}
          />
        )}
        {/* A check has nothing to throw away: pausing ends it. */}
        {download.kind !== 'checking' && (
          <IconButton
            isSmall
            icon={X}
            label={`Cancel, ${entry.name}`}
            onClick={() => (fetched > WORTH_ASKING_BYTES ? setIsAsking(true) : cancel())}
          />
        )}
      </div>
      {nextStep === null ? (
        <p className={styles.words}>{text}</p>
      ) : (
        <div className={styles.trouble} role={download.kind === 'failed' ? 'alert' : 'status'}>
          <p>{text}</p>
          <p className={styles.words}>{nextStep}</p>
          {download.kind === 'failed' && download.cause.code === 'gated' && entry.repository !== null && (
            <Button onClick={() => void mirror.openLink(`https://huggingface.co/${entry.repository}`)}>
              Open its page…
            </Button>
          )}
          {remedy !== null && (
            <Button
              aria-haspopup="dialog"
              onClick={() => {
                models.wantPage('downloads');
                open('models');
              }}
            >
              {remedy}
            </Button>
          )}
        </div>
      )}
      {isAsking && (
        <div className={styles.sure} role="group" aria-label="Cancel the download">
          <p>Throw away the {bytes(fetched)} fetched so far?</p>
          <span>
            <Button ref={focusOnce} onClick={() => setIsAsking(false)}>
              Keep
            </Button>
            <Button onClick={cancel}>Throw away</Button>
          </span>
        </div>
      )}
    </div>
  );
}

/** The question has come: the focus goes to the answer that loses nothing. */
const focusOnce = (button: HTMLButtonElement | null): void => button?.focus();
