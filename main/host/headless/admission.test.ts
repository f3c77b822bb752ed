import { describe, expect, it } from 'vitest';
import { type Admissions, admit, LINK_LIFETIME_MS, noAdmissions, offerLink } from './admission.ts';

/** Walks one state through several hellos, as the host does. */
function door() {
  let made = 0;
  let state: Admissions = offerLink(noAdmissions, 'first-token', 0);
  return {
    hello(hello: { token?: string; session?: string }, nowMs = 1_000) {
      const step = admit(state, hello, nowMs, () => `secret-${(made += 1)}`);
      state = step.state;
      return step.verdict;
    },
  };
}

describe('admit', () => {
  it('exchanges the token once', () => {
    const { hello } = door();
    expect(hello({ token: 'first-token' })).toEqual({ kind: 'admitted', session: 'secret-1' });
    const again = hello({ token: 'first-token' });
    expect(again).toMatchObject({ kind: 'refused', freshToken: 'secret-2' });
    expect(again.kind === 'refused' && again.error.message).toContain('used already');
  });

  it('admits the session again and again, also beside a spent token', () => {
    const { hello } = door();
    hello({ token: 'first-token' });
    expect(hello({ session: 'secret-1' }, 1e9)).toEqual({ kind: 'admitted', session: 'secret-1' });
    expect(hello({ session: 'secret-1', token: 'first-token' }, 2e9)).toEqual({
      kind: 'admitted',
      session: 'secret-1',
    });
  });

  it('refuses the token after a minute and makes a fresh one that works', () => {
    const { hello } = door();
    const late = hello({ token: 'first-token' }, LINK_LIFETIME_MS + 1);
    expect(late).toMatchObject({ kind: 'refused', freshToken: 'secret-1' });
    expect(late.kind === 'refused' && late.error.message).toContain('older than a minute');
    expect(hello({ token: 'first-token' }, LINK_LIFETIME_MS + 2)).toMatchObject({ kind: 'refused', freshToken: null });
    expect(hello({ token: 'secret-1' }, LINK_LIFETIME_MS + 3)).toMatchObject({ kind: 'admitted' });
  });

  it('accepts the token in its last millisecond', () => {
    expect(door().hello({ token: 'first-token' }, LINK_LIFETIME_MS)).toMatchObject({ kind: 'admitted' });
  });

  it('makes no new link for strangers while one is good, and leaves that one alone', () => {
    const { hello } = door();
    for (const strange of [{}, { token: 'x' }, { session: 'y' }, { token: '', session: '' }])
      expect(hello(strange)).toMatchObject({ kind: 'refused', freshToken: null });
    expect(hello({ token: 'first-token' })).toMatchObject({ kind: 'admitted' });
  });

  it('makes at most one new link a minute for strangers', () => {
    const { hello } = door();
    const fresh = Array.from({ length: 600 }, (_, second) => hello({ token: 'x' }, 61_000 + second * 1_000)).filter(
      (verdict) => verdict.kind === 'refused' && verdict.freshToken !== null,
    );
    expect(fresh.length).toBeLessThanOrEqual(10);
  });
});
