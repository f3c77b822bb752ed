import { expect, it } from 'vitest';
import { menuBarArguments } from './arguments.ts';

const nothing = { modelFolder: null, home: null, isHidden: false };

it.each([
  [['electron', '.'], nothing],
  [['electron', '--no-sandbox', '--inspect=0', '.'], nothing],
  [['electron', '.', '--model', 'models/x'], { ...nothing, modelFolder: '/work/models/x' }],
  [['electron', '.', '--model=/m'], { ...nothing, modelFolder: '/m' }],
  [['electron', '.', '--model'], nothing],
  [['electron', '.', '--model', '--hidden'], { ...nothing, isHidden: true }],
  [['electron', '.', '--home', '/h', '--hidden'], { ...nothing, home: '/h', isHidden: true }],
  [['electron', '.', '--modelled', 'x'], nothing],
])('%j', (argv, expected) => {
  expect(menuBarArguments(argv, '/work')).toEqual(expected);
});
