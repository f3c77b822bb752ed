import { useEffect, useId, useRef, useState } from 'react';
import type { ContextPlan } from '../../preload/contract.ts';
import { useMirror, useModels } from '../mirror/react.ts';
import { FitWays } from '../models/fit-ways.tsx';
import { contextLength, waysOf } from '../models/model-words.ts';
import { Button } from '../ui/button.tsx';
import { isSheetOpen } from '../ui/sheet.tsx';
import styles from './context-panel.module.css';
import { accessOf, chosenIndex, costWords, openStops, stopSpoken, waitWords } from './context-words.ts';

/** The thumb's width: its middle travels this much less than the track is long. */
const THUMB_PX = 18;

/** What is left for the Mac changes with what else runs. */
const LOOK_AGAIN_MS = 5_000;

/** The slider that says what a longer context costs. Positions that would fail can be looked at and not be taken. */
export function ContextPanel({ onClose }: { readonly onClose: () => void }) {
  const mirror = useMirror();
  const plan = useModels((state) => state.plan);
  useEffect(() => {
    void mirror.models.loadPlan();
    const timer = setInterval(() => void mirror.models.loadPlan(), LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [mirror]);
  const close = useRef(onClose);
  close.current = onClose;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape' || event.isComposing || isSheetOpen()) return;
      // Before the window's own Escape: first this goes, then the window.
      event.preventDefault();
      close.current();
      mirror.requestFocus();
    };
    addEventListener('keydown', onKeyDown, { capture: true });
    return () => removeEventListener('keydown', onKeyDown, { capture: true });
  }, [mirror]);
  return plan === null || plan.stops.length === 0 ? null : <Slider key={plan.modelId} plan={plan} />;
}

function Slider({ plan }: { readonly plan: ContextPlan }) {
  const { models } = useMirror();
  const titleId = useId();
  const range = useRef<HTMLInputElement>(null);
  /** Where the thumb is held, which may be where it cannot stay. */
  const [held, setHeld] = useState<number | null>(null);
  const { stops } = plan;
  const chosen = chosenIndex(plan);
  const index = Math.min(held ?? chosen, stops.length - 1);
  const stop = stops[index];
  const open = openStops(stops);
  useEffect(() => range.current?.focus(), []);
  // Main has taken it, or something else has changed it: the thumb follows.
  useEffect(() => setHeld(null), [plan.chosenTokens]);
  if (stop === undefined) return null;
  const access = accessOf(stop);
  const last = Math.max(1, stops.length - 1);

  /** The button goes with what it did: the focus is where it came from. */
  const stay = (): void => {
    setHeld(null);
    range.current?.focus();
  };
  const move = (to: number): void => {
    const target = stops[to];
    if (target === undefined) return;
    setHeld(to);
    if (accessOf(target) === 'free' && to !== chosen) void models.setContext(target.tokens);
  };
  return (
    <section className={styles.panel} aria-labelledby={titleId} data-testid="context-panel" data-access={access}>
      <div className={styles.head}>
        <h2 id={titleId}>Context</h2>
        <output className={styles.length}>{contextLength(stop.tokens)}</output>
      </div>
      <div className={styles.rail}>
        <div className={styles.track} aria-hidden>
          <span
            className={styles.filled}
            style={{ width: `calc(${index / last} * (100% - ${THUMB_PX}px) + ${THUMB_PX / 2}px)` }}
          />
          {open < stops.length && (
            <span
              className={styles.closed}
              style={{ width: `calc(${(last - open + 0.5) / last} * (100% - ${THUMB_PX}px) + ${THUMB_PX / 2}px)` }}
            />
          )}
        </div>
        <input
          ref={range}
          type="range"
          className={styles.range}
          aria-label="Context"
          aria-valuetext={stopSpoken(stop)}
          min={0}
          max={stops.length - 1}
          step={1}
          value={index}
          onChange={(event) => move(Number(event.target.value))}
        />
      </div>
      <p className={styles.cost}>{costWords(stop)}</p>
      <p className={styles.wait}>{waitWords(stop)}</p>
      {access !== 'free' && (
        <div className={styles.why} role="status">
          <p>{stop.verdict.message}</p>
          <FitWays ways={waysOf(stop.verdict)} isChosen onDone={stay} />
          {index !== chosen && (
            <div className={styles.actions}>
              {access === 'asks' && (
                <Button
                  isPrimary
                  onClick={() => {
                    range.current?.focus();
                    void models.setContext(stop.tokens);
                  }}
                >
                  Use {contextLength(stop.tokens)}
                </Button>
              )}
              <Button onClick={stay}>Stay at {contextLength(plan.chosenTokens)}</Button>
            </div>
          )}
        </div>
      )}
    </section>
  );
}
