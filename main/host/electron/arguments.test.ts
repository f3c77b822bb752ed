import { expect, it } from 'vitest';
import { electronArguments } from './arguments.ts';

const nothing = {
  modelFolder: null,
  home: null,
  endpointPort: null,
  isHidden: false,
  isHeadless: false,
  wrong: null,
};

it.each([
  [['electron', '.'], nothing],
  [['electron', '--no-sandbox', '--inspect=0', '.'], nothing],
  [['electron', '.', '--model', 'models/x'], { ...nothing, modelFolder: '/work/models/x' }],
  [['electron', '.', '--model=/m'], { ...nothing, modelFolder: '/m' }],
  [['electron', '.', '--model'], nothing],
  [['electron', '.', '--model', '--hidden'], { ...nothing, isHidden: true }],
  [['electron', '.', '--home', '/h', '--hidden'], { ...nothing, home: '/h', isHidden: true }],
  [['electron', '.', '--modelled', 'x'], nothing],
  [['Headroom', '--headless', '--endpoint-port', '0'], { ...nothing, endpointPort: 0, isHeadless: true }],
  [['Headroom', '--endpoint-port=9090'], { ...nothing, endpointPort: 9090 }],
  [
    ['Headroom', '--endpoint-port', '70000'],
    { ...nothing, wrong: '--endpoint-port needs a number from 0 to 65535, not "70000".' },
  ],
])('%j', (argv, expected) => {
  expect(electronArguments(argv, '/work')).toEqual(expected);
});
