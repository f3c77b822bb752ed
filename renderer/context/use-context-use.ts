import { useEffect, useState } from 'react';
import type { ContextUse, Draft } from '../../preload/contract.ts';
import { liveAnswer } from '../mirror/mirror.ts';
import { useMirror, useMirrored } from '../mirror/react.ts';

/** The engine is asked when the typing has rested for so long. */
const REST_MS = 400;

/**
 * How full the context is with what is being written, counted by the engine: asked whenever the typing rests, an answer
 * ends, another branch is opened or the ceiling moves. Null until the first answer.
 */
export function useContextUse(draft: Draft): ContextUse | null {
  const mirror = useMirror();
  const conversationId = useMirrored(({ pane }) => (pane.kind === 'new' ? null : pane.conversationId));
  const lastId = useMirrored(({ pane }) => (pane.kind === 'open' ? pane.messages.at(-1)?.id : undefined));
  const cut = useMirrored(({ pane }) => (pane.kind === 'open' ? pane.about.cut : null));
  const settings = useMirrored(({ pane }) => (pane.kind === 'open' ? pane.about.settings : null));
  const isLive = useMirrored(({ pane }) => liveAnswer(pane) !== null);
  const isOpening = useMirrored(({ pane }) => pane.kind === 'opening');
  const ceiling = useMirrored(({ app }) => app?.settings.contextTokens);
  const canCount = useMirrored(({ app }) => app?.engine.kind === 'ready' || app?.engine.kind === 'busy');
  const [use, setUse] = useState<{ readonly of: string | null; readonly use: ContextUse } | null>(null);

  useEffect(() => {
    // While an answer grows the engine has other things to do than to count for the meter.
    if (isLive || isOpening) return;
    let isWanted = true;
    const timer = setTimeout(() => {
      const { pane } = mirror.store.getState();
      void mirror.chat
        .count({
          conversationId,
          text: draft.text,
          attachmentIds: draft.attachments.map(({ id }) => id),
          effort: mirror.effort(),
          ...(pane.kind === 'new' ? { settings: pane.settings } : {}),
        })
        .then((counted) => {
          if (isWanted && counted !== null) setUse({ of: conversationId, use: counted });
        });
    }, REST_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [mirror, draft, conversationId, lastId, cut, settings, isLive, isOpening, ceiling, canCount]);
  return use?.of === conversationId ? use.use : null;
}
