import type { DownloadState, ModelEntry } from '../../preload/contract.ts';
import { useMirror, useMirrored, useModels } from '../mirror/react.ts';
import { DownloadProgress } from '../models/download-progress.tsx';
import { factsOf, verdictTitle } from '../models/model-words.ts';
import { ModelsRefusal } from '../models/refusal.tsx';
import { startModel } from '../models/start-model.ts';
import { VerdictMark } from '../models/verdict-mark.tsx';
import { useOpenSheet } from '../sheets.ts';
import { Button } from '../ui/button.tsx';
import { bytes } from '../ui/numbers.ts';
import { type FirstRunStep, firstRunStep, machineWords } from './first-run-words.ts';
import styles from './first-run.module.css';

/**
 * One screen: this machine, the model for it, one decision. Each step is where main says it is, so the window may be
 * closed at any time.
 */
export function FirstRun() {
  const machine = useMirrored((state) => state.app?.machine ?? null);
  const isNew = useMirrored((state) => state.app?.settings.firstRun === 'todo');
  const { models } = useMirror();
  const entries = useModels((state) => state.entries);
  const isRefused = useModels((state) => state.refusal !== null);
  const step = machine === null ? null : firstRunStep(machine, entries);

  if (machine === null || step === null) return null;
  return (
    <section className={styles.screen} data-testid="first-run" data-step={step.kind}>
      <header className={styles.header}>
        <h2>{isNew ? 'Welcome to Headroom' : 'No model chosen'}</h2>
        <p>
          {isNew
            ? 'A large language model on your own computer, with enough memory left for everything else.'
            : 'Choose the model to run. It stays on this computer, and so does what you write.'}
        </p>
        <p className={styles.machine}>{machineWords(machine)}</p>
      </header>
      {step.kind === 'looking' &&
        (isRefused ? (
          <Button onClick={() => void models.loadEntries()}>Look again</Button>
        ) : (
          <p className={styles.quiet}>Looking at this computer…</p>
        ))}
      {step.kind === 'cannot-run' && (
        <div className={styles.card} role="status">
          <h3>{step.message}</h3>
          <p>{step.nextStep}</p>
        </div>
      )}
      {step.kind === 'nothing-fits' && (
        <div className={styles.card} role="status">
          <h3>None of the models Headroom knows fits here</h3>
          <p>A smaller one may: any model in MLX’s format can be added by its name.</p>
        </div>
      )}
      {(step.kind === 'choose' || step.kind === 'getting' || step.kind === 'here') && (
        <ModelCard entry={step.entry} download={step.kind === 'getting' ? step.download : null} />
      )}
      <ModelsRefusal />
      <Decision step={step} />
    </section>
  );
}

interface ModelCardProps {
  readonly entry: ModelEntry;
  readonly download: DownloadState | null;
}

/** The model this is about, and whether it works here. */
function ModelCard({ entry, download }: ModelCardProps) {
  return (
    <div className={styles.card}>
      <div className={styles.name}>
        <h3>{entry.name}</h3>
        {entry.isRecommended && <span className={styles.tag}>first choice for this computer</span>}
      </div>
      {download === null ? (
        <>
          {entry.goodFor !== null && <p>{entry.goodFor}</p>}
          <p className={styles.detail}>{factsOf(entry)}</p>
        </>
      ) : (
        <DownloadProgress entry={entry} download={download} />
      )}
      <div className={styles.verdict}>
        <VerdictMark verdict={entry.verdict} size={14} />
        <p>
          <span className={styles.strong}>{verdictTitle(entry.verdict)}.</span> {entry.verdict.message}
        </p>
      </div>
    </div>
  );
}

/** What comes next: at most one loud button, and quiet ways around it. */
function Decision({ step }: { readonly step: FirstRunStep }) {
  const mirror = useMirror();
  const open = useOpenSheet();
  const lookAround = async (demo: ModelEntry): Promise<void> => {
    mirror.models.wantFirstRun(false);
    await startModel(mirror, demo.id);
  };
  const demo = 'demo' in step ? step.demo : null;
  const found = step.kind === 'choose' ? step.found : null;
  if (step.kind === 'looking' || step.kind === 'cannot-run') return null;
  return (
    <>
      <div className={styles.actions}>
        {step.kind === 'choose' && (
          <Button isPrimary onClick={() => void mirror.models.act('models.download', step.entry.id)}>
            {step.entry.sizeBytes === null ? 'Download' : `Download ${bytes(step.entry.sizeBytes)}`}
          </Button>
        )}
        {step.kind === 'here' && (
          <Button isPrimary onClick={() => void startModel(mirror, step.entry.id)}>
            Start {step.entry.name}
          </Button>
        )}
        {step.kind === 'nothing-fits' && demo !== null && (
          <Button isPrimary onClick={() => void lookAround(demo)}>
            Look around
          </Button>
        )}
      </div>
      <div className={styles.ways}>
        {found !== null && (
          <button type="button" className={styles.way} onClick={() => void startModel(mirror, found.id)}>
            Use {found.name}, here already
          </button>
        )}
        {step.kind !== 'nothing-fits' && demo !== null && (
          <button type="button" className={styles.way} onClick={() => void lookAround(demo)}>
            {step.kind === 'choose' ? 'Look around first' : 'Look around meanwhile'}
          </button>
        )}
        <button type="button" className={styles.way} aria-haspopup="dialog" onClick={() => open('models')}>
          Other models…
        </button>
      </div>
      <p className={styles.hint}>{hintOf(step)}</p>
    </>
  );
}

function hintOf(step: Exclude<FirstRunStep, { kind: 'looking' | 'cannot-run' }>): string {
  switch (step.kind) {
    case 'choose':
      return step.demo === null
        ? 'The download can be paused and goes on where it stopped.'
        : 'The download can be paused and goes on where it stopped. Looking around is with a toy model that knows little.';
    case 'getting':
      switch (step.download.kind) {
        case 'paused':
          return 'It goes on where it stopped, whenever you like.';
        case 'failed':
          return 'What has arrived is kept, also when you close this window.';
        default:
          return 'You may close this window: the download goes on, and this is where it will be.';
      }
    case 'here':
      return step.entry.verdict.kind === 'fits-after-raise'
        ? 'Next you see what macOS will be asked for, word by word. Nothing happens before you agree.'
        : 'It is loaded into memory now, and given back when you turn it off.';
    case 'nothing-fits':
      return 'The toy model knows little; it shows what Headroom does.';
  }
}
