import { X } from 'lucide-react';
import { useMirror, useModels } from '../mirror/react.ts';
import { IconButton } from '../ui/icon-button.tsx';
import styles from './refusal.module.css';

/** What main refused to do with a model, where it was asked. */
export function ModelsRefusal() {
  const { models } = useMirror();
  const refusal = useModels((state) => state.refusal);
  if (refusal === null) return null;
  return (
    <div className={styles.refusal} role="alert">
      <div>
        <p>{refusal.message}</p>
        <p>{refusal.nextStep}</p>
      </div>
      <IconButton isSmall icon={X} label="Dismiss" onClick={() => models.dismissRefusal()} />
    </div>
  );
}
