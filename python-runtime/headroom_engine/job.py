"""What the generation thread is asked to do, and what it tells while it does it.

One piece of work at a time, kept by ``Slot``:

    Job         an answer. A second one is refused while it is written.
    Reading     of a prompt that may come. It gives way to answers and errands, at once.
    Calibration of what reading takes. It gives way to everything.
    Errand      short, such as a cache to or from a file. Everybody waits for it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .answer import Answer, FinishReason
from .constraint import Constraint
from .deltas import Delta
from .errors import ApiError
from .prompt_cache import Kind
from .request import Sampling

# A cancelled request ends with the chunk or token in work. More than this, and it hangs.
LONGEST_WIND_DOWN_SECONDS = 60.0


@dataclass(frozen=True)
class Prefilling:
    """The prompt is being read. ``done`` and ``total`` count tokens that were not cached."""

    done: int
    total: int


@dataclass(frozen=True)
class TokenChance:
    """One token of the answer, and how likely it was; ``top`` are the likeliest in its place."""

    token: int
    logprob: float
    top: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Generated:
    deltas: list[Delta]
    chances: list[TokenChance] = field(default_factory=list)


@dataclass(frozen=True)
class Usage:
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int


@dataclass(frozen=True)
class Timings:
    prefill_seconds: float
    decode_seconds: float
    prefill_tokens_per_second: float | None
    decode_tokens_per_second: float | None


@dataclass(frozen=True)
class Memory:
    """MLX's own count for this answer, and what the prompt cache held of it."""

    peak_bytes: int
    kept_before_bytes: int
    kept_while_writing_bytes: int
    prefill_step: int


@dataclass(frozen=True)
class Finished:
    reason: FinishReason
    length_in: str | None
    # The stop text that ended it.
    stop_text: str | None
    usage: Usage
    timings: Timings
    memory: Memory


@dataclass(frozen=True)
class Failed:
    """The work ends without being complete."""

    error: ApiError


@dataclass(frozen=True)
class Done:
    """An errand's or a reading's end."""

    value: dict[str, Any]


Event = Prefilling | Generated | Finished | Failed | Done


@dataclass
class Work:
    id: str
    # Whether the client has closed its connection, even if nobody has looked yet.
    is_abandoned: Callable[[], bool]
    events: queue.SimpleQueue[Event] = field(default_factory=queue.SimpleQueue, kw_only=True)
    cancelled: threading.Event = field(default_factory=threading.Event, kw_only=True)
    # Its last event is there.
    over: threading.Event = field(default_factory=threading.Event, kw_only=True)

    def end(self, last: Event) -> None:
        self.events.put(last)
        self.over.set()


@dataclass
class Job(Work):
    prompt: list[int]
    # Ends of beginnings worth a checkpoint, beside the end of the prompt itself.
    boundaries: list[tuple[int, Kind]]
    sampling: Sampling
    max_tokens: int
    answer: Answer
    encode_more: Callable[[str], list[int]]
    # The user does not want to wait for the end of the thinking.
    answer_now: threading.Event = field(default_factory=threading.Event)
    thinking_budget: int | None = None
    # False for a side request: it reads the cache, and leaves nothing in it.
    keeps_cache: bool = True
    cache_key: str | None = None
    # Tokens read at once; None for the engine's own.
    prefill_step: int | None = None
    # The form the answer must have.
    constraint: Constraint | None = None
    # How many of the likeliest tokens are told with each token; None for no chances at all.
    top_logprobs: int | None = None

    def forced(self) -> list[int]:
        """Tokens to put in where the answer stands now: they end the thinking."""
        budget = self.thinking_budget
        spent = budget is not None and self.answer.reasoning_tokens >= budget
        if not spent and not self.answer_now.is_set():
            return []
        text = self.answer.end_of_thinking()
        return [] if text is None else self.encode_more(text)


@dataclass
class Reading(Work):
    prompt: list[int]
    cache_key: str | None


@dataclass
class Calibration(Work):
    step: int


@dataclass
class Errand(Work):
    """``run`` is called with this on the generation thread. Its ``ApiError`` is the client's
    answer."""

    run: Callable[[Errand], dict[str, Any]]


def _gives_way(live: Work, work: Work) -> bool:
    match live:
        case Calibration():
            return not isinstance(work, Calibration)
        case Reading():
            return not isinstance(work, Reading | Calibration)
        case _:
            return False


class Slot:
    """One at a time. What is refused may be asked again; what waits does so for a bounded time."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._live: Work | None = None

    def take(self, work: Work) -> None:
        deadline = time.monotonic() + LONGEST_WIND_DOWN_SECONDS
        with self._changed:
            while self._live is not None:
                if self._live.is_abandoned() or _gives_way(self._live, work):
                    self._live.cancelled.set()
                ends_soon = self._live.cancelled.is_set() or isinstance(self._live, Errand)
                if not ends_soon:
                    raise ApiError(409, "busy", "another answer is being written")
                if work.is_abandoned():
                    raise ApiError(499, "cancelled", "the client is gone")
                if time.monotonic() > deadline:
                    raise ApiError(409, "busy", "a cancelled answer has not ended yet")
                self._changed.wait(0.1)
            self._live = work

    def free(self) -> None:
        with self._changed:
            self._live = None
            self._changed.notify_all()

    def cancel(self) -> None:
        with self._changed:
            if self._live is not None:
                self._live.cancelled.set()

    def answer_now(self, id: str) -> bool:
        """False when that request does not run."""
        with self._changed:
            if not isinstance(self._live, Job) or self._live.id != id:
                return False
            self._live.answer_now.set()
            return True
