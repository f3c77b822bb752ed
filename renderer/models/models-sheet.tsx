import { ChevronLeft } from 'lucide-react';
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { EndpointPage } from '../endpoint/endpoint-page.tsx';
import { EnginesPage } from '../engines/engines-page.tsx';
import { useMirror, useMirrored, useModels } from '../mirror/react.ts';
import { IconButton } from '../ui/icon-button.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { AddModel } from './add-model.tsx';
import { HubSettingsForm } from './hub-settings-form.tsx';
import { ModelDetail } from './model-detail.tsx';
import { ModelList, type ModelsPage } from './model-list.tsx';
import styles from './models-sheet.module.css';

const TITLES = {
  add: 'Add a model',
  downloads: 'Downloads',
  engines: 'Other engines',
  endpoint: 'For other programs',
} as const;

/** Which models there are, what each would take here, and how other programs reach the one that runs. */
export function ModelsSheet({ onClose }: { readonly onClose: () => void }) {
  const { models } = useMirror();
  const isConnected = useMirrored((state) => state.connection.kind === 'connected');
  const entry = useModels(({ entries, lookingAt }) => entries?.find(({ id }) => id === lookingAt) ?? null);
  const [page, setPage] = useState<ModelsPage>('list');
  const list = useRef<HTMLDivElement>(null);
  const cameFrom = useRef<string | null>(null);
  useEffect(() => {
    if (isConnected) void models.loadEntries();
  }, [models, isConnected]);
  useEffect(() => () => models.lookAt(null), [models]);

  const wantedPage = useModels((state) => state.wantedPage);
  useLayoutEffect(() => {
    if (wantedPage === null) return;
    models.wantPage(null);
    models.lookAt(null);
    setPage(wantedPage);
  }, [models, wantedPage]);

  const isList = page === 'list' && entry === null;
  const back = (): void => {
    cameFrom.current = entry?.id ?? page;
    models.lookAt(null);
    setPage('list');
  };
  // The row that led away has the focus again.
  useLayoutEffect(() => {
    if (!isList || cameFrom.current === null) return;
    const rows = list.current?.querySelectorAll<HTMLElement>('[data-leads-to]') ?? [];
    [...rows].find((row) => row.dataset['leadsTo'] === cameFrom.current)?.focus();
    cameFrom.current = null;
  }, [isList]);
  return (
    <Sheet label="Models" width="full" onClose={onClose} onBack={isList ? null : back}>
      <div className={styles.sheet}>
        {isList && (
          <div ref={list} className={styles.body}>
            <ModelList onPage={setPage} onClose={onClose} />
          </div>
        )}
        {entry !== null && (
          <Page key={entry.id} title={entry.name} onBack={back}>
            <ModelDetail entry={entry} onBack={back} onClose={onClose} />
          </Page>
        )}
        {entry === null && page !== 'list' && (
          <Page key={page} title={TITLES[page]} onBack={back}>
            <div className={styles.page}>
              {page === 'add' && <AddModel />}
              {page === 'downloads' && <HubSettingsForm onDone={back} />}
              {page === 'engines' && <EnginesPage />}
              {page === 'endpoint' && <EndpointPage />}
            </div>
          </Page>
        )}
      </div>
    </Sheet>
  );
}

interface PageProps {
  readonly title: string;
  readonly onBack: () => void;
  readonly children: ReactNode;
}

function Page({ title, onBack, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => heading.current?.focus(), []);
  return (
    <>
      <div className={styles.bar}>
        <IconButton icon={ChevronLeft} label="Back" onClick={onBack} />
        <h2 ref={heading} className={styles.title} tabIndex={-1}>
          {title}
        </h2>
      </div>
      {children}
    </>
  );
}
