import { describe, expect, it } from 'vitest';
import { formWhenOpened, hidesOnBlur, isPageLoadedAgain, JUST_HIDDEN_MS, onIconClick } from './visibility.ts';

describe('onIconClick', () => {
  it.each([
    ['shown', { isShown: true, blurHidAtMs: null, nowMs: 1000 }, 'hide'],
    ['hidden long ago', { isShown: false, blurHidAtMs: null, nowMs: 1000 }, 'show'],
    ['hidden by the blur of this very click', { isShown: false, blurHidAtMs: 990, nowMs: 1000 }, 'ignore'],
    ['just before the guard ends', { isShown: false, blurHidAtMs: 1000, nowMs: 999 + JUST_HIDDEN_MS }, 'ignore'],
    ['after the guard', { isShown: false, blurHidAtMs: 1000, nowMs: 1000 + JUST_HIDDEN_MS }, 'show'],
    ['the clock went back', { isShown: false, blurHidAtMs: 5000, nowMs: 1000 }, 'show'],
  ] as const)('%s', (_name, input, expected) => {
    expect(onIconClick(input)).toBe(expected);
  });
});

describe('hidesOnBlur', () => {
  const plain = { form: 'popover', isFocused: false, openDialogs: 0, isDevToolsOpen: false } as const;
  it.each([
    ['plainly', plain, true],
    ['focus came back', { ...plain, isFocused: true }, false],
    ['a password or file dialog is open', { ...plain, openDialogs: 1 }, false],
    ['developer tools are open', { ...plain, isDevToolsOpen: true }, false],
    ['a normal window', { ...plain, form: 'window' }, false],
  ] as const)('%s', (_name, input, expected) => {
    expect(hidesOnBlur(input)).toBe(expected);
  });
});

describe('isPageLoadedAgain', () => {
  it.each([
    ['first death while open', { isShown: true, diedBeforeAtMs: null, nowMs: 5 }, true],
    ['hidden', { isShown: false, diedBeforeAtMs: null, nowMs: 5 }, false],
    ['again at once', { isShown: true, diedBeforeAtMs: 1_000, nowMs: 11_000 }, false],
    ['again much later', { isShown: true, diedBeforeAtMs: 1_000, nowMs: 11_001 }, true],
  ])('%s', (_name, input, expected) => {
    expect(isPageLoadedAgain(input)).toBe(expected);
  });
});

it('opens as a normal window when the icon cannot be found', () => {
  expect(formWhenOpened(true)).toBe('popover');
  expect(formWhenOpened(false)).toBe('window');
});
