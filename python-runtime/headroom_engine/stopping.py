"""When the engine has to stop: a signal, the terminal hanging up, the parent gone, or a failure."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading

from .errors import EXIT_STOPPED, EXIT_WATCHDOG
from .log import log

PARENT_CHECK_SECONDS = 0.5
WATCHDOG_SECONDS = 8.0


class StopRequest:
    """A pipe, because a signal handler must not take a lock the interrupted code may hold."""

    def __init__(self, parent_pid: int) -> None:
        self._parent_pid = parent_pid
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._reasons: list[tuple[str, int]] = []

    def listen_to_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, self._on_signal)
        # A client that went away is an error of its own connection only.
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)

    def ask(self, reason: str, exit_code: int = EXIT_STOPPED) -> None:
        self._reasons.append((reason, exit_code))
        with contextlib.suppress(BlockingIOError):  # Full of wake-ups already.
            os.write(self._writer, b"x")

    def wait(self) -> tuple[str, int]:
        """The reason and the exit code. Looks for the parent meanwhile."""
        while not self._reasons:
            readable, _, _ = select.select([self._reader], [], [], PARENT_CHECK_SECONDS)
            if not readable and os.getppid() != self._parent_pid:
                return "the parent process is gone", EXIT_STOPPED
        return self._reasons[0]

    def _on_signal(self, number: int, _frame: object) -> None:
        self.ask(signal.Signals(number).name)


def start_watchdog() -> None:
    """Ends the process hard if the orderly end takes too long."""

    def end() -> None:
        log(f"did not stop within {WATCHDOG_SECONDS:.0f} s, leaving at once")
        os._exit(EXIT_WATCHDOG)

    timer = threading.Timer(WATCHDOG_SECONDS, end)
    timer.daemon = True
    timer.start()
