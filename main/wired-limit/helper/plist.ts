/** The property lists launchd reads. Every value is a constant or a whole number. */
import { KNOB } from '../command.ts';
import { HELPER_LABEL, HELPER_PATH, HELPER_SOCKET } from './script.ts';

export const HELPER_PLIST_PATH = `/Library/LaunchDaemons/${HELPER_LABEL}.plist`;

export const BOOT_LABEL = `${HELPER_LABEL}.at-boot`;
export const BOOT_PLIST_PATH = `/Library/LaunchDaemons/${BOOT_LABEL}.plist`;

/** 0600: launchd lets nobody but this user (and root) connect. */
const SOCKET_MODE = 0o600;

/** launchd keeps the socket and starts the helper for each connection. `userId`: who may connect. */
export function helperPlist(userId: number): string {
  return plist(`	<key>Label</key>
	<string>${HELPER_LABEL}</string>
	<key>ProgramArguments</key>
	<array>
		<string>${HELPER_PATH}</string>
	</array>
	<key>Sockets</key>
	<dict>
		<key>Listener</key>
		<dict>
			<key>SockPathName</key>
			<string>${HELPER_SOCKET}</string>
			<key>SockPathOwner</key>
			<integer>${whole(userId)}</integer>
			<key>SockPathMode</key>
			<integer>${SOCKET_MODE}</integer>
		</dict>
	</dict>
	<key>inetdCompatibility</key>
	<dict>
		<key>Wait</key>
		<false/>
	</dict>`);
}

/** Sets the limit once at every boot. `/etc/sysctl.conf` is not read by current macOS, whatever guides say. */
export function bootPlist(limitMiB: number): string {
  return plist(`	<key>Label</key>
	<string>${BOOT_LABEL}</string>
	<key>ProgramArguments</key>
	<array>
		<string>/usr/sbin/sysctl</string>
		<string>-w</string>
		<string>${KNOB}=${whole(limitMiB)}</string>
	</array>
	<key>RunAtLoad</key>
	<true/>`);
}

const plist = (body: string): string => `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
${body}
</dict>
</plist>
`;

function whole(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0 || value > 4_294_967_295) {
    throw new RangeError(`not a number for a property list: ${value}`);
  }
  return value;
}
