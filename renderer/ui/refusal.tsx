import { X } from 'lucide-react';
import type { AppError } from '../../preload/contract.ts';
import { IconButton } from './icon-button.tsx';
import styles from './refusal.module.css';

/** What main refused, with the next step, where it was asked. */
export function Refusal({ refusal, onDismiss }: { readonly refusal: AppError; readonly onDismiss: () => void }) {
  return (
    <div className={styles.refusal} role="alert">
      <div>
        <p>{refusal.message}</p>
        <p>{refusal.nextStep}</p>
      </div>
      <IconButton isSmall icon={X} label="Dismiss" onClick={onDismiss} />
    </div>
  );
}
