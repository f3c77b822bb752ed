import { createContext, type ReactNode, useCallback, useContext, useState } from 'react';
import { useMirrored } from '../mirror/react.ts';
import { Hidden } from './hidden.tsx';

const SayContext = createContext<(words: string) => void>(() => undefined);

/** Says something to screen readers, politely. */
export const useSay = (): ((words: string) => void) => useContext(SayContext);

/**
 * One polite region for the whole window. The conversation itself is silent while it grows; a finished answer is said
 * here, once.
 */
export function LiveRegion({ children }: { readonly children: ReactNode }) {
  const [said, setSaid] = useState({ words: '', turn: 0 });
  const answer = useMirrored((state) => state.announcement);
  const turn = useMirrored((state) => state.announcements);
  const say = useCallback((words: string) => setSaid(({ turn: before }) => ({ words, turn: before + 1 })), []);
  return (
    <SayContext value={say}>
      {children}
      <Hidden>
        <div aria-live="polite" data-testid="announcement">
          <p key={turn}>{answer}</p>
        </div>
        <div aria-live="polite">
          <p key={said.turn}>{said.words}</p>
        </div>
      </Hidden>
    </SayContext>
  );
}
