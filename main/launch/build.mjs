// @ts-check
/** `npm run build`: main, preload and renderer into `out/`. */
import { main, prepare, prepareBuild } from './prepare.mjs';

await main(async () => {
  await prepare({ build: false });
  await prepareBuild({ force: true });
});
