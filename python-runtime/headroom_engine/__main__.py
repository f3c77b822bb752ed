"""``python -I -m headroom_engine``: start, serve, stop in order."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import NoReturn

# Read before the slow imports: a parent that dies during them must be noticed.
_PARENT_PID = os.getppid()

from .errors import Refusal  # noqa: E402
from .log import log  # noqa: E402
from .private_socket import PrivateSocket  # noqa: E402
from .settings import read_settings  # noqa: E402
from .stopping import StopRequest, start_watchdog  # noqa: E402


def main() -> int:
    stop = StopRequest(_PARENT_PID)
    stop.listen_to_signals()
    try:
        settings = read_settings(sys.argv[1:], os.environ)
        listener = PrivateSocket(settings.socket)
    except Refusal as refusal:
        log(f"refused: {refusal}")
        return refusal.exit_code

    # MLX is imported only by an engine that is going to run.
    from .generation import Generation
    from .monitor import Monitor
    from .transport import Transport

    monitor = Monitor(settings.model, settings.residency, settings.prompt_cache_bytes)
    generation = Generation(
        settings, monitor, lambda code: stop.ask("the generation thread ended", code)
    )
    transport = Transport(settings, listener, monitor, generation)
    generation.start()
    transport.start()

    reason, exit_code = stop.wait()
    log(f"stopping: {reason}")
    start_watchdog()
    monitor.enter("stopping")
    generation.stop()
    transport.stop()
    log("released")
    return exit_code


def leave(exit_code: int) -> NoReturn:
    """Everything is released by now. Tearing down the interpreter beside MLX's threads can abort
    the process and turn a clean end into signal 6."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(exit_code)


if __name__ == "__main__":
    leave(main())
