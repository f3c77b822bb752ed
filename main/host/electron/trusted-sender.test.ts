import { expect, it } from 'vitest';
import { judgeSender, type SenderFacts } from './trusted-sender.ts';

const ours: SenderFacts = {
  frame: { url: 'app://headroom/index.html', isMainFrame: true },
  contentsId: 3,
  ourContentsId: 3,
};

it('trusts the main frame of our page in our window', () => {
  expect(judgeSender(ours)).toEqual({ trusted: true });
});

it.each<[string, SenderFacts]>([
  ['a frame that is gone', { ...ours, frame: null }],
  ['a frame inside our page', { ...ours, frame: { url: 'app://headroom/index.html', isMainFrame: false } }],
  ['a foreign page', { ...ours, frame: { url: 'https://evil.example/', isMainFrame: true } }],
  ['a look-alike host', { ...ours, frame: { url: 'app://headroom.evil/', isMainFrame: true } }],
  ['an empty page', { ...ours, frame: { url: '', isMainFrame: true } }],
  ['a file', { ...ours, frame: { url: 'file:///index.html', isMainFrame: true } }],
  ['another window', { ...ours, contentsId: 4 }],
  ['any window while ours is gone', { ...ours, ourContentsId: null }],
])('refuses %s', (_name, facts) => {
  expect(judgeSender(facts).trusted).toBe(false);
});
