import { expect, test } from 'vitest';
import type { Commands } from '../../memory/commands.ts';
import { Consent } from '../consent.ts';
import type { ElevationOutcome } from '../elevator.ts';
import { createHelper } from './helper.ts';
import { BOOT_PLIST_PATH, HELPER_PLIST_PATH, bootPlist, helperPlist } from './plist.ts';
import { HELPER_PATH, HELPER_SCRIPT } from './script.ts';
import type { InstalledFile } from './status.ts';

const launchd: Commands = {
  run: (_, args) => Promise.resolve({ code: 0, stdout: args[0] === 'print' ? 'state = running' : '', stderr: '' }),
};

/** A Mac whose root does what the texts are for, or answers otherwise. */
function macThat(outcome: ElevationOutcome = { kind: 'done' }, obeys = true) {
  const files = new Map<string, InstalledFile>();
  const scripts: string[] = [];
  const put = (path: string, text: string, mode: number) =>
    files.set(path, { text, ownerId: 0, mode, isPlainFile: true });
  const helper = createHelper({
    commands: launchd,
    userId: 501,
    readInstalled: (path) => Promise.resolve(files.get(path) ?? null),
    rootShell: {
      run: (script) => {
        scripts.push(script);
        if (outcome.kind !== 'done' || !obeys) return Promise.resolve(outcome);
        if (script.includes(HELPER_SCRIPT)) {
          put(HELPER_PATH, HELPER_SCRIPT, 0o755);
          put(HELPER_PLIST_PATH, helperPlist(501), 0o644);
        } else if (script.includes(bootPlist(12_800))) {
          put(BOOT_PLIST_PATH, bootPlist(12_800), 0o644);
        } else if (script.includes(HELPER_PATH)) {
          files.clear();
        } else {
          files.delete(BOOT_PLIST_PATH);
        }
        return Promise.resolve(outcome);
      },
    },
  });
  return { helper, scripts };
}

test('installed, set at boot, removed; each says what it did', async () => {
  const { helper, scripts } = macThat();
  expect(await helper.status()).toEqual({ state: { kind: 'not-installed' }, atBootMiB: null, message: null });
  expect(await helper.install(Consent.ofClick())).toMatchObject({
    state: { kind: 'installed', version: 1 },
    message: expect.stringContaining('without asking'),
  });
  expect(scripts[0]).toContain(helperPlist(501));
  expect(await helper.setAtBoot(Consent.ofClick(), 12_800)).toMatchObject({ atBootMiB: 12_800 });
  expect(await helper.setAtBoot(Consent.ofClick(), null)).toMatchObject({ atBootMiB: null });
  expect(await helper.remove(Consent.ofClick())).toMatchObject({
    state: { kind: 'not-installed' },
    message: expect.stringContaining('gone'),
  });
});

test('what ran without taking hold is not called done', async () => {
  const { helper } = macThat({ kind: 'done' }, false);
  expect(await helper.install(Consent.ofClick())).toMatchObject({
    state: { kind: 'not-installed' },
    message: expect.stringContaining('Login Items'),
  });
});

test.each([
  [{ kind: 'cancelled' }, 'You cancelled'],
  [{ kind: 'wrong-password' }, 'did not accept the password'],
  [{ kind: 'not-admin' }, 'Only an administrator'],
  [{ kind: 'refused', detail: '/Library is not a folder' }, '/Library is not a folder'],
  [{ kind: 'unavailable', detail: 'no dialog' }, 'cannot ask'],
] as [ElevationOutcome, string][])('%j is said in words', async (outcome, words) => {
  await expect(macThat(outcome).helper.install(Consent.ofClick())).rejects.toThrow(words);
});

test('without a fresh click nothing runs as root', async () => {
  const { helper, scripts } = macThat();
  const consent = Consent.ofClick();
  consent.spend();
  await expect(helper.install(consent)).rejects.toMatchObject({ code: 'refused' });
  expect(scripts).toEqual([]);
});
