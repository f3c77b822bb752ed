import { Check, ChevronRight, Info } from 'lucide-react';
import type { ModelEntry } from '../../preload/contract.ts';
import { useMirror, useMirrored, useModels } from '../mirror/react.ts';
import { Button } from '../ui/button.tsx';
import { IconButton } from '../ui/icon-button.tsx';
import { bytes } from '../ui/numbers.ts';
import { ToyLabel } from '../ui/toy-label.tsx';
import { DownloadProgress } from './download-progress.tsx';
import styles from './model-list.module.css';
import { factsOf, verdictTitle } from './model-words.ts';
import { ModelsRefusal } from './refusal.tsx';
import { switchModel } from './start-model.ts';
import { VerdictMark } from './verdict-mark.tsx';

/** What the sheet shows. A model's page is `lookingAt` in the mirror, because other places lead to it too. */
export type ModelsPage = 'list' | 'add' | 'downloads' | 'engines' | 'endpoint';

interface Props {
  readonly onPage: (page: ModelsPage) => void;
  readonly onClose: () => void;
}

/** The first choice first, then what is there, then what could be. */
export function ModelList({ onPage, onClose }: Props) {
  const version = useMirrored((state) => state.app?.version ?? '');
  const { models } = useMirror();
  const entries = useModels((state) => state.entries);
  const isRefused = useModels((state) => state.refusal !== null);
  const here = (entries ?? []).filter(({ presence }) => presence.kind !== 'absent');
  const absent = (entries ?? []).filter(({ presence }) => presence.kind === 'absent');
  return (
    <>
      <ModelsRefusal />
      {entries === null &&
        (isRefused ? (
          <p className={styles.quiet}>
            <Button onClick={() => void models.loadEntries()}>Look again</Button>
          </p>
        ) : (
          <p className={styles.quiet}>Looking…</p>
        ))}
      {here.length > 0 && (
        <section aria-labelledby="models-here">
          <h2 className={styles.title} id="models-here">
            On this computer
          </h2>
          <ul>
            {here.map((entry) => (
              <Row key={entry.id} entry={entry} onClose={onClose} />
            ))}
          </ul>
        </section>
      )}
      {absent.length > 0 && (
        <section aria-labelledby="models-absent">
          <h2 className={styles.title} id="models-absent">
            To download
          </h2>
          <ul>
            {absent.map((entry) => (
              <Row key={entry.id} entry={entry} onClose={onClose} />
            ))}
          </ul>
        </section>
      )}
      <div className={styles.separator} />
      <Link page="add" onPage={onPage}>
        Add a model…
      </Link>
      <Link page="downloads" onPage={onPage}>
        Downloads: folder, proxy, token…
      </Link>
      <Link page="engines" onPage={onPage}>
        Other engines: llama.cpp, Ollama, LM Studio…
      </Link>
      <Link page="endpoint" onPage={onPage}>
        For other programs…
      </Link>
      <p className={styles.version}>Headroom {version}</p>
    </>
  );
}

interface LinkProps extends Pick<Props, 'onPage'> {
  readonly page: ModelsPage;
  readonly children: string;
}

function Link({ page, onPage, children }: LinkProps) {
  return (
    <button type="button" className={styles.link} data-leads-to={page} onClick={() => onPage(page)}>
      {children}
      <ChevronRight size={14} strokeWidth={2} aria-hidden />
    </button>
  );
}

/** One model. What is here is chosen by a click; what is not is looked at first. */
function Row({ entry, onClose }: { readonly entry: ModelEntry; readonly onClose: () => void }) {
  const mirror = useMirror();
  const isChosen = useMirrored((state) => state.app?.model?.id === entry.id);
  // One that a conversation or a program uses for now is made the usual one by a click.
  const isKept = useMirrored((state) => state.app?.chosenModelId === entry.id);
  const { presence } = entry;
  const look = (): void => mirror.models.lookAt(entry.id);
  const choose = async (): Promise<void> => {
    onClose();
    if (!isChosen || !isKept) await switchModel(mirror, entry.id);
  };
  return (
    <li className={styles.row} data-presence={presence.kind}>
      <button
        type="button"
        className={styles.model}
        aria-current={isChosen}
        {...(presence.kind === 'here'
          ? { onClick: () => void choose() }
          : { onClick: look, 'data-leads-to': entry.id })}
      >
        <span className={styles.check}>{isChosen && <Check size={14} strokeWidth={2.25} aria-hidden />}</span>
        <span className={styles.name}>
          {entry.name}
          {entry.isToy && <ToyLabel />}
          {entry.engineName !== undefined && <span className={styles.tag}>{entry.engineName}</span>}
          {entry.isRecommended && <span className={styles.tag}>first choice here</span>}
        </span>
        {entry.goodFor !== null && <span className={styles.detail}>{entry.goodFor}</span>}
        <span className={`${styles.detail} ${styles.facts}`}>
          {presence.kind === 'damaged' ? (
            presence.message
          ) : (
            <>
              <span>{factsOf(entry)}</span>
              <span className={styles.verdict}>
                <VerdictMark verdict={entry.verdict} />
                {verdictTitle(entry.verdict)}
              </span>
            </>
          )}
        </span>
      </button>
      <span className={styles.trailing}>
        {presence.kind === 'absent' && (
          <Button
            aria-label={`Get ${entry.name}${entry.sizeBytes === null ? '' : `, ${bytes(entry.sizeBytes)}`}`}
            onClick={() => void mirror.models.act('models.download', entry.id)}
          >
            Get
          </Button>
        )}
        {presence.kind === 'damaged' && entry.repository !== null && (
          <Button aria-label={`Repair ${entry.name}`} onClick={() => void mirror.models.act('models.repair', entry.id)}>
            Repair
          </Button>
        )}
        {presence.kind === 'here' && (
          <IconButton icon={Info} label={`About ${entry.name}`} data-leads-to={entry.id} onClick={look} />
        )}
      </span>
      {presence.kind === 'getting' && (
        <div className={styles.progress}>
          <DownloadProgress entry={entry} download={presence.download} />
        </div>
      )}
    </li>
  );
}
