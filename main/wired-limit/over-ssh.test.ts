import { expect, test } from 'vitest';
import type { WiredLimitPlan, WiredLimitState } from '../../preload/contract.ts';
import { watchOverSsh } from './over-ssh.ts';

const COMMAND = 'sudo /usr/sbin/sysctl -w iogpu.wired_limit_mb=12800';
const asking = {
  kind: 'asking',
  plan: { needMiB: 12_800, limitMiB: 10_922 } as WiredLimitPlan,
  askedBy: 'endpoint',
  settingMiB: 0,
  originalMiB: null,
} as const;
const trouble = (code: string): WiredLimitState => ({
  kind: 'trouble',
  during: 'raise',
  cause: { code, message: 'It is 11,800 MiB now.', nextStep: 'Next.' },
  settingMiB: 11_800,
  originalMiB: 0,
  command: null,
});

async function told(...states: WiredLimitState[]): Promise<{ readonly said: string[]; readonly watches: number }> {
  let hear: (state: WiredLimitState) => void = () => {};
  let watches = 0;
  const said: string[] = [];
  watchOverSsh({
    wiredLimit: {
      subscribe(listener) {
        hear = listener;
        return () => {};
      },
      watchByHand() {
        watches += 1;
        return Promise.resolve(COMMAND);
      },
    },
    say: (text) => said.push(text),
  });
  for (const state of states) {
    hear(state);
    await Promise.resolve();
    await Promise.resolve();
  }
  return { said, watches };
}

test('the exact command and what it is for, once', async () => {
  const { said, watches } = await told(asking, asking);
  expect(said).toHaveLength(1);
  expect(said[0]).toContain(`\n  ${COMMAND}\n`);
  expect(said[0]).toContain('12,800 MiB for the GPU, which may keep 10,922 MiB');
  expect(said[0]).toContain('iogpu.wired_limit_mb=0');
  expect(watches).toBe(2);
});

test('what came of it is said, and a new request is told anew', async () => {
  const raised: WiredLimitState = { kind: 'raised', settingMiB: 12_800, originalMiB: 0, fromEarlierRun: false };
  const { said } = await told(asking, raised, asking);
  expect(said).toHaveLength(3);
  expect(said[1]).toBe(
    'The limit is 12,800 MiB now, and the model starts. To put it back: sudo /usr/sbin/sysctl -w iogpu.wired_limit_mb=0',
  );
});

test('another value: said, and watched on; anything else: said', async () => {
  const other = await told(asking, trouble('wired-limit-changed-meanwhile'));
  expect(other.said[1]).toContain('The limit is 11,800 MiB now');
  expect(other.said[1]).toContain(COMMAND);
  expect(other.watches).toBe(2);
  const cancelled = await told(asking, trouble('wired-limit-cancelled'));
  expect(cancelled.said[1]).toBe('It is 11,800 MiB now. Next.');
  expect(cancelled.watches).toBe(1);
});

test('what others do with the limit is none of this terminal’s business', async () => {
  const raised: WiredLimitState = { kind: 'raised', settingMiB: 12_800, originalMiB: 0, fromEarlierRun: true };
  expect((await told(raised, trouble('wired-limit-changed-meanwhile'))).said).toEqual([]);
});
