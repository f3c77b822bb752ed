import { type FormEvent, useState } from 'react';
import type { RouteInput } from '../../preload/contract.ts';
import { useMirror } from '../mirror/react.ts';
import { Button } from '../ui/button.tsx';
import { useChoosePath } from '../ui/path-field.tsx';
import { TextField } from '../ui/text-field.tsx';
import { addedBy } from './added-by.ts';
import styles from './form.module.css';
import { ModelsRefusal } from './refusal.tsx';

/** Any other MLX model: by its repository's name or address, or by a folder on this computer. */
export function AddModel() {
  const { models } = useMirror();
  const [text, setText] = useState('');
  const [isAsking, setIsAsking] = useState(false);
  const by = addedBy(text);

  const choosePath = useChoosePath('folder');
  const add = async (named: RouteInput<'models.add'> | null): Promise<void> => {
    if (named === null || isAsking) return;
    setIsAsking(true);
    const entry = await models.add(named);
    setIsAsking(false);
    if (entry !== null) models.lookAt(entry.id);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void add(by);
  };
  const chooseFolder = async (choose: NonNullable<typeof choosePath>): Promise<void> => {
    const folder = await choose(null);
    if (folder === null) return;
    setText(folder);
    await add({ by: 'folder', folder });
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <p className={styles.text}>
        Headroom runs models in MLX’s format. Name one of the Hugging Face hub, or a folder that holds one.
      </p>
      <TextField
        label="Repository or folder"
        placeholder="mlx-community/Qwen3-4B-4bit"
        value={text}
        // Not disabled: the focus would be lost, and Escape with it.
        readOnly={isAsking}
        hint={hintOf(text)}
        onChange={(event) => setText(event.target.value)}
      />
      <ModelsRefusal />
      <div className={styles.actions}>
        <Button type="submit" isPrimary disabled={by === null || isAsking}>
          {isAsking ? 'Looking…' : 'Add'}
        </Button>
        {choosePath !== null && (
          <Button aria-haspopup="dialog" onClick={() => void chooseFolder(choosePath)}>
            Choose a folder…
          </Button>
        )}
      </div>
    </form>
  );
}

function hintOf(text: string): string {
  if (text.trim() === '') return 'owner/name, its address, or a path that begins with /';
  const by = addedBy(text);
  if (by === null) return 'A repository is named owner/name; a folder’s path begins with /.';
  return by.by === 'folder'
    ? 'A folder on this computer. It is used where it is and never changed.'
    : 'Headroom asks the hub what it is and whether it fits. Nothing is downloaded yet.';
}
