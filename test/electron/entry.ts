/** The app as the Electron tests run it: what is missing here, then the product unchanged. */
// oxlint-disable import/no-unassigned-import -- the order is all there is to say.
import './shims/main.ts';
import '../../main/index.ts';
