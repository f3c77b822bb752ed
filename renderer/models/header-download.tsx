import { useModels, useMirror } from '../mirror/react.ts';
import { useOpenSheet } from '../sheets.ts';
import { downloadWords } from './download-words.ts';
import styles from './header-download.module.css';
import { useDownloadNews } from './use-download-news.ts';

const RADIUS = 7;
const ROUND = 2 * Math.PI * RADIUS;

/** A download under way, quietly: a ring that fills. One click shows it. Nothing while there is none. */
export function HeaderDownload() {
  useDownloadNews();
  const mirror = useMirror();
  const open = useOpenSheet();
  const entry = useModels(({ entries }) => entries?.find(({ presence }) => presence.kind === 'getting') ?? null);
  if (entry === null || entry.presence.kind !== 'getting') return null;
  const { text, progress } = downloadWords(entry.presence.download, 0);
  const share =
    progress === null || progress === 'indeterminate' || progress.total === 0 ? 0 : progress.done / progress.total;
  const isCheck = entry.presence.download.kind === 'checking';
  const percent = Math.round(share * 100);
  return (
    <button
      type="button"
      className={styles.button}
      data-state={entry.presence.download.kind}
      aria-haspopup="dialog"
      aria-label={`${isCheck ? 'Check' : 'Download'} of ${entry.name}, ${percent} %`}
      title={`${entry.name}: ${text}`}
      onClick={() => {
        mirror.models.lookAt(entry.id);
        open('models');
      }}
    >
      <svg viewBox="0 0 18 18" width={18} height={18} aria-hidden>
        <circle className={styles.track} cx={9} cy={9} r={RADIUS} />
        <circle
          className={styles.done}
          cx={9}
          cy={9}
          r={RADIUS}
          // A hundredth is less than a pixel here: it moves only when that can be seen.
          strokeDasharray={`${(percent / 100) * ROUND} ${ROUND}`}
        />
        <path className={styles.arrow} d="M9 5.6v6M6.6 9.4 9 11.8l2.4-2.4" />
      </svg>
    </button>
  );
}
