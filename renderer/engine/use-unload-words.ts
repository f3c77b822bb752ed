import { useEffect, useState } from 'react';
import { useEndpoint, useMirror, useMirrored, useNow } from '../mirror/react.ts';
import { seconds } from '../ui/numbers.ts';

/** So long before it happens it is said where everybody sees it. */
const SOON_MS = 60_000;

/** How soon an idle model is unloaded, in its last minute; null before, and when it is not. Nothing ticks until then. */
export function useUnloadWords(): string | null {
  const { endpoint } = useMirror();
  const isReady = useMirrored(({ app }) => app?.engine.kind === 'ready');
  const isKnown = useEndpoint(({ status }) => status !== null);
  const unloadsAtMs = useEndpoint(({ status }) => status?.unloadsAtMs ?? null);
  const [isSoon, setIsSoon] = useState(false);
  useEffect(() => {
    if (isReady && !isKnown) void endpoint.load();
  }, [endpoint, isReady, isKnown]);
  useEffect(() => {
    setIsSoon(false);
    if (unloadsAtMs === null) return;
    const timer = setTimeout(() => setIsSoon(true), Math.max(0, unloadsAtMs - SOON_MS - Date.now()));
    return () => clearTimeout(timer);
  }, [unloadsAtMs]);
  const nowMs = useNow(isSoon);
  return isReady && isSoon && unloadsAtMs !== null ? `Unloads in ${seconds(Math.max(0, unloadsAtMs - nowMs))}` : null;
}
