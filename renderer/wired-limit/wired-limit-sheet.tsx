import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import type { WiredLimitChoice, WiredLimitPlan, WiredLimitState } from '../../preload/contract.ts';
import { useMemory, useMirror } from '../mirror/react.ts';
import { Button } from '../ui/button.tsx';
import { CopyButton } from '../ui/copy-button.tsx';
import { exactMiB, memoryOfMiB } from '../ui/numbers.ts';
import { Progress } from '../ui/progress.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { Switch } from '../ui/switch.tsx';
import { helperWords, limitIs, originalOf, verdictWords } from './limit-words.ts';
import styles from './wired-limit-sheet.module.css';

/** How much memory the GPU may keep: what it is, what the model needs, and the one click that changes it. */
export function WiredLimitSheet({ onClose }: { readonly onClose: () => void }) {
  const mirror = useMirror();
  const state = useMemory(({ wiredLimit }) => wiredLimit);
  const plan = useMemory((memory) => memory.plan);
  useEffect(() => {
    void mirror.memory.lookAtLimit();
    void mirror.memory.helper('status');
  }, [mirror]);
  if (state === null) return null;
  return (
    <Sheet label="GPU memory limit" width="full" onClose={onClose}>
      <div className={styles.body} data-testid="wired-limit" data-state={state.kind}>
        <Stage key={state.kind} state={state} plan={plan} onClose={onClose} />
        <Refusal at="limit" />
        {rests(state) && <AskOnce state={state} />}
      </div>
    </Sheet>
  );
}

/** Why a click did nothing. */
function Refusal({ at }: { readonly at: 'limit' | 'helper' }) {
  const refusal = useMemory(({ limitRefusal }) => limitRefusal);
  if (refusal?.at !== at) return null;
  return (
    <p className={styles.refusal} role="alert">
      {refusal.message} {refusal.nextStep}
    </p>
  );
}

/** Nothing is under way that another password would disturb. */
const rests = ({ kind }: WiredLimitState): boolean =>
  kind === 'asking' || kind === 'idle' || kind === 'raised' || kind === 'trouble';

interface StageProps {
  readonly state: WiredLimitState;
  readonly plan: WiredLimitPlan | null;
  readonly onClose: () => void;
}

function Stage({ state, plan, onClose }: StageProps) {
  const { memory } = useMirror();
  switch (state.kind) {
    case 'not-needed':
      return (
        <Part title="Nothing to raise">
          <p>There is no such limit here: {state.why}.</p>
        </Part>
      );
    case 'asking':
      return <Ask plan={state.plan} askedBy={state.askedBy} original={originalOf(state)} onClose={onClose} />;
    case 'idle': {
      const wants = plan?.verdict.kind === 'raise' || plan?.verdict.kind === 'capped';
      return (
        <>
          {state.note !== null && (
            <div className={styles.note} role="status">
              <p>{state.note.message}</p>
              <Button onClick={() => void memory.cancel()}>Understood</Button>
            </div>
          )}
          {plan !== null && wants ? (
            <Ask plan={plan} askedBy={null} original={null} onClose={onClose} />
          ) : (
            <Settled plan={plan} settingMiB={state.settingMiB} />
          )}
        </>
      );
    }
    case 'raising':
    case 'restoring':
      return <Working state={state} />;
    case 'verifying':
      return (
        <Part title="Reading the limit back">
          <p>It counts only when the system says {limitIs(state.toMiB)}.</p>
          <Progress label="Reading the limit back" progress="indeterminate" />
        </Part>
      );
    case 'raised':
      return (
        <Part title={state.fromEarlierRun ? 'The limit is still raised' : 'The limit is raised'}>
          <Numbers
            rows={[
              ['Before', limitIs(state.originalMiB)],
              ['Now', exactMiB(state.settingMiB)],
              ...(plan === null ? [] : [['Leaves for your Mac', memoryOfMiB(plan.leavesMiB)] as const]),
            ]}
          />
          <p>
            {state.fromEarlierRun
              ? 'Headroom raised it before it last ended. It lasts until the Mac restarts.'
              : 'It lasts until the Mac restarts.'}
          </p>
          <PutBack originalMiB={state.originalMiB} />
        </Part>
      );
    case 'trouble':
      return <Trouble state={state} plan={plan} onClose={onClose} />;
  }
}

/** Waits for the dialog, for the helper or for the person's own hand. */
function Working({ state }: { readonly state: Extract<WiredLimitState, { kind: 'raising' | 'restoring' }> }) {
  const { memory } = useMirror();
  const hasHelper = useHasHelper();
  if (state.by === 'myself') {
    return (
      <Part title="Run this in Terminal">
        <Command text={state.command} />
        <p>
          The limit is {limitIs(state.fromMiB)} now. Headroom looks every two seconds and goes on when it is{' '}
          {limitIs(state.toMiB)}.
        </p>
        <Progress label="Watching the limit" progress="indeterminate" />
        <Actions>
          <Button onClick={() => void memory.cancel()}>Stop watching</Button>
        </Actions>
      </Part>
    );
  }
  const isRaise = state.kind === 'raising';
  if (hasHelper) {
    return (
      <Part title={isRaise ? 'Raising the limit' : 'Putting the limit back'}>
        <p>{isRaise ? `It becomes ${limitIs(state.toMiB)}.` : `It becomes ${limitIs(state.toMiB)} again.`}</p>
        <Progress label="The helper sets the limit" progress="indeterminate" />
        <Actions>
          <Button onClick={() => void memory.cancel()}>Cancel</Button>
        </Actions>
      </Part>
    );
  }
  return (
    <Part title="macOS is asking for your password">
      <p>
        {isRaise
          ? `Answer its dialog and the limit becomes ${limitIs(state.toMiB)}.`
          : `Answer its dialog and the limit is ${limitIs(state.toMiB)} again.`}{' '}
        Headroom never sees the password.
      </p>
      <Command text={state.command} />
      <Progress label="Waiting for macOS’s dialog" progress="indeterminate" />
      <Actions>
        <Button onClick={() => void memory.cancel()}>Cancel</Button>
      </Actions>
    </Part>
  );
}

/** What will happen, before anything does. */
function Ask({
  plan,
  askedBy,
  original,
  onClose,
}: {
  readonly plan: WiredLimitPlan;
  /** Null: nobody wanted to start the model; the person looks around. */
  readonly askedBy: Extract<WiredLimitState, { kind: 'asking' }>['askedBy'] | null;
  readonly original: number | null;
  readonly onClose: () => void;
}) {
  const { memory } = useMirror();
  const hasHelper = useHasHelper();
  const { verdict } = plan;
  const choices = verdict.kind === 'raise' || verdict.kind === 'capped' ? verdict.choices : [];
  const [name, setName] = useState<WiredLimitChoice['name']>('minimum');
  const chosen = choices.find((choice) => choice.name === name) ?? choices[0];
  if (chosen === undefined) return <Settled plan={plan} settingMiB={plan.limitMiB} />;
  return (
    <Part title="Let the GPU keep more memory?">
      <p>
        {askedBy === 'endpoint' && 'Another program asked for the model. '}
        {askedBy === 'timer' && 'The model was to be loaded again. '}
        {verdict.kind === 'capped'
          ? `The model would like ${exactMiB(verdict.wouldLikeMiB)} and may have ${exactMiB(plan.limitMiB)}. Headroom goes no further than 85 % of the memory: the model runs, somewhat slower.`
          : `The model needs ${exactMiB(plan.needMiB)} and may have ${exactMiB(plan.limitMiB)}. Below that it fails or crawls.`}
      </p>
      {choices.length > 1 && <Choices choices={choices} chosen={chosen} onChoose={setName} />}
      <Numbers
        rows={[
          ['Limit now', exactMiB(plan.limitMiB), plan.limitFrom === 'setting' ? undefined : 'macOS’s own choice'],
          ['Limit after', exactMiB(chosen.limitMiB)],
          [
            'Leaves for your Mac',
            memoryOfMiB(chosen.leavesMiB),
            `${memoryOfMiB(chosen.leavesFullyUsedMiB)} if all of it is used`,
          ],
        ]}
      />
      <ol className={styles.steps}>
        <li>
          {hasHelper
            ? 'The helper does it: no password is asked for.'
            : 'macOS asks for an administrator’s password. Headroom never sees it.'}
        </li>
        <li>
          One command runs, nothing else:
          <Command text={chosen.command} />
        </li>
        <li>The limit is read back, and the model starts. A restart of the Mac undoes it, or one click here.</li>
      </ol>
      {!plan.keepsResident && (
        <p className={styles.detail}>On macOS 14 the limit bounds what may be allocated; nothing is kept in place.</p>
      )}
      <Actions>
        <Button isPrimary onClick={() => void memory.raise(chosen.limitMiB, 'prompt')}>
          {hasHelper ? 'Raise' : 'Raise…'}
        </Button>
        <Button onClick={() => void memory.raise(chosen.limitMiB, 'myself')}>I’ll run it myself</Button>
        <Button
          onClick={() => {
            if (askedBy !== null) void memory.cancel();
            onClose();
          }}
        >
          Not now
        </Button>
      </Actions>
      {askedBy !== null && plan.canStartAnyway && (
        <p className={styles.detail}>
          The weights alone fit below the limit.{' '}
          <button
            type="button"
            className={styles.link}
            onClick={() => {
              void memory.startAnyway();
              onClose();
            }}
          >
            Start without raising
          </button>
          : it will be slow, not dangerous.
        </p>
      )}
      {original !== null && <PutBack originalMiB={original} />}
    </Part>
  );
}

/** What is set needs no password then. */
const useHasHelper = (): boolean => useMemory(({ helper }) => helper?.state.kind === 'installed');

const CHOICE_WORDS: Readonly<Record<WiredLimitChoice['name'], { readonly label: string; readonly detail: string }>> = {
  minimum: { label: 'What the model needs', detail: 'Leaves your other apps the most.' },
  recipe: { label: 'The usual recipe', detail: 'What guides for this model name. Room for a longer context.' },
};

function Choices({
  choices,
  chosen,
  onChoose,
}: {
  readonly choices: readonly WiredLimitChoice[];
  readonly chosen: WiredLimitChoice;
  readonly onChoose: (name: WiredLimitChoice['name']) => void;
}) {
  const group = useId();
  return (
    <fieldset className={styles.choices}>
      <legend className={styles.spoken}>How far</legend>
      {choices.map((choice) => (
        <label key={choice.name} className={styles.choice}>
          <input
            type="radio"
            name={group}
            checked={choice.name === chosen.name}
            onChange={() => onChoose(choice.name)}
          />
          <span>
            {CHOICE_WORDS[choice.name].label}, {exactMiB(choice.limitMiB)}
            <span className={styles.detail}>{CHOICE_WORDS[choice.name].detail}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function Settled({ plan, settingMiB }: { readonly plan: WiredLimitPlan | null; readonly settingMiB: number }) {
  const words = plan === null ? null : verdictWords(plan);
  return (
    <Part title={words?.title ?? 'Nothing is raised'}>
      <p>
        {words?.text ??
          'macOS limits how much memory the GPU may keep in place. When a model needs more, Headroom asks here first.'}
      </p>
      <Numbers
        rows={
          plan === null
            ? [['Limit', limitIs(settingMiB)]]
            : [
                ['Limit', exactMiB(plan.limitMiB), plan.limitFrom === 'setting' ? undefined : 'macOS’s own choice'],
                [
                  'The model needs',
                  exactMiB(plan.needMiB),
                  plan.peakFrom === 'estimated' ? 'estimated' : 'measured here',
                ],
                ...(plan.leavesMiB < 0 ? [] : [['Leaves for your Mac', memoryOfMiB(plan.leavesMiB)] as const]),
              ]
        }
      />
    </Part>
  );
}

function Trouble({
  state,
  plan,
  onClose,
}: {
  readonly state: Extract<WiredLimitState, { kind: 'trouble' }>;
  readonly plan: WiredLimitPlan | null;
  readonly onClose: () => void;
}) {
  const { memory } = useMirror();
  const wantedMiB = useMemory((state) => state.wantedMiB);
  const verdict = plan?.verdict;
  const toMiB = wantedMiB ?? (verdict?.kind === 'raise' || verdict?.kind === 'capped' ? verdict.toMiB : null);
  const changedByOthers = state.cause.code === 'wired-limit-changed-meanwhile';
  const canRetryRaise = state.during === 'raise' && toMiB !== null && !changedByOthers;
  return (
    <Part title={state.cause.message} isAlert>
      <p>{state.cause.nextStep}</p>
      {state.command !== null && <Command text={state.command} />}
      <Actions>
        {canRetryRaise && (
          <Button isPrimary onClick={() => void memory.raise(toMiB, 'prompt')}>
            Try again…
          </Button>
        )}
        {canRetryRaise && state.command !== null && (
          <Button onClick={() => void memory.raise(toMiB, 'myself')}>I’ll run it myself</Button>
        )}
        {state.originalMiB !== null && <PutBackButtons />}
        <Button
          onClick={() => {
            void memory.cancel();
            if (!changedByOthers) onClose();
          }}
        >
          {changedByOthers ? 'Keep it' : 'Not now'}
        </Button>
      </Actions>
    </Part>
  );
}

function PutBack({ originalMiB }: { readonly originalMiB: number }) {
  return (
    <>
      <p className={styles.detail}>
        “Put everything back” turns the model off and sets the limit to {limitIs(originalMiB)}.
      </p>
      <Actions>
        <PutBackButtons />
      </Actions>
    </>
  );
}

function PutBackButtons() {
  const { memory } = useMirror();
  const hasHelper = useHasHelper();
  return (
    <>
      <Button onClick={() => void memory.restore('prompt')}>
        {hasHelper ? 'Put everything back' : 'Put everything back…'}
      </Button>
      <Button onClick={() => void memory.restore('myself')}>By hand</Button>
    </>
  );
}

/** The opt-in that makes the dialog unnecessary, and the one that keeps the limit over restarts. */
function AskOnce({ state }: { readonly state: WiredLimitState }) {
  const { memory } = useMirror();
  const status = useMemory(({ helper }) => helper);
  const [isBusy, setIsBusy] = useState(false);
  const bootId = useId();
  if (status === null || status.state.kind === 'not-here') return null;
  const { text, action } = helperWords(status.state);
  const during = (change: Promise<void>): void => {
    setIsBusy(true);
    void change.finally(() => setIsBusy(false));
  };
  const settingMiB = state.kind === 'raised' ? state.settingMiB : status.atBootMiB;
  return (
    <details
      className={styles.more}
      // Unfolded below the edge it would look as if nothing had happened.
      onToggle={({ currentTarget }) => currentTarget.open && currentTarget.scrollIntoView({ block: 'nearest' })}
    >
      <summary>Ask me only once</summary>
      <p className={styles.detail}>{text}</p>
      {action !== null && (
        <Actions>
          <Button disabled={isBusy} onClick={() => during(memory.helper(action))}>
            {action === 'install' ? 'Install the helper…' : 'Remove the helper…'}
          </Button>
        </Actions>
      )}
      {settingMiB !== null && (
        <div className={styles.boot}>
          <div>
            <p id={bootId}>Set {exactMiB(settingMiB)} whenever the Mac starts</p>
            <p className={styles.detail}>Off unless you want it: without Headroom running, the memory is not used.</p>
          </div>
          <Switch
            isOn={status.atBootMiB !== null}
            labelledBy={bootId}
            onChange={(isOn) => during(memory.setAtBoot(isOn ? settingMiB : null))}
          />
        </div>
      )}
      <Refusal at="helper" />
      {status.message !== null && (
        <p className={styles.detail} role="status">
          {status.message}
        </p>
      )}
    </details>
  );
}

function Part({
  title,
  isAlert = false,
  children,
}: {
  readonly title: string;
  readonly isAlert?: boolean;
  readonly children: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  // The button that led here is gone: the focus goes to what came of it.
  useEffect(() => {
    if (document.activeElement === document.body) heading.current?.focus();
  }, []);
  return (
    <section className={styles.part} role={isAlert ? 'alert' : undefined}>
      <h2 ref={heading} className={styles.title} tabIndex={-1} data-first-focus>
        {title}
      </h2>
      {children}
    </section>
  );
}

const Actions = ({ children }: { readonly children: ReactNode }) => <div className={styles.actions}>{children}</div>;

/** The exact command, to read, to copy, to run. */
function Command({ text }: { readonly text: string }) {
  return (
    <div className={styles.command}>
      <code>{text}</code>
      <CopyButton label="Copy the command" text={() => text} />
    </div>
  );
}

function Numbers({
  rows,
}: {
  readonly rows: readonly (readonly [name: string, value: string, detail?: string | undefined])[];
}) {
  return (
    <dl className={styles.numbers}>
      {rows.map(([name, value, detail]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {value}
            {detail !== undefined && <span className={styles.aside}>{detail}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
