import { X } from 'lucide-react';
import { type FormEvent, useEffect, useId, useState } from 'react';
import type { EndpointStatus } from '../../preload/contract.ts';
import { useEndpoint, useMirror, useMirrored, useNow } from '../mirror/react.ts';
import { Button } from '../ui/button.tsx';
import { CopyButton } from '../ui/copy-button.tsx';
import { IconButton } from '../ui/icon-button.tsx';
import { Switch } from '../ui/switch.tsx';
import { TextField } from '../ui/text-field.tsx';
import styles from './endpoint-page.module.css';
import { countdownWords, lastUsedWords, stageWords, UNLOAD_CHOICES, unloadWords } from './endpoint-words.ts';
import { type Connection, PROGRAMS, type Program } from './programs.ts';

/** How other programs reach the model: address, keys, who asks now, and how long the model stays for them. */
export function EndpointPage() {
  const { endpoint } = useMirror();
  const status = useEndpoint((state) => state.status);
  const refusal = useEndpoint((state) => state.refusal);
  const isConnected = useMirrored((state) => state.connection.kind === 'connected');
  useEffect(() => {
    if (isConnected) void endpoint.load();
  }, [endpoint, isConnected]);
  return (
    <div className={styles.page}>
      {refusal !== null && (
        <p role="alert">
          {refusal.message} {refusal.nextStep}
        </p>
      )}
      {status !== null && (
        <>
          <Address status={status} />
          {status.requests.length > 0 && <Requests status={status} />}
          <SetUp />
          {status.clients.length > 0 && <Keys status={status} />}
          <Staying status={status} />
          <Doors status={status} />
        </>
      )}
    </div>
  );
}

interface Props {
  readonly status: EndpointStatus;
}

function Address({ status }: Props) {
  const { endpoint } = useMirror();
  const [key, setKey] = useState<string | null>(null);
  useEffect(() => {
    let isHere = true;
    void endpoint.reveal().then((revealed) => {
      if (isHere) setKey(revealed?.key ?? null);
    });
    return () => {
      isHere = false;
    };
  }, [endpoint]);
  const { url } = status;
  if (url === null) return null;
  return (
    <section className={styles.section}>
      <p className={styles.text}>
        Anything that speaks to OpenAI or Anthropic can use this model. The address answers on this computer only.
      </p>
      <div role="group" aria-label="Address and key">
        <div className={styles.field}>
          <span className={styles.label}>Address</span>
          <code title={url}>{url}</code>
          <CopyButton label="Copy the address" text={() => url} />
        </div>
        <div className={styles.field}>
          <span className={styles.label}>Key</span>
          <code aria-hidden>{key === null ? '' : `••••••••${key.slice(-4)}`}</code>
          <CopyButton label="Copy the key" text={() => Promise.resolve(key)} />
        </div>
      </div>
      {status.portTaken !== null && <p className={styles.hint}>{status.portTaken}</p>}
    </section>
  );
}

interface Made {
  readonly program: Program | null;
  readonly name: string;
  readonly connection: Connection;
}

function SetUp() {
  const { endpoint } = useMirror();
  const model = useMirrored((state) => state.app?.model ?? null);
  const contextTokens = useMirrored((state) => state.app?.settings.contextTokens ?? 0);
  const [made, setMade] = useState<Made | null>(null);
  const [name, setName] = useState('');
  const make = async (program: Program | null, clientName: string): Promise<void> => {
    const added = await endpoint.addClient(clientName);
    if (added === null) return;
    const apiModel = model === null ? 'default' : model.id.startsWith('/') ? model.name : model.id;
    setMade({ program, name: clientName, connection: { ...added, model: apiModel, contextTokens } });
    setName('');
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (name.trim() !== '') void make(null, name.trim());
  };
  const title = useId();
  const text = made === null ? '' : (made.program?.text(made.connection) ?? made.connection.key);
  return (
    <section className={styles.section} aria-labelledby={title}>
      <h3 id={title}>Set up a program</h3>
      <p className={styles.hint}>Each gets a key of its own, which can be revoked without the others noticing.</p>
      <div className={styles.programs}>
        {PROGRAMS.map((program) => (
          <Button
            key={program.name}
            aria-pressed={made?.program === program}
            onClick={() => void make(program, program.name)}
          >
            {program.name}
          </Button>
        ))}
      </div>
      <form className={styles.another} onSubmit={submit}>
        <TextField
          label="Another program"
          placeholder="Its name"
          maxLength={60}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Button type="submit" disabled={name.trim() === ''}>
          Make a key
        </Button>
      </form>
      {made !== null && (
        <div className={styles.made} role="status">
          <div className={styles.madeHead}>
            <p>{made.program?.where ?? `For ${made.name}.`} The key is shown only now.</p>
            <CopyButton label="Copy the settings" text={() => text} />
            <IconButton isSmall icon={X} label="Hide the settings" onClick={() => setMade(null)} />
          </div>
          <pre tabIndex={0} aria-label={`Settings for ${made.name}`}>
            {text}
          </pre>
        </div>
      )}
    </section>
  );
}

function Keys({ status }: Props) {
  const { endpoint } = useMirror();
  const nowMs = useNow(true);
  const title = useId();
  return (
    <section className={styles.section} aria-labelledby={title}>
      <h3 id={title}>Programs with a key</h3>
      <ul>
        {status.clients.map((client) => (
          <li key={client.id} className={styles.row}>
            <span className={styles.main}>
              <span className={styles.name}>{client.name}</span>
              <span className={styles.hint}>
                …{client.keyEnd}, {lastUsedWords(client, nowMs)}
              </span>
            </span>
            <Button
              aria-label={`Revoke the key of ${client.name}, ending in ${client.keyEnd}`}
              onClick={() => void endpoint.revokeClient(client.id)}
            >
              Revoke
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Requests({ status }: Props) {
  const { endpoint } = useMirror();
  const title = useId();
  return (
    <section className={styles.section} aria-labelledby={title}>
      <h3 id={title}>Asking now</h3>
      <ol>
        {status.requests.map((request) => (
          <li key={request.id} className={styles.row}>
            <span className={styles.main}>
              <span className={styles.name}>{request.client}</span>
              <span className={styles.hint}>{stageWords(request)}</span>
            </span>
            <IconButton
              isSmall
              icon={X}
              label={`End the request of ${request.client}`}
              onClick={() => void endpoint.endRequest(request.id)}
            />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Staying({ status }: Props) {
  const { endpoint } = useMirror();
  const model = useMirrored((state) => state.app?.model ?? null);
  const nowMs = useNow(status.unloadsAtMs !== null);
  const [pinId, unloadId] = [useId(), useId()];
  const countdown = countdownWords(status.unloadsAtMs, nowMs);
  const choices = [...new Set([...UNLOAD_CHOICES, status.unloadAfterMinutes])].toSorted((a, b) => a - b);
  return (
    <section className={styles.section}>
      {model !== null && (
        <div className={styles.row}>
          <span className={styles.main}>
            <span id={pinId}>Keep {model.name} loaded</span>
            <span className={styles.hint}>
              Stays when idle, also for apps that want memory, until it is critical. No program puts another in its
              place.
            </span>
          </span>
          <Switch
            isOn={status.isPinned}
            labelledBy={pinId}
            onChange={(isPinned) => void endpoint.configure({ isPinned })}
          />
        </div>
      )}
      <div className={styles.row}>
        <span className={styles.main}>
          <label htmlFor={unloadId}>Unload when nobody asks</label>
          <span className={styles.hint}>{countdown ?? 'It comes back by itself with the next request.'}</span>
        </span>
        <select
          id={unloadId}
          value={status.unloadAfterMinutes}
          disabled={status.isPinned}
          onChange={(event) => void endpoint.configure({ unloadAfterMinutes: Number(event.target.value) })}
        >
          {choices.map((minutes) => (
            <option key={minutes} value={minutes}>
              {unloadWords(minutes)}
            </option>
          ))}
        </select>
      </div>
    </section>
  );
}

/** What few people need: folded away. */
function Doors({ status }: Props) {
  const { endpoint } = useMirror();
  const [port, setPort] = useState(String(status.wantedPort));
  const [origins, setOrigins] = useState(status.origins.join(' '));
  const wanted = Number(port);
  const isPort = Number.isSafeInteger(wanted) && wanted >= 1_024 && wanted <= 65_535;
  const pages = origins.split(/[\s,]+/).filter((text) => text !== '');
  const save = (event: FormEvent): void => {
    event.preventDefault();
    if (!isPort) return;
    void endpoint.configure({
      ...(wanted === status.wantedPort ? {} : { port: wanted }),
      origins: pages,
    });
  };
  return (
    <details className={styles.doors}>
      <summary>Port and web pages</summary>
      <form className={styles.section} onSubmit={save}>
        <TextField
          label="Port"
          inputMode="numeric"
          value={port}
          hint={isPort ? 'Another one ends what is being asked now.' : 'A number from 1024 to 65535.'}
          onChange={(event) => setPort(event.target.value)}
        />
        <TextField
          label="Web pages that may ask"
          placeholder="https://app.example"
          value={origins}
          hint="None, unless you write their address here. They need a key too."
          onChange={(event) => setOrigins(event.target.value)}
        />
        <div>
          <Button type="submit" disabled={!isPort}>
            Save
          </Button>
        </div>
      </form>
    </details>
  );
}
