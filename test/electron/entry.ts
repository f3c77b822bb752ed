/** The app as the Electron tests run it: what is missing here, a kernel that says what it is told, the product unchanged. */
// oxlint-disable import/no-unassigned-import -- the order is all there is to say.
import './shims/main.ts';
import './kernel.ts';
import '../../main/index.ts';
