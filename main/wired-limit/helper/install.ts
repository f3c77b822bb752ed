/**
 * Shell texts that root runs once, to install and remove. Their content travels inline in the elevated text: there is no
 * file a user could exchange between the password and its use.
 */
import { BOOT_LABEL, BOOT_PLIST_PATH, HELPER_PLIST_PATH, bootPlist, helperPlist } from './plist.ts';
import { HELPER_LABEL, HELPER_PATH, HELPER_SCRIPT, HELPER_SOCKET } from './script.ts';

/**
 * Both folders must be root's alone before anything is put there, and nothing is followed: files are made in a fresh
 * folder of root's and moved into place, which replaces a link instead of writing through it.
 */
const PREAMBLE = `set -eu
PATH=/usr/bin:/bin:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
unset IFS ENV BASH_ENV CDPATH
umask 077
fail() { printf '%s\\n' "$1" >&2; exit 73; }
check_folder() {
  if [ -L "$1" ] || [ ! -d "$1" ]; then fail "$1 is not a folder"; fi
  [ "$(/usr/bin/stat -f %u "$1")" = 0 ] || fail "$1 does not belong to root"
  case $(/usr/bin/stat -f %Sp "$1") in
    ?????w* | ????????w*) fail "$1 can be changed by others" ;;
  esac
}
put() {
  if [ -d "$3" ] && [ ! -L "$3" ]; then fail "$3 is a folder"; fi
  /usr/sbin/chown root:wheel "$1"
  /bin/chmod "$2" "$1"
  /bin/mv -fh "$1" "$3"
}
`;

const TOOLS = '/Library/PrivilegedHelperTools';
const DAEMONS = '/Library/LaunchDaemons';

const staging = `[ -e ${TOOLS} ] || /bin/mkdir -m 0755 ${TOOLS}
check_folder /Library
check_folder ${TOOLS}
check_folder ${DAEMONS}
fresh=$(/usr/bin/mktemp -d ${TOOLS}/.headroom.XXXXXXXX)
trap '/bin/rm -rf "$fresh"' EXIT
`;

/** A quoted here-document: the shell expands nothing in it. */
function inline(file: string, content: string): string {
  const mark = 'END_OF_HEADROOM_FILE';
  if (content.includes(mark) || !content.endsWith('\n')) throw new Error('cannot be carried inline');
  return `/bin/cat >"${file}" <<'${mark}'\n${content}${mark}\n`;
}

const unload = (label: string): string => `/bin/launchctl bootout system/${label} 2>/dev/null || :\n`;
/** bootout returns before the service is gone; a bootstrap in that moment fails. */
const load = (plistPath: string): string => {
  const bootstrap = `/bin/launchctl bootstrap system ${plistPath}`;
  return `${bootstrap} 2>/dev/null || { /bin/sleep 2; ${bootstrap}; }\n`;
};

export function installHelperText(userId: number): string {
  return [
    PREAMBLE,
    staging,
    inline('$fresh/tool', HELPER_SCRIPT),
    inline('$fresh/plist', helperPlist(userId)),
    unload(HELPER_LABEL),
    `put "$fresh/tool" 0755 ${HELPER_PATH}\n`,
    `put "$fresh/plist" 0644 ${HELPER_PLIST_PATH}\n`,
    load(HELPER_PLIST_PATH),
  ].join('');
}

/** Everything this app ever installs as root. */
export function removeHelperText(): string {
  return [
    PREAMBLE,
    unload(HELPER_LABEL),
    unload(BOOT_LABEL),
    `/bin/rm -f ${HELPER_PLIST_PATH} ${BOOT_PLIST_PATH} ${HELPER_PATH} ${HELPER_SOCKET}\n`,
  ].join('');
}

/** Loading it sets the limit at once, too. */
export function setAtBootText(limitMiB: number): string {
  return [
    PREAMBLE,
    staging,
    inline('$fresh/plist', bootPlist(limitMiB)),
    unload(BOOT_LABEL),
    `put "$fresh/plist" 0644 ${BOOT_PLIST_PATH}\n`,
    load(BOOT_PLIST_PATH),
  ].join('');
}

export const clearAtBootText = (): string => [PREAMBLE, unload(BOOT_LABEL), `/bin/rm -f ${BOOT_PLIST_PATH}\n`].join('');
