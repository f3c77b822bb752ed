/**
 * The helper that root runs: sh, one integer in, one line out. Its text is a constant; launchd starts it for every
 * connection to a socket that only its owner may open, with the connection as stdin and stdout.
 *
 * Safe whoever calls it: one sysctl name, one number, 0 or from half to 85 % of the memory; absolute paths; nothing of
 * the environment is used; no file is read. It speaks first, its version, so that an old one is noticed.
 */
import { KNOB } from '../command.ts';

export const HELPER_LABEL = 'app.headroom.wired-limit';
export const HELPER_VERSION = 1;
export const HELPER_PATH = `/Library/PrivilegedHelperTools/${HELPER_LABEL}`;
export const HELPER_SOCKET = `/var/run/${HELPER_LABEL}.sock`;

/** First line of every conversation. */
export const GREETING = 'headroom-wired-limit';

/**
 * dd reads at most 16 bytes once: an endless line fills no memory, and the line must end within them. The x keeps the
 * line's end, which a command substitution would drop. A leading 0 would be octal. stderr is the caller's socket too.
 */
export const HELPER_SCRIPT = `#!/bin/sh -p
# Headroom: sets ${KNOB} for the user who installed it. Remove it in Headroom's settings.
# version ${HELPER_VERSION}
set -eu
exec 2>/dev/null
PATH=/usr/bin:/bin:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
unset IFS ENV BASH_ENV CDPATH
umask 077

printf '${GREETING} ${HELPER_VERSION}\\n'

line=$(/bin/dd bs=16 count=1; printf x)
case $line in
  *'
x') mib=\${line%'
x'} ;;
  *) printf 'error no-line\\n'; exit 64 ;;
esac
case $mib in
  '' | *[!0123456789]* | 0?*) printf 'error not-a-number\\n'; exit 65 ;;
esac
if [ "\${#mib}" -gt 7 ]; then printf 'error too-long\\n'; exit 65; fi

bytes=$(/usr/sbin/sysctl -n hw.memsize)
case $bytes in
  '' | *[!0123456789]* | 0*) printf 'error no-memory-size\\n'; exit 69 ;;
esac
memory=$((bytes / 1048576))
least=$(((memory + 1) / 2))
most=$((memory * 85 / 100))
if [ "$mib" -ne 0 ]; then
  if [ "$mib" -lt "$least" ] || [ "$mib" -gt "$most" ]; then
    printf 'error out-of-range %s %s\\n' "$least" "$most"
    exit 66
  fi
fi

if /usr/sbin/sysctl -w "${KNOB}=$mib" >/dev/null; then
  printf 'ok %s\\n' "$(/usr/sbin/sysctl -n ${KNOB})"
else
  printf 'error refused\\n'
  exit 67
fi
`;
