/**
 * The texts that root runs to install and remove, run as root in a root folder of their own: Debian's programs below it,
 * stand-ins for what only a Mac has (launchctl, stat -f, mv -h, the group wheel).
 */
import { describe, expect, test } from 'vitest';
import {
  clearAtBootText,
  installHelperText,
  removeHelperText,
  setAtBootText,
} from '../../main/wired-limit/helper/install.ts';
import {
  BOOT_LABEL,
  BOOT_PLIST_PATH,
  HELPER_PLIST_PATH,
  bootPlist,
  helperPlist,
} from '../../main/wired-limit/helper/plist.ts';
import { HELPER_LABEL, HELPER_PATH, HELPER_SCRIPT } from '../../main/wired-limit/helper/script.ts';
import { inRootRoom, noRootRoom } from './root-room.ts';

const TOOLS = '/Library/PrivilegedHelperTools';

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * Steps in a fresh room: `asRoot` runs a text as macOS would (sh -c, as root); mere lines are the test's own.
 * Returns what stdout got.
 */
function inMac(steps: readonly ({ readonly asRoot: string } | string)[]): string {
  const commands = steps.map((each) =>
    typeof each === 'string' ? each : `/bin/sh -c ${quoted(each.asRoot)} || echo "exit $?"`,
  );
  return inRootRoom(`
mount -t tmpfs tmpfs /mnt
cd /mnt
mkdir usr bin proc dev tmp Library Library/LaunchDaemons
chmod 755 . Library Library/LaunchDaemons
mount --bind /usr usr
mount --bind /dev dev
ln -s usr/lib lib
[ ! -d /usr/lib64 ] || ln -s usr/lib64 lib64
mount -t tmpfs tmpfs usr/sbin
for name in sh cat chmod rm mkdir ls dd; do ln -s /usr/bin/$name bin/$name; done

cat >bin/launchctl <<'END'
#!/bin/sh
echo "launchctl $*"
END
cat >bin/mv <<'END'
#!/bin/sh
[ "$1" = -fh ] || exit 64
exec /usr/bin/mv -fT "$2" "$3"
END
cat >usr/sbin/chown <<'END'
#!/bin/sh
[ "$1" = root:wheel ] || exit 64
exec /usr/bin/chown 0:0 "$2"
END
cat >tmp/stat <<'END'
#!/usr/bin/perl
# stat -f %u | %Sp
my ($flag, $format, $path) = @ARGV;
exit 64 if $flag ne '-f';
my @found = lstat $path or exit 1;
if ($format eq '%u') { print "$found[4]\\n" }
elsif ($format eq '%Sp') {
  my @bits = ('---', '--x', '-w-', '-wx', 'r--', 'r-x', 'rw-', 'rwx');
  my $mode = $found[2];
  print 'd', $bits[$mode >> 6 & 7], $bits[$mode >> 3 & 7], $bits[$mode & 7], "\\n";
} else { exit 64 }
END
chmod 755 bin/launchctl bin/mv usr/sbin/chown tmp/stat
mount --bind tmp/stat usr/bin/stat
chroot . /bin/sh -eu <<'END_OF_STEPS'
PATH=/usr/bin:/bin
${commands.join('\n')}
END_OF_STEPS
`);
}

const details = (path: string): string =>
  `/usr/bin/perl -e '@s = lstat shift; printf "%o %d\\n", $s[2], $s[4]' ${path}`;

describe.skipIf(noRootRoom !== null)('as root', () => {
  test('installs both files as root’s own, loads the daemon, and leaves nothing else', () => {
    const output = inMac([
      { asRoot: installHelperText(501) },
      details(HELPER_PATH),
      details(HELPER_PLIST_PATH),
      `ls -A ${TOOLS} /Library/LaunchDaemons`,
    ]);
    expect(output.trim().split('\n')).toEqual([
      `launchctl bootout system/${HELPER_LABEL}`,
      `launchctl bootstrap system ${HELPER_PLIST_PATH}`,
      '100755 0',
      '100644 0',
      '/Library/LaunchDaemons:',
      `${HELPER_LABEL}.plist`,
      '',
      `${TOOLS}:`,
      HELPER_LABEL,
    ]);
  });

  test('what is installed is what was meant, to the byte', () => {
    expect(inMac([{ asRoot: installHelperText(501) }, `cat ${HELPER_PATH} ${HELPER_PLIST_PATH}`])).toContain(
      HELPER_SCRIPT + helperPlist(501),
    );
    expect(inMac([{ asRoot: setAtBootText(12_800) }, `cat ${BOOT_PLIST_PATH}`])).toContain(bootPlist(12_800));
  });

  test('installing again replaces an older one', () => {
    const output = inMac([
      `mkdir -m 755 ${TOOLS}; echo old >${HELPER_PATH}; echo old >${HELPER_PLIST_PATH}`,
      { asRoot: installHelperText(501) },
      `cat ${HELPER_PATH}`,
    ]);
    expect(output).toContain(HELPER_SCRIPT);
  });

  test('a link in its place is replaced, never written through', () => {
    const output = inMac([
      `mkdir -m 755 ${TOOLS}; echo precious >/tmp/victim; mkdir /tmp/folder`,
      `ln -s /tmp/victim ${HELPER_PATH}; ln -s /tmp/folder ${HELPER_PLIST_PATH}`,
      { asRoot: installHelperText(501) },
      `cat /tmp/victim; ls -A /tmp/folder; ${details(HELPER_PATH)}; ${details(HELPER_PLIST_PATH)}`,
    ]);
    expect(output.trim().split('\n').slice(-3)).toEqual(['precious', '100755 0', '100644 0']);
  });

  test.each([
    ['a folder others can write', `mkdir ${TOOLS}; chmod 777 ${TOOLS}`],
    ['a folder its group can write', `mkdir ${TOOLS}; chmod 775 ${TOOLS}`],
    ['a folder of somebody else', `mkdir -m 755 ${TOOLS}; /usr/bin/chown 501 ${TOOLS}`],
    ['a link to a folder', `mkdir -m 755 /tmp/there; ln -s /tmp/there ${TOOLS}`],
    ['a link to nowhere', `ln -s /tmp/nowhere ${TOOLS}`],
    ['a /Library others can write', `chmod 777 /Library`],
    ['a LaunchDaemons of somebody else', `/usr/bin/chown 501 /Library/LaunchDaemons`],
  ])('%s: nothing is installed, nothing is loaded', (_, before) => {
    const output = inMac([before, { asRoot: installHelperText(501) }, `ls -A ${TOOLS}/ /Library/LaunchDaemons || :`]);
    expect(output).toMatch(/^exit \d+$/m);
    expect(output).not.toContain('bootstrap');
    expect(output).not.toContain(HELPER_LABEL);
  });

  test('removing takes everything away, also twice, also when nothing is there', () => {
    const output = inMac([
      { asRoot: removeHelperText() },
      { asRoot: installHelperText(501) },
      { asRoot: setAtBootText(12_800) },
      { asRoot: removeHelperText() },
      { asRoot: removeHelperText() },
      `ls -A ${TOOLS} /Library/LaunchDaemons`,
    ]);
    expect(output.split('\n').slice(-4)).toEqual(['/Library/LaunchDaemons:', '', `${TOOLS}:`, '']);
    expect(output).not.toContain('exit ');
    expect(output).toContain(`launchctl bootout system/${BOOT_LABEL}`);
  });

  test('the setting at boot goes without the helper going', () => {
    const output = inMac([
      { asRoot: installHelperText(501) },
      { asRoot: setAtBootText(12_800) },
      { asRoot: clearAtBootText() },
      'ls -A /Library/LaunchDaemons',
    ]);
    expect(output.trim().split('\n').at(-1)).toBe(`${HELPER_LABEL}.plist`);
  });
});
