/** What a new user has to do until the first answer is there: counted on the simulated Mac, in the real window. */
import { setUpFirstRun } from '../models/first-run-stage.ts';
import { walkFirstRun } from '../models/first-run-walk.ts';
import { launchChromium, whyNoChromium } from '../ui/chromium.ts';
import { type Bench, BenchUnavailable } from './figure.ts';

const bench: Bench = async () => {
  const missing = whyNoChromium();
  if (missing !== null) throw new BenchUnavailable(missing);
  const browser = await launchChromium();
  const stage = await setUpFirstRun(browser);
  try {
    const { done } = await walkFirstRun(stage.page());
    return [
      {
        name: `first run to the first answer (${done.join(', ')})`,
        unit: 'actions',
        value: done.length,
        baseline: null,
        compare: 'value',
        aim: { at: 'most', value: 3 },
      },
    ];
  } finally {
    await stage.strike();
    await browser.close();
  }
};

export default bench;
