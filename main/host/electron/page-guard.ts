/** Puts the page policy in force: scheme, files, permissions, navigation, new windows, network. */
import { readFile } from 'node:fs/promises';
import type { App, Protocol, Session, WebContents } from 'electron';
import type { Log } from '../../log/log.ts';
import type { KnownFiles } from '../renderer-files.ts';
import { answerPage } from './page-answer.ts';
import { APP_SCHEME, isOwnFile, isPermissionGranted, mayNavigate, mayRequest } from './page-policy.ts';

/**
 * Before the app is ready: every renderer there ever is runs in the sandbox. Whoever starts with `--no-sandbox` (root in
 * a container, where Chromium refuses to run otherwise) has decided against it; doing both ends every child process.
 */
export function sandboxEverything(app: Pick<App, 'enableSandbox' | 'commandLine'>): void {
  if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox();
}

/** Before the app is ready. */
export function registerAppScheme(protocol: Pick<Protocol, 'registerSchemesAsPrivileged'>): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: APP_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
}

export function serveAppFiles(protocol: Pick<Protocol, 'handle'>, files: KnownFiles): void {
  protocol.handle(APP_SCHEME, async (request) => {
    const answer = answerPage(request, files);
    const body = answer.status === 200 ? await readFile(answer.file.file) : null;
    return new Response(body, { status: answer.status, headers: { ...answer.headers } });
  });
}

/** Without handlers Electron grants every permission silently. */
export function denyPermissions(session: Session, onSaving: (saved: Promise<void>) => void = () => {}): void {
  session.setPermissionRequestHandler((_contents, permission, answer, details) => {
    answer(isPermissionGranted(permission, details.requestingUrl));
  });
  session.setPermissionCheckHandler((_contents, permission, requestingOrigin) =>
    isPermissionGranted(permission, requestingOrigin),
  );
  session.setDevicePermissionHandler(() => false);
  session.setDisplayMediaRequestHandler((_request, answer) => answer({}));
  // What the page itself has made, to be saved where the person says; nothing from elsewhere.
  session.on('will-download', (event, item) => {
    if (!isOwnFile(item.getURL())) event.preventDefault();
    else onSaving(new Promise((resolve) => item.once('done', () => resolve())));
  });
  session.webRequest.onBeforeRequest((details, answer) => answer({ cancel: !mayRequest(details.url) }));
}

/** For every web contents there ever is, ours or not. */
export function guardAllContents(app: Pick<App, 'on'>, log: Log): void {
  app.on('web-contents-created', (_event, contents) => guardContents(contents, log));
}

function guardContents(contents: WebContents, log: Log): void {
  const refuse = (event: { readonly url: string; preventDefault(): void }): void => {
    if (mayNavigate(event.url)) return;
    event.preventDefault();
    log('warn', 'the window tried to leave its page and was held back');
  };
  contents.on('will-navigate', refuse);
  contents.on('will-frame-navigate', refuse);
  contents.on('will-redirect', refuse);
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
}
