import type { ReactNode } from 'react';
import type { ModelEntry } from '../../preload/contract.ts';
import { useMemory, useMirror, useMirrored, useModels } from '../mirror/react.ts';
import { DownloadProgress } from '../models/download-progress.tsx';
import { useOpenSheet } from '../sheets.ts';
import { Button } from '../ui/button.tsx';
import { bytesOf } from '../ui/numbers.ts';
import { Progress } from '../ui/progress.tsx';
import { EngineTrouble } from './engine-trouble.tsx';
import styles from './stage.module.css';

/** What the demo model has something to say about. */
const DEMO_SUGGESTIONS = ['What is the wired limit?', 'Why is the gauge yellow?', 'What does context cost?'] as const;

/** A beginning, for a model that knows the world. */
const SUGGESTIONS = [
  'Explain how a Mac uses its memory',
  'Write a script that renames photos by date',
  'Give me five dinner ideas for this week',
] as const;

interface StageProps {
  readonly title: string;
  readonly children?: ReactNode;
}

export function Stage({ title, children }: StageProps) {
  return (
    <section className={styles.stage} data-testid="stage">
      <h2 className={styles.title}>{title}</h2>
      {children}
    </section>
  );
}

export const StageText = ({ children }: { readonly children: ReactNode }) => <p className={styles.text}>{children}</p>;

/** The middle of the window while there is no conversation in it: how the model stands and what can be done. */
export function EngineStage() {
  const mirror = useMirror();
  const app = useMirrored((state) => state.app);
  const isLeft = useMemory(({ protection }) => protection?.kind === 'wired-left');
  const entry = useModels(({ entries }) => entries?.find(({ id }) => id === app?.model?.id));
  if (app === null) return null;
  const { engine, model, settings, platform } = app;
  // The first run has the window's middle then.
  if (model === null) return null;
  switch (engine.kind) {
    case 'off':
      if (entry?.presence.kind === 'damaged') return <CannotStart entry={entry} message={entry.presence.message} />;
      if (entry?.presence.kind === 'getting')
        return (
          <Stage title={model.name}>
            <div className={styles.download}>
              <DownloadProgress entry={entry} download={entry.presence.download} />
            </div>
          </Stage>
        );
      if (settings.firstRun === 'todo' && !model.isToy)
        return (
          <Stage title={`${model.name} is here`}>
            <StageText>It takes no memory before it is started, and gives it back when it is turned off.</StageText>
            <div className={styles.actions}>
              <Button isPrimary onClick={() => void mirror.turnOn()}>
                Start {model.name}
              </Button>
            </div>
          </Stage>
        );
      return (
        <Stage title={`${model.name} is off`}>
          <StageText>
            {isLeft
              ? 'Some of its memory has not come back. A restart of the computer gives it back.'
              : 'It takes no memory now. Turn it on above, or write and it turns on by itself.'}
          </StageText>
        </Stage>
      );
    case 'preparing':
      return (
        <Stage title="Checking memory">
          <StageText>Making sure that the model fits beside your other apps.</StageText>
          <div className={styles.progress}>
            <Progress label="Checking memory" progress="indeterminate" />
          </div>
        </Stage>
      );
    case 'starting':
      return (
        <Stage title={`Starting ${model.name}`}>
          <StageText>You can write already.</StageText>
          <div className={styles.progress}>
            <Progress label="Starting" progress="indeterminate" />
          </div>
        </Stage>
      );
    case 'loading': {
      const isKnown = engine.totalBytes > 0;
      return (
        <Stage title={`Loading ${model.name}`}>
          <StageText>
            {isKnown ? `${bytesOf(engine.loadedBytes, engine.totalBytes)}. ` : ''}You can write already.
          </StageText>
          <div className={styles.progress}>
            <Progress
              label="Loading the model"
              progress={isKnown ? { done: engine.loadedBytes, total: engine.totalBytes } : 'indeterminate'}
            />
          </div>
        </Stage>
      );
    }
    case 'ready':
    case 'busy':
      return model.isToy ? (
        <Stage title="A toy to look around with">
          <StageText>This demo model is tiny. It knows a little about Headroom and nothing else.</StageText>
          <Suggestions suggestions={DEMO_SUGGESTIONS} />
          {settings.firstRun === 'todo' && platform === 'darwin' && (
            <div className={styles.actions}>
              <Button onClick={() => mirror.models.wantFirstRun(true)}>Get a model that knows more</Button>
            </div>
          )}
        </Stage>
      ) : (
        <Stage title="What would you like to know?">
          <StageText>What you write stays on this computer.</StageText>
          <Suggestions suggestions={SUGGESTIONS} />
        </Stage>
      );
    case 'waiting':
    case 'failed':
      return (
        <section className={styles.stage} data-testid="stage">
          <EngineTrouble />
        </section>
      );
    case 'stopping':
      return (
        <Stage title="Turning off">
          <StageText>Giving the memory back.</StageText>
        </Stage>
      );
  }
}

/** The chosen model's files are not whole, or their disk is away. */
function CannotStart({ entry, message }: { readonly entry: ModelEntry; readonly message: string }) {
  const { models } = useMirror();
  const open = useOpenSheet();
  return (
    <Stage title={`${entry.name} cannot start`}>
      <StageText>{message}</StageText>
      <div className={styles.actions}>
        {entry.repository !== null && (
          <Button isPrimary onClick={() => void models.act('models.repair', entry.id)}>
            Repair
          </Button>
        )}
        <Button aria-haspopup="dialog" onClick={() => open('models')}>
          Models…
        </Button>
      </div>
    </Stage>
  );
}

function Suggestions({ suggestions }: { readonly suggestions: readonly string[] }) {
  const mirror = useMirror();
  return (
    <div className={styles.actions}>
      {suggestions.map((suggestion) => (
        <button
          key={suggestion}
          type="button"
          className={styles.suggestion}
          onClick={() => {
            mirror.requestFocus();
            void mirror.send({ text: suggestion, attachments: [] });
          }}
        >
          {suggestion}
        </button>
      ))}
    </div>
  );
}
