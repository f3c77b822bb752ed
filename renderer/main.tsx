import './theme.css';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';
import type { Bridge } from '../preload/contract.ts';
import { createWebSocketBridge } from '../preload/web-socket-bridge.ts';
import { App } from './app.tsx';
import { FaultBoundary } from './fault-boundary.tsx';
import { Mirror } from './mirror/mirror.ts';
import { MirrorContext } from './mirror/react.ts';
import { LiveRegion } from './ui/live-region.tsx';
import { applyTextZoom } from './ui/text-zoom.ts';

declare global {
  interface Window {
    /** Put there by the preload script in Electron; absent in the headless host's page. */
    readonly headroom?: Bridge;
  }
}

const bridge = window.headroom ?? createWebSocketBridge(location, sessionStorage);
const mirror = new Mirror({ bridge, keepsakes: localStorage });
const report = (message: string): void => mirror.reportFault(message);
addEventListener('error', (event) => report(`${event.message} at ${event.filename}:${event.lineno}`));
addEventListener('unhandledrejection', (event) =>
  report(event.reason instanceof Error ? (event.reason.stack ?? event.reason.message) : String(event.reason)),
);

bridge.on('window.reload', () => location.reload());

applyTextZoom();
const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root.');
// One paint, with main's answer in it: an earlier one would be blank, and be seen.
const paint = (): void =>
  flushSync(() =>
    createRoot(root).render(
      <FaultBoundary report={report}>
        <MirrorContext value={mirror}>
          <LiveRegion>
            <App />
          </LiveRegion>
        </MirrorContext>
      </FaultBoundary>,
    ),
  );
void mirror
  .connect()
  .then(paint)
  .then(() => mirror.requestFocus());
