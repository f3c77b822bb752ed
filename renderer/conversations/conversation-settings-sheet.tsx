import { Trash2 } from 'lucide-react';
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { type ConversationSettings, EFFORTS, type Effort } from '../../preload/contract.ts';
import { useAbility, useConversations, useMirror, useMirrored, useModels } from '../mirror/react.ts';
import { Button } from '../ui/button.tsx';
import { IconButton } from '../ui/icon-button.tsx';
import { Sheet, SheetTitle } from '../ui/sheet.tsx';
import { TextField } from '../ui/text-field.tsx';
import styles from './conversation-settings-sheet.module.css';

const NOTHING: Partial<ConversationSettings> = {};
const OWN_EFFORT: Readonly<Record<Effort, string>> = { low: 'Low', medium: 'Medium', high: 'High' };

/** What holds for this conversation alone: instructions, effort, sampling, lengths. */
export function ConversationSettingsSheet({ onClose }: { readonly onClose: () => void }) {
  const mirror = useMirror();
  const settings = useMirrored(({ pane }) =>
    pane.kind === 'open' ? pane.about.settings : pane.kind === 'new' ? pane.settings : NOTHING,
  );
  // What is kept while another conversation is opened belongs to the one it was written for.
  const conversationId = useMirrored(({ pane }) => (pane.kind === 'new' ? null : pane.conversationId));
  const canBoundThinking = useAbility('thinking-limit', settings.modelId ?? null);
  const [of] = useState(conversationId);
  const change = (changed: Partial<ConversationSettings>): void => void mirror.configure(of, changed);
  return (
    <Sheet label="Conversation settings" width="full" onClose={onClose}>
      <div className={styles.body}>
        <SheetTitle>This conversation</SheetTitle>
        <Instructions text={settings.systemText ?? ''} onChange={(systemText) => change({ systemText })} />
        <ModelRow modelId={settings.modelId ?? null} onChange={(modelId) => change({ modelId })} />
        <Row label="Effort" hint="How long the model may think before it answers.">
          {(id) => (
            <select
              id={id}
              value={settings.effort ?? ''}
              onChange={({ target }) => change({ effort: EFFORTS.find((name) => name === target.value) ?? null })}
            >
              <option value="">As everywhere</option>
              {EFFORTS.map((name) => (
                <option key={name} value={name}>
                  {OWN_EFFORT[name]}
                </option>
              ))}
            </select>
          )}
        </Row>
        {canBoundThinking && (
          <NumberRow
            label="Thinking"
            unit="tokens at most"
            hint="Then it stops thinking and answers."
            value={settings.thinkingTokens ?? null}
            least={0}
            most={1_048_576}
            onChange={(thinkingTokens) => change({ thinkingTokens })}
          />
        )}
        <NumberRow
          label="Answer"
          unit="tokens at most"
          hint="Its thinking counts too."
          value={settings.maxAnswerTokens ?? null}
          least={16}
          most={1_048_576}
          onChange={(maxAnswerTokens) => change({ maxAnswerTokens })}
        />
        <NumberRow
          label="Context"
          unit="tokens at most"
          hint="Below the slider’s ceiling."
          value={settings.contextTokens ?? null}
          least={1_024}
          most={1_048_576}
          onChange={(contextTokens) => change({ contextTokens })}
        />
        <details className={styles.more}>
          <summary>Sampling</summary>
          <div>
            <NumberRow
              label="Temperature"
              hint="0 always takes the likeliest word."
              value={settings.temperature ?? null}
              least={0}
              most={2}
              step={0.1}
              onChange={(temperature) => change({ temperature })}
            />
            <NumberRow
              label="Top p"
              value={settings.topP ?? null}
              least={0}
              most={1}
              step={0.05}
              onChange={(topP) => change({ topP })}
            />
            <NumberRow
              label="Top k"
              value={settings.topK ?? null}
              least={0}
              most={1_000}
              onChange={(topK) => change({ topK })}
            />
            <NumberRow
              label="Min p"
              value={settings.minP ?? null}
              least={0}
              most={1}
              step={0.01}
              onChange={(minP) => change({ minP })}
            />
          </div>
        </details>
      </div>
    </Sheet>
  );
}

/** Which model answers here. Only those that can run are offered, and the one that was chosen. */
function ModelRow({
  modelId,
  onChange,
}: {
  readonly modelId: string | null;
  readonly onChange: (modelId: string | null) => void;
}) {
  const entries = useModels((state) => state.entries);
  const offered = (entries ?? []).filter(({ presence }) => presence.kind === 'here');
  const isThere = modelId === null || offered.some(({ id }) => id === modelId);
  return (
    <Row
      label="Model"
      hint={
        isThere
          ? 'A model of its own is loaded with the next message here.'
          : 'It is not on this computer any more. Choose another one.'
      }
    >
      {(id) => (
        <select id={id} value={modelId ?? ''} onChange={({ target }) => onChange(target.value || null)}>
          <option value="">As everywhere</option>
          {!isThere && <option value={modelId}>{modelId}</option>}
          {offered.map((entry) => (
            <option key={entry.id} value={entry.id}>
              {entry.name}
            </option>
          ))}
        </select>
      )}
    </Row>
  );
}

/** Kept when the typing rests, and when the sheet goes, however it goes. */
const REST_MS = 400;

function useKeeping(isChanged: boolean, written: string, keep: () => void): void {
  const latest = useRef({ isChanged, keep });
  latest.current = { isChanged, keep };
  useEffect(() => {
    if (!isChanged) return;
    const timer = setTimeout(() => latest.current.keep(), REST_MS);
    return () => clearTimeout(timer);
  }, [isChanged, written]);
  useEffect(
    () => () => {
      if (latest.current.isChanged) latest.current.keep();
    },
    [],
  );
}

/** What the model is told before everything else, with presets to take it from and to keep it as. */
function Instructions({ text, onChange }: { readonly text: string; readonly onChange: (text: string) => void }) {
  const { conversations } = useMirror();
  const presets = useConversations((state) => state.presets);
  const id = useId();
  const [written, setWritten] = useState(text);
  const [name, setName] = useState<string | null>(null);
  useEffect(() => void conversations.loadPresets(), [conversations]);
  useKeeping(written !== text, written, () => onChange(written));
  const chosen = presets?.find(({ systemText }) => systemText === written) ?? null;
  return (
    <section className={styles.instructions}>
      <div className={styles.head}>
        <label htmlFor={id}>Instructions</label>
        {presets !== null && presets.length > 0 && (
          <span className={styles.presets}>
            <select
              aria-label="Preset"
              value={chosen?.id ?? ''}
              onChange={({ target }) => {
                const preset = presets.find((each) => each.id === target.value);
                if (preset === undefined) return;
                setWritten(preset.systemText);
                onChange(preset.systemText);
              }}
            >
              <option value="">Presets</option>
              {presets.map((preset) => (
                <option key={preset.id} value={preset.id}>
                  {preset.name}
                </option>
              ))}
            </select>
            {chosen !== null && (
              <IconButton
                isSmall
                icon={Trash2}
                label={`Delete the preset “${chosen.name}”`}
                onClick={() => void conversations.deletePreset(chosen.id)}
              />
            )}
          </span>
        )}
      </div>
      <textarea
        id={id}
        rows={3}
        placeholder="What the model should know or keep to, before everything else."
        value={written}
        onChange={({ target }) => setWritten(target.value)}
      />
      {name === null ? (
        written.trim() !== '' &&
        chosen === null && (
          <button type="button" className={styles.link} onClick={() => setName('')}>
            Keep as a preset
          </button>
        )
      ) : (
        <form
          className={styles.keep}
          onSubmit={(event) => {
            event.preventDefault();
            void conversations.savePreset(null, name, written).then((wasSaved) => {
              if (wasSaved) setName(null);
            });
          }}
        >
          <TextField label="Name" value={name} maxLength={80} onChange={({ target }) => setName(target.value)} />
          <Button onClick={() => setName(null)}>Cancel</Button>
          <Button isPrimary type="submit" disabled={name.trim() === ''}>
            Keep
          </Button>
        </form>
      )}
    </section>
  );
}

function Row({
  label,
  hint,
  children,
}: {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly children: (id: string) => ReactNode;
}) {
  const id = useId();
  return (
    <div className={styles.row}>
      <div>
        <label htmlFor={id}>{label}</label>
        {hint !== undefined && <p className={styles.hint}>{hint}</p>}
      </div>
      {children(id)}
    </div>
  );
}

interface NumberRowProps {
  readonly label: string;
  readonly unit?: string;
  readonly hint?: string;
  /** Null: as the model or the app say. */
  readonly value: number | null;
  readonly least: number;
  readonly most: number;
  readonly step?: number;
  readonly onChange: (value: number | null) => void;
}

/** A number that may be left to the model. What is out of its range does not leave the field. */
function NumberRow({ label, unit, hint, value, least, most, step = 1, onChange }: NumberRowProps) {
  const [text, setText] = useState(value === null ? '' : String(value));
  const number = Number(text.replace(',', '.'));
  const isWhole = step >= 1;
  const isFine =
    text.trim() === '' ||
    (Number.isFinite(number) && number >= least && number <= most && (!isWhole || Number.isInteger(number)));
  const next = text.trim() === '' ? null : number;
  useKeeping(isFine && next !== value, text, () => onChange(next));
  return (
    <Row
      label={label}
      hint={
        isFine
          ? hint
          : `${isWhole ? 'A whole number' : 'A number'} from ${least.toLocaleString('en-US')} to ${most.toLocaleString('en-US')}.`
      }
    >
      {(id) => (
        <span className={styles.number}>
          <input
            id={id}
            inputMode="decimal"
            autoComplete="off"
            placeholder="Auto"
            aria-invalid={!isFine}
            value={text}
            onChange={({ target }) => setText(target.value)}
            onKeyDown={(event) => event.key === 'Enter' && isFine && next !== value && onChange(next)}
          />
          {unit !== undefined && <span>{unit}</span>}
        </span>
      )}
    </Row>
  );
}
