"""The listening socket: only our own user can reach it, and only one engine owns it."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import sys

from .errors import EXIT_REFUSED, EXIT_SOCKET_IN_USE, Refusal

# sockaddr_un.sun_path holds 104 bytes on macOS and 108 on Linux, the closing zero included.
LONGEST_PATH_BYTES = 103 if sys.platform == "darwin" else 100


class PrivateSocket:
    """A bound and listening Unix socket. ``close`` removes only the file it made itself."""

    def __init__(self, path: str) -> None:
        _check_path(path)
        _remove_stale(path)
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # The mode must be right from the first moment, so the umask, not a later chmod.
        umask = os.umask(0o177)
        try:
            self.socket.bind(path)
        except OSError as error:
            self.socket.close()
            raise Refusal(EXIT_REFUSED, f"cannot make the socket {path}: {error}") from error
        finally:
            os.umask(umask)
        self._inode = os.lstat(path).st_ino
        self.socket.listen(64)

    def close(self) -> None:
        self.socket.close()
        with contextlib.suppress(OSError):
            if os.lstat(self.path).st_ino == self._inode:
                os.unlink(self.path)


def _check_path(path: str) -> None:
    size = len(os.fsencode(path))
    if size > LONGEST_PATH_BYTES:
        raise Refusal(
            EXIT_REFUSED,
            f"the socket path has {size} bytes, {LONGEST_PATH_BYTES} are the most: {path}",
        )
    folder = os.path.dirname(path)
    try:
        info = os.lstat(folder)
    except OSError as error:
        raise Refusal(EXIT_REFUSED, f"the socket's folder cannot be read: {error}") from error
    if not stat.S_ISDIR(info.st_mode):
        raise Refusal(EXIT_REFUSED, f"the socket's folder is not a folder: {folder}")
    if info.st_uid != os.geteuid() or stat.S_IMODE(info.st_mode) & 0o077:
        raise Refusal(EXIT_REFUSED, f"the socket's folder must be ours alone (mode 0700): {folder}")


def _remove_stale(path: str) -> None:
    try:
        info = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(info.st_mode):
        raise Refusal(EXIT_REFUSED, f"something that is not a socket is in the way: {path}")
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe.settimeout(2)
    try:
        probe.connect(path)
    except (ConnectionRefusedError, FileNotFoundError):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return
    except OSError:
        pass  # Somebody is there, too busy to answer.
    finally:
        probe.close()
    raise Refusal(EXIT_SOCKET_IN_USE, f"another engine answers on {path}")
