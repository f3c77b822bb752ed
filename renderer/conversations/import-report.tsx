import { useConversations, useMirror } from '../mirror/react.ts';
import { Button } from '../ui/button.tsx';
import { count } from '../ui/numbers.ts';
import { Progress } from '../ui/progress.tsx';
import styles from './import-report.module.css';
import { focusSearch } from './list-focus.ts';
import { broughtWords, knownWords } from './import-words.ts';

/** How an import goes and what it brought. */
export function ImportReport() {
  const { conversations } = useMirror();
  const importing = useConversations((state) => state.importing);
  const end = ({ currentTarget }: { readonly currentTarget: Element }): void => {
    focusSearch(currentTarget);
    conversations.endImport();
  };
  switch (importing.kind) {
    case 'none':
      return null;
    case 'running':
      return (
        <div className={styles.report} role="status">
          <p>Reading {importing.fileName}</p>
          <Progress
            label={`Reading ${importing.fileName}`}
            progress={{ done: Math.round(importing.doneShare * 100), total: 100 }}
          />
        </div>
      );
    case 'done':
      return (
        <div className={styles.report} role="status" data-testid="import-report">
          <p className={styles.title}>{broughtWords(importing.report)}</p>
          {importing.report.known > 0 && <p>{knownWords(importing.report)}</p>}
          {importing.report.skipped.map(({ reason, count: times }) => (
            <p key={reason}>
              Left out: {reason} ({count(times)})
            </p>
          ))}
          <Button onClick={end}>Done</Button>
        </div>
      );
    case 'refused':
      return (
        <div className={styles.report} role="alert" data-testid="import-report">
          <p className={styles.title}>{importing.error.message}</p>
          <p>{importing.error.nextStep} Nothing was changed.</p>
          <Button onClick={end}>OK</Button>
        </div>
      );
  }
}
