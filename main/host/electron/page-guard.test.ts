import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { denyPermissions, guardAllContents, registerAppScheme, sandboxEverything } from './page-guard.ts';

it('every renderer is sandboxed before the app is ready, unless it was started without a sandbox', () => {
  for (const isOff of [false, true]) {
    let enabled = 0;
    const commandLine = { hasSwitch: (name: string) => isOff && name === 'no-sandbox' };
    sandboxEverything({ enableSandbox: () => void (enabled += 1), commandLine } as never);
    expect(enabled).toBe(isOff ? 0 : 1);
  }
});

it('the scheme is a standard and secure one', () => {
  const registered: unknown[] = [];
  registerAppScheme({ registerSchemesAsPrivileged: (schemes) => void registered.push(...schemes) });
  expect(registered).toEqual([{ scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true } }]);
});

it('no permission, device, screen, foreign download or foreign address is granted', () => {
  const handlers: Record<string, (...given: never[]) => unknown> = {};
  const session = Object.assign(new EventEmitter(), {
    webRequest: { onBeforeRequest: (handler: never) => void (handlers['request'] = handler) },
    setPermissionRequestHandler: (handler: never) => void (handlers['permission'] = handler),
    setPermissionCheckHandler: (handler: never) => void (handlers['check'] = handler),
    setDevicePermissionHandler: (handler: never) => void (handlers['device'] = handler),
    setDisplayMediaRequestHandler: (handler: never) => void (handlers['screen'] = handler),
  });
  let saving = 0;
  const once = () => {};
  denyPermissions(session as never, () => void (saving += 1));

  const answers: unknown[] = [];
  const answer = (given: unknown) => void answers.push(given);
  const call = (name: string, ...given: unknown[]): unknown => handlers[name]?.(...(given as never[]));
  call('permission', null, 'media', answer, { requestingUrl: 'app://headroom/' });
  call('permission', null, 'clipboard-sanitized-write', answer, { requestingUrl: 'app://headroom/' });
  call('permission', null, 'clipboard-sanitized-write', answer, { requestingUrl: 'https://evil.example/' });
  call('screen', {}, answer);
  call('request', { url: 'https://example.org/' }, answer);
  call('request', { url: 'app://headroom/' }, answer);
  expect(answers).toEqual([false, true, false, {}, { cancel: true }, { cancel: false }]);
  expect(call('check', null, 'geolocation', 'app://headroom/')).toBe(false);
  expect(call('device', {})).toBe(false);
  let prevented = 0;
  const download = (address: string) =>
    session.emit('will-download', { preventDefault: () => void (prevented += 1) }, { getURL: () => address, once });
  download('https://example.org/file.zip');
  download('blob:https://evil.example/0a1b');
  download('data:text/html,hello');
  expect(prevented).toBe(3);
  expect(saving).toBe(0);
  // What the page itself has made is saved where the person says.
  download('blob:app://headroom/0a1b');
  expect(prevented).toBe(3);
  expect(saving).toBe(1);
});

it('whatever contents there are, they neither leave, nor open windows, nor hold a webview', () => {
  const app = new EventEmitter();
  const lines: string[] = [];
  guardAllContents(app as never, (_level, line) => void lines.push(line));
  let openHandler: ((details: unknown) => unknown) | undefined;
  const contents = Object.assign(new EventEmitter(), {
    setWindowOpenHandler: (handler: typeof openHandler) => void (openHandler = handler),
  });
  app.emit('web-contents-created', {}, contents);

  const prevented: string[] = [];
  for (const event of ['will-navigate', 'will-frame-navigate', 'will-redirect', 'will-attach-webview']) {
    contents.emit(event, { url: 'https://evil.example/', preventDefault: () => void prevented.push(event) });
  }
  expect(prevented).toEqual(['will-navigate', 'will-frame-navigate', 'will-redirect', 'will-attach-webview']);
  contents.emit('will-navigate', { url: 'app://headroom/', preventDefault: () => void prevented.push('own page') });
  expect(prevented).not.toContain('own page');
  expect(openHandler?.({ url: 'https://example.org/' })).toEqual({ action: 'deny' });
  expect(lines).toHaveLength(3);
});
