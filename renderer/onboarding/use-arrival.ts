import { useEffect, useRef } from 'react';
import type { ModelEntry } from '../../preload/contract.ts';
import { useMirror, useMirrored, useModels } from '../mirror/react.ts';
import { startModel } from '../models/start-model.ts';
import { arrivalStep } from './first-run-words.ts';

/**
 * What the user decided in the first run goes on without another click: the model whose download ends in their sight is
 * turned on. If it needs a permission, the consent's own sheet asks. Whoever looks around with the demo meanwhile is not
 * interrupted.
 */
export function useArrival(isFirstRunShown: boolean): void {
  const mirror = useMirror();
  const wanted = useRef<string | null>(null);
  const model = useMirrored((state) => state.app?.model ?? null);
  const entries = useModels((state) => state.entries);
  useEffect(() => {
    if (isFirstRunShown) wanted.current = entries?.find(isGetting)?.id ?? wanted.current;
    else if (model?.isToy === true) wanted.current = null;
    const step = arrivalStep(wanted.current, model, entries);
    if (step === 'none' || wanted.current === null) return;
    const arrived = wanted.current;
    wanted.current = null;
    if (step === 'start') void startModel(mirror, arrived);
    else {
      mirror.requestFocus();
      void mirror.turnOn();
    }
  }, [mirror, isFirstRunShown, model, entries]);
}

const isGetting = ({ isToy, presence }: ModelEntry): boolean => !isToy && presence.kind === 'getting';
