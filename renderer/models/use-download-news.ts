import { useEffect, useRef } from 'react';
import { useModels } from '../mirror/react.ts';
import { useSay } from '../ui/live-region.tsx';
import { downloadNews } from './download-words.ts';

/** Says once what became of a download: it may have taken an hour, and nobody watches a bar that long. */
export function useDownloadNews(): void {
  const say = useSay();
  const entries = useModels((state) => state.entries);
  const before = useRef(entries);
  useEffect(() => {
    const news = downloadNews(before.current, entries);
    before.current = entries;
    if (news !== null) say(news);
  }, [entries, say]);
}
