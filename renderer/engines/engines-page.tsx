import { Check, TriangleAlert } from 'lucide-react';
import { type FormEvent, useEffect, useId, useState } from 'react';
import type { OutsideEngineStatus, RouteInput } from '../../preload/contract.ts';
import { useEngines, useMirror, useMirrored } from '../mirror/react.ts';
import { Button } from '../ui/button.tsx';
import { PathField } from '../ui/path-field.tsx';
import { Refusal } from '../ui/refusal.tsx';
import { Switch } from '../ui/switch.tsx';
import { TextField } from '../ui/text-field.tsx';
import { addressWarning, environmentWords, lookWords, reachWords } from './engine-place-words.ts';
import styles from './engines-page.module.css';

/** Engines that others made: found or not, where they are looked for, and whether they are used at all. */
export function EnginesPage() {
  const { engines: mirror } = useMirror();
  const engines = useEngines((state) => state.engines);
  const refusal = useEngines((state) => (state.refusedFor === null ? state.refusal : null));
  const isConnected = useMirrored((state) => state.connection.kind === 'connected');
  useEffect(() => {
    if (isConnected) void mirror.load();
  }, [mirror, isConnected]);
  return (
    <div className={styles.page}>
      <p className={styles.text}>
        What these have stands in the list of models, with the same chat. Their files and servers stay theirs.
      </p>
      {refusal !== null && <Refusal refusal={refusal} onDismiss={() => mirror.dismissRefusal()} />}
      {engines === null && refusal === null && <p className={styles.text}>Looking…</p>}
      {engines?.map((engine) => (
        <Engine key={engine.kind} engine={engine} />
      ))}
    </div>
  );
}

interface Props {
  readonly engine: OutsideEngineStatus;
}

function Engine({ engine }: Props) {
  const { engines: mirror } = useMirror();
  const isLooking = useEngines((state) => state.looking === engine.kind);
  const refusal = useEngines((state) => (state.refusedFor === engine.kind ? state.refusal : null));
  const id = useId();
  return (
    <section className={styles.engine} aria-labelledby={id}>
      <div className={styles.head}>
        <h3 id={id}>{engine.name}</h3>
        <Switch
          isOn={engine.isOn}
          labelledBy={id}
          onChange={(isOn) => void mirror.update({ kind: engine.kind, isOn })}
        />
      </div>
      <Found engine={engine} isLooking={isLooking} />
      {engine.isOn && (
        <details className={styles.place}>
          <summary>Where it is</summary>
          {/* What was saved is what stands there. */}
          <Place
            key={JSON.stringify([engine.program, engine.address, engine.modelsFolder, engine.hasToken])}
            engine={engine}
          />
        </details>
      )}
      {refusal !== null && <Refusal refusal={refusal} onDismiss={() => mirror.dismissRefusal()} />}
    </section>
  );
}

function Found({ engine, isLooking }: Props & { readonly isLooking: boolean }) {
  const { line, more } = lookWords(engine.look);
  const reach = reachWords(engine.look);
  return (
    <div className={styles.found} role="status" aria-busy={isLooking}>
      {isLooking ? (
        <p>Looking…</p>
      ) : (
        <>
          <p className={engine.look.kind === 'off' ? styles.text : undefined}>
            {engine.look.kind === 'found' && <Check size={13} strokeWidth={2.25} aria-hidden />}
            {line}
          </p>
          {more !== null && <p className={styles.more}>{more}</p>}
          {reach !== null && <p className={styles.more}>{reach}</p>}
        </>
      )}
    </div>
  );
}

/** A field that is empty means the usual place. */
const orNull = (text: string): string | null => (text.trim() === '' ? null : text.trim());

function Place({ engine }: Props) {
  const { engines: mirror } = useMirror();
  const isLooking = useEngines((state) => state.looking === engine.kind);
  const [program, setProgram] = useState(engine.program ?? '');
  const [folder, setFolder] = useState(engine.modelsFolder ?? '');
  const [address, setAddress] = useState(engine.address ?? '');
  const [token, setToken] = useState('');

  const isLlama = engine.kind === 'llama.cpp';
  const isAddressNew = orNull(address) !== engine.address;
  const warning = addressWarning(address, engine.usualPort);
  const change: Omit<RouteInput<'engines.update'>, 'kind'> = {
    ...(orNull(program) === engine.program ? {} : { program: orNull(program) }),
    ...(orNull(folder) === engine.modelsFolder ? {} : { modelsFolder: orNull(folder) }),
    ...(isAddressNew ? { address: orNull(address) } : {}),
    ...(token.trim() === '' ? {} : { token: token.trim() }),
    ...(isAddressNew && warning !== null ? { evenIfElsewhere: true } : {}),
  };
  const isChanged = Object.keys(change).length > 0;
  const save = (event: FormEvent): void => {
    event.preventDefault();
    if (isLooking) return;
    void mirror.update({ kind: engine.kind, ...change }).then((wasTaken) => {
      if (wasTaken) setToken('');
    });
  };
  const environment = environmentWords(engine);
  return (
    <form className={styles.form} onSubmit={save}>
      {environment !== null && <p className={styles.hint}>{environment}</p>}
      {isLlama && (
        <>
          <PathField
            what="file"
            label="Program"
            placeholder="llama-server"
            value={program}
            startAt="/opt/homebrew/bin"
            hint="Empty: where Homebrew and others put llama-server."
            onPath={setProgram}
          />
          <PathField
            what="folder"
            label="Folder with GGUF files"
            placeholder="The usual folders only"
            value={folder}
            hint="Beside llama.cpp’s own downloads, LM Studio’s, and the Hugging Face cache."
            onPath={setFolder}
          />
        </>
      )}
      <TextField
        label={isLlama ? 'Or a server that runs already' : 'Address'}
        placeholder={`127.0.0.1:${engine.usualPort}`}
        value={address}
        hint={isLlama ? 'Its address. Nothing is started here then.' : 'Empty: on this computer, at its usual port.'}
        onChange={({ target }) => setAddress(target.value)}
      />
      {warning !== null && (
        <p className={styles.warning} role="alert">
          <TriangleAlert size={14} strokeWidth={2} aria-hidden />
          {warning}
        </p>
      )}
      {engine.kind !== 'ollama' && (
        <TextField
          label="Token"
          type="password"
          value={token}
          hint={
            engine.hasToken
              ? 'One is kept here. A new one takes its place.'
              : 'Only where its server asks for one. It is kept on this computer and never shown again.'
          }
          onChange={({ target }) => setToken(target.value)}
        />
      )}
      <div className={styles.actions}>
        <Button type="submit" isPrimary={isChanged} aria-busy={isLooking}>
          {!isChanged ? 'Try it' : warning !== null && isAddressNew ? 'Save, and send chats there' : 'Save and try it'}
        </Button>
        {engine.hasToken && (
          <Button onClick={() => void mirror.update({ kind: engine.kind, token: null })}>Forget the token</Button>
        )}
      </div>
    </form>
  );
}
