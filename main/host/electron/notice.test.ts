import { describe, expect, it } from 'vitest';
import type {
  DownloadState,
  EventEnvelope,
  ModelEntry,
  ProtectionState,
  ProtectionStep,
  WiredLimitAskedBy,
  WiredLimitPlan,
  WiredLimitState,
} from '../../../preload/contract.ts';
import { type Notice, noticeStep, nothingTold, TOLD_AGAIN_AFTER_MS } from './notice.ts';

const step: ProtectionStep = {
  sinceMs: 1,
  trigger: 'critical',
  because: {
    level: 'critical',
    needle: 0.7,
    swapUsedBytes: 0,
    swapOutBytesPerSecond: null,
    decodeTokensPerSecond: null,
    usualDecodeTokensPerSecond: null,
  },
  message: 'What was done, with its numbers.',
  nextStep: 'Close apps.',
};
const easing: ProtectionState = { kind: 'easing', ...step };
const cancelled: ProtectionState = { kind: 'cancelled', ...step };
const unloaded: ProtectionState = { kind: 'unloaded', ...step };
const lent: ProtectionState = { kind: 'lent', ...step };
const watching: ProtectionState = { kind: 'watching', ...step };
const calm: ProtectionState = { kind: 'calm' };
const undone: ProtectionState = { kind: 'undone', sinceMs: 0, untilMs: 1 };
const wiredLeft: ProtectionState = {
  kind: 'wired-left',
  sinceMs: 0,
  leftBytes: 3,
  baselineBytes: 1,
  message: 'Still held.',
  nextStep: 'Restart.',
};
const plan: WiredLimitPlan = {
  verdict: { kind: 'raise', toMiB: 12_800, choices: [] },
  memoryMiB: 16_384,
  limitMiB: 10_922,
  limitFrom: 'metal',
  peakMiB: 12_160,
  peakFrom: 'estimated',
  needMiB: 12_800,
  leavesMiB: 1_800,
  canStartAnyway: false,
  keepsResident: true,
};
const asking = (askedBy: WiredLimitAskedBy): WiredLimitState => ({
  kind: 'asking',
  plan,
  askedBy,
  settingMiB: 0,
  originalMiB: null,
});
const idle: WiredLimitState = { kind: 'idle', settingMiB: 0, note: null };

type Happening =
  | ProtectionState
  | WiredLimitState
  | 'opened'
  | 'hidden'
  | { readonly laterMs: number }
  | 'something else';

/** What each happening of a story led to: a notification's title, "away: …", or nothing. */
function tell(story: readonly Happening[]): { words: string[]; notices: Notice[] } {
  let memory = nothingTold;
  let isWindowShown = false;
  let nowMs = 1_000;
  const words: string[] = [];
  const notices: Notice[] = [];
  for (const happening of story) {
    if (happening === 'hidden') isWindowShown = false;
    else if (happening === 'opened') {
      isWindowShown = true;
      take({ event: 'window.shown', payload: null });
    } else if (happening === 'something else') take({ event: 'engine.state', payload: { kind: 'off' } });
    else if ('laterMs' in happening) nowMs += happening.laterMs;
    else if ('settingMiB' in happening || happening.kind === 'not-needed')
      take({ event: 'wiredLimit.state', payload: happening as WiredLimitState });
    else take({ event: 'protection.state', payload: happening as ProtectionState });
  }
  return { words, notices };

  function take(envelope: EventEnvelope): void {
    const taken = noticeStep(memory, envelope, { isWindowShown, modelName: 'gpt-oss-20b', nowMs });
    memory = taken.memory;
    const { effect } = taken;
    if (effect.kind === 'show') notices.push(effect.notice);
    if (effect.kind === 'show') words.push(effect.notice.title);
    else words.push(effect.kind === 'withdraw' ? `away: ${effect.topics.join(', ')}` : '');
  }
}

const REST_MS = TOLD_AGAIN_AFTER_MS.asking ?? 0;
const ALL_AWAY = 'away: protection, wired-limit, download';
const SHORT = 'Memory is getting short';
const ENDED = 'An answer was ended';
const UNLOADED = 'The model was unloaded';
const PROGRAM = 'Another program asked for the model';

const table: readonly [string, readonly Happening[], readonly string[]][] = [
  ['nothing was done', [calm, watching, undone, { kind: 'off' }, calm], ['', '', '', '', '']],
  ['each step is told', [easing, cancelled, unloaded], [SHORT, ENDED, UNLOADED]],
  ['what the window showed is not', ['opened', easing, cancelled, unloaded], [ALL_AWAY, '', '', '']],
  ['nor again when it is hidden', ['opened', easing, 'hidden', calm, easing], [ALL_AWAY, '', '', '']],
  ['opening the window takes it away', [unloaded, 'opened'], [UNLOADED, ALL_AWAY]],
  ['eased, it is over', [easing, calm, calm], [SHORT, 'away: protection', '']],
  ['eased, then lent: the first is not true any more', [easing, lent], [SHORT, 'away: protection']],
  ['what was ended stays ended', [easing, cancelled, watching, calm], [SHORT, ENDED, '', '']],
  ['lending is not told', [lent, calm, lent], ['', '', '']],
  ['coming and going, told once', [easing, calm, easing, calm], [SHORT, 'away: protection', '', '']],
  ['and again after a while', [easing, calm, { laterMs: REST_MS }, easing], [SHORT, 'away: protection', SHORT]],
  [
    'a clock set back does not silence it',
    [easing, calm, { laterMs: -500 }, easing],
    [SHORT, 'away: protection', SHORT],
  ],
  ['every answer that was ended is told', [cancelled, calm, cancelled], [ENDED, '', ENDED]],
  ['leaked memory', [unloaded, wiredLeft], [UNLOADED, 'Memory was not given back']],
  ['a program asks, and asks again', [asking('endpoint'), asking('endpoint')], [PROGRAM, '']],
  ['a timer asks', [asking('timer')], ['The model waits for your word']],
  ['the menu asks', [asking('window')], ['The model waits for your word']],
  ['asked in sight', ['opened', asking('window'), 'hidden', asking('endpoint')], [ALL_AWAY, '', '']],
  ['answered', [asking('endpoint'), idle, idle], [PROGRAM, 'away: wired-limit', '']],
  [
    'not now: the program goes on asking',
    [asking('endpoint'), idle, asking('endpoint'), idle, { laterMs: REST_MS - 1 }, asking('endpoint')],
    [PROGRAM, 'away: wired-limit', '', 'away: wired-limit', ''],
  ],
  [
    'not now, and much later',
    [asking('endpoint'), idle, { laterMs: REST_MS }, asking('endpoint')],
    [PROGRAM, 'away: wired-limit', PROGRAM],
  ],
  ['no limit at all', [{ kind: 'not-needed', why: 'not a Mac' }], ['']],
  ['other events', ['something else'], ['']],
];

describe('noticeStep', () => {
  it.each(table)('%s', (_name, story, expected) => {
    expect(tell(story).words).toEqual(expected);
  });

  it('says what was done and why', () => {
    const [notice] = tell([unloaded]).notices;
    expect(notice).toEqual({ topic: 'protection', title: UNLOADED, body: 'What was done, with its numbers.' });
  });

  it('says what the limit is for, in numbers', () => {
    const [notice] = tell([asking('endpoint')]).notices;
    expect(notice?.body).toBe(
      'gpt-oss-20b needs 12,800 MiB for the GPU and may have 10,922 MiB. Only you can raise the limit: click to decide.',
    );
  });
});

describe('downloads', () => {
  const entry = (presence: ModelEntry['presence']): ModelEntry => ({
    id: 'owner/name',
    origin: 'catalog',
    name: 'gpt-oss-20b',
    repository: 'owner/name',
    sizeBytes: 10,
    licence: null,
    goodFor: null,
    isToy: false,
    isRecommended: true,
    isShared: false,
    presence,
    verdict: { kind: 'fits', message: 'Fits.' },
    prediction: null,
    measured: null,
  });
  const getting = (download: DownloadState) => entry({ kind: 'getting', download });
  const bytes = { doneBytes: 1, totalBytes: 10 };
  const coming = getting({ kind: 'downloading', ...bytes, bytesPerSecond: null, remainingSeconds: null });
  const checking = getting({ kind: 'checking', ...bytes });
  const paused = getting({ kind: 'paused', ...bytes });
  const here = entry({ kind: 'here', folder: '/x', checked: 'hub' });
  const failed = getting({
    kind: 'failed',
    ...bytes,
    cause: { code: 'disk-full', message: 'The disk is full.', nextStep: 'Free some space.' },
  });
  const told = (story: readonly ModelEntry[], isWindowShown = false): readonly string[] => {
    let memory = nothingTold;
    return story.flatMap((model) => {
      const envelope: EventEnvelope = { event: 'models.changed', payload: [model] };
      const taken = noticeStep(memory, envelope, { isWindowShown, modelName: null, nowMs: 0 });
      memory = taken.memory;
      return taken.effect.kind === 'show' ? [`${taken.effect.notice.title}. ${taken.effect.notice.body}`] : [];
    });
  };

  it.each([
    ['one that arrives, once', [coming, coming, checking, here, here], [/^gpt-oss-20b is here\. /]],
    ['one that stops', [coming, failed, failed], [/^The download of gpt-oss-20b stopped\. The disk is full\. Free/]],
    ['again after it was continued', [coming, failed, coming, here], [/stopped/, /is here/]],
  ])('tells of %s', (_name, story, expected) => {
    const notices = told(story);
    expect(notices).toHaveLength(expected.length);
    expected.forEach((words, index) => expect(notices[index]).toMatch(words));
    expect(told(story, true)).toEqual([]);
  });

  it.each([
    ['a mere check', [here, checking, here]],
    ['one that the user paused', [coming, paused]],
    ['one that was cancelled', [coming, entry({ kind: 'absent' })]],
  ])('says nothing of %s', (_name, story) => {
    expect(told(story)).toEqual([]);
  });
});
