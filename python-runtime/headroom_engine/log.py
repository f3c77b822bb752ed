"""Log lines. The terminal belongs to the app; chat text never goes there."""

from __future__ import annotations

import contextlib
import sys


def log(line: str) -> None:
    # The terminal may be gone: losing a line must not stop an orderly end.
    with contextlib.suppress(OSError, ValueError):
        print(f"headroom-engine: {line}", file=sys.stderr, flush=True)
