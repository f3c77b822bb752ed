"""Errors that leave the engine: over HTTP with a status, or as an exit code."""

from __future__ import annotations

from typing import Final

EXIT_STOPPED: Final = 0
EXIT_REFUSED: Final = 64
EXIT_SOCKET_IN_USE: Final = 65
EXIT_GENERATION_DIED: Final = 70
EXIT_LOAD_FAILED: Final = 71
EXIT_WATCHDOG: Final = 75


class ApiError(Exception):
    """An answer other than 200. ``code`` is for programs, ``message`` for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class Refusal(Exception):
    """The engine will not start as asked. Ends the process with ``exit_code``."""

    def __init__(self, exit_code: int, message: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def bad_request(message: str) -> ApiError:
    return ApiError(400, "bad_request", message)


def one_line(text: str, limit: int = 2000) -> str:
    """Log lines are read line by line, and ``Missing N parameters`` lists thousands of names."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
