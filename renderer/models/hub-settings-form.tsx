import { type FormEvent, useEffect, useState } from 'react';
import type { HubSettings, RouteInput } from '../../preload/contract.ts';
import { useMirror, useModels } from '../mirror/react.ts';
import { Button } from '../ui/button.tsx';
import { PathField } from '../ui/path-field.tsx';
import { TextField } from '../ui/text-field.tsx';
import styles from './form.module.css';
import { ModelsRefusal } from './refusal.tsx';

/** How the hub is reached and where models are kept: an app started from the Finder has no shell environment. */
export function HubSettingsForm({ onDone }: { readonly onDone: () => void }) {
  const { models } = useMirror();
  const hub = useModels((state) => state.hub);
  useEffect(() => void models.loadHub(), [models]);
  if (hub === null)
    return (
      <>
        <ModelsRefusal />
        <p className={styles.text}>Looking…</p>
      </>
    );
  return <Form hub={hub} onDone={onDone} />;
}

const TOKEN_WORDS: Readonly<Record<HubSettings['token'], string>> = {
  none: 'Only private and gated models need one. It is kept on this computer and never shown again.',
  'set-here': 'One is kept here. A new one takes its place.',
  environment: 'The one in HF_TOKEN is used. One written here comes before it.',
  'hub-login': 'The login of the hub’s own tool is used. One written here comes before it.',
};

function Form({ hub, onDone }: { readonly hub: HubSettings; readonly onDone: () => void }) {
  const { models } = useMirror();
  const [folder, setFolder] = useState(hub.cacheFolder ?? '');
  const [proxy, setProxy] = useState(hub.proxyUrl ?? '');
  const [token, setToken] = useState('');

  const change: RouteInput<'hub.update'> = {
    ...(folder.trim() === (hub.cacheFolder ?? '') ? {} : { cacheFolder: folder.trim() || null }),
    ...(proxy.trim() === (hub.proxyUrl ?? '') ? {} : { proxyUrl: proxy.trim() || null }),
    ...(token.trim() === '' ? {} : { token: token.trim() }),
  };
  const isChanged = Object.keys(change).length > 0;
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (isChanged && (await models.updateHub(change))) onDone();
  };
  return (
    <form className={styles.form} onSubmit={(event) => void save(event)}>
      <PathField
        what="folder"
        label="Folder for models"
        placeholder={hub.cacheFolderInUse}
        startAt={hub.cacheFolderInUse}
        value={folder}
        hint={
          hub.cacheFolder === null
            ? 'Empty: the Hugging Face cache, which other tools use too. What they have downloaded is not fetched twice.'
            : 'Empty it to use the Hugging Face cache again.'
        }
        onPath={setFolder}
      />
      <TextField
        label="Proxy"
        placeholder="https://proxy.example:8080"
        value={proxy}
        hint="Empty: the system’s proxy settings."
        onChange={(event) => setProxy(event.target.value)}
      />
      <TextField
        label="Token of the hub"
        type="password"
        placeholder="hf_…"
        value={token}
        hint={TOKEN_WORDS[hub.token]}
        onChange={(event) => setToken(event.target.value)}
      />
      <ModelsRefusal />
      <div className={styles.actions}>
        <Button type="submit" isPrimary disabled={!isChanged}>
          Save
        </Button>
        {hub.token === 'set-here' && (
          <Button onClick={() => void models.updateHub({ token: null })}>Forget the token</Button>
        )}
      </div>
    </form>
  );
}
