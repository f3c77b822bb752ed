/** The app as the Electron tests run it: what is missing here, then the product unchanged. */
import './shims/main.ts';
import '../../main/index.ts';
