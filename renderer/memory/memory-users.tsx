import { useEffect, useState } from 'react';
import type { MemorySource, MemoryUser } from '../../preload/contract.ts';
import { useMemory, useMirror } from '../mirror/react.ts';
import { Button } from '../ui/button.tsx';
import { useSay } from '../ui/live-region.tsx';
import { memory } from '../ui/numbers.ts';
import { Progress } from '../ui/progress.tsx';
import styles from './memory-users.module.css';
import { SOURCES } from './pressure-words.ts';
import { Sourced } from './sourced.tsx';

/** The rest is small; a long list would bury what helps. */
const MOST_SHOWN = 6;

/** Being asked to quit, by the row it happens in. */
type Quitting =
  | { readonly kind: 'none' }
  | { readonly kind: 'sure'; readonly pid: number }
  | { readonly kind: 'waiting'; readonly pid: number }
  | { readonly kind: 'told'; readonly message: string };

/** The biggest users of memory. An app can be asked to quit, after asking the person. */
export function MemoryUsers({ source }: { readonly source: MemorySource }) {
  const mirror = useMirror();
  const users = useMemory((state) => state.users);
  const isOn = useMemory(({ samples }) => samples.at(-1)?.engineActiveBytes != null);
  const [quitting, setQuitting] = useState<Quitting>({ kind: 'none' });
  const say = useSay();
  useEffect(() => void mirror.memory.loadUsers(), [mirror]);

  const quit = async (user: MemoryUser): Promise<void> => {
    setQuitting({ kind: 'waiting', pid: user.pid });
    const message = await mirror.memory.quit(user);
    setQuitting({ kind: 'told', message });
    say(message);
  };

  const shown = users.kind === 'known' ? users.users.slice(0, MOST_SHOWN) : [];
  const most = Math.max(1, ...shown.map(({ bytes }) => bytes));
  return (
    <section className={styles.section} aria-labelledby="users-title">
      <h3 className={styles.title} id="users-title">
        Who uses it
      </h3>
      {users.kind === 'unknown' && <p className={styles.quiet}>Looking…</p>}
      {users.kind === 'failed' && <p className={styles.quiet}>{users.message}</p>}
      {users.kind === 'known' && shown.length === 0 && <p className={styles.quiet}>The system does not say.</p>}
      <ul>
        {shown.map((user) => {
          const isHere = (quitting.kind === 'sure' || quitting.kind === 'waiting') && quitting.pid === user.pid;
          return (
            <li key={user.pid} className={styles.user}>
              <span className={styles.name} title={user.name}>
                {user.name}
                {user.isOurs && isOn && <span className={styles.ours}> with its model</span>}
              </span>
              <span className={styles.track} aria-hidden>
                <span className={styles.share} style={{ width: `${(user.bytes / most) * 100}%` }} />
              </span>
              <span className={styles.size}>
                <Sourced source={SOURCES[source].users}>{memory(user.bytes)}</Sourced>
              </span>
              <span className={styles.action}>
                {user.canQuit && !isHere && (
                  <button
                    type="button"
                    className={styles.quit}
                    aria-label={`Quit ${user.name}…`}
                    disabled={quitting.kind === 'waiting'}
                    onClick={() => setQuitting({ kind: 'sure', pid: user.pid })}
                  >
                    Quit…
                  </button>
                )}
              </span>
              {isHere && quitting.kind === 'sure' && (
                <div className={styles.sure} role="group" aria-label={`Quit ${user.name}`}>
                  <p>Ask {user.name} to quit? It may ask you about unsaved work.</p>
                  <span className={styles.buttons}>
                    <Button onClick={() => setQuitting({ kind: 'none' })}>Cancel</Button>
                    <Button ref={focusOnce} isPrimary onClick={() => void quit(user)}>
                      Quit
                    </Button>
                  </span>
                </div>
              )}
              {isHere && quitting.kind === 'waiting' && (
                <div className={styles.sure}>
                  <p>Waiting for {user.name}…</p>
                  <Progress label={`Waiting for ${user.name}`} progress="indeterminate" />
                </div>
              )}
            </li>
          );
        })}
      </ul>
      {quitting.kind === 'told' && <p className={styles.told}>{quitting.message}</p>}
    </section>
  );
}

/** The question has taken its button's place: the focus goes to the answer. */
const focusOnce = (button: HTMLButtonElement | null): void => button?.focus();
