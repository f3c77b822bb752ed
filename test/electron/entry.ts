/** The app as the Electron tests run it: what is missing here, the tray recorder, then the product unchanged. */
import './shims/main.ts';
import './recorder.ts';
import '../../main/index.ts';
