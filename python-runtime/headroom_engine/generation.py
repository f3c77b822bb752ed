"""The generation thread: loads the model, then answers one request after the other.

Everything MLX evaluates happens on this one thread, from the first weight to the release of the
last. Its own loop over ``generate_step``, mlx_lm's plain single-sequence path: the prompt is fed
here in chunks, so that it can be cancelled between them and snapshots can be kept where a later
prompt may go on.
"""

from __future__ import annotations

import contextlib
import gc
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import mlx.core as mx

from .answer import Answer, FinishReason
from .deltas import Delta
from .errors import EXIT_GENERATION_DIED, EXIT_LOAD_FAILED, ApiError, one_line
from .loading import LoadCancelled, ModelFolder, load_tokenizer, load_weights, read_folder
from .log import log
from .monitor import (
    FEWEST_PROMPT_TOKENS_FOR_A_RATE,
    FEWEST_TOKENS_FOR_A_RATE,
    Monitor,
    device,
)
from .prompt_cache import Kind, PromptCache
from .request import Sampling
from .residency import WiredLimit
from .settings import Settings
from .tokenizer import ChatTokenizer

# A cancelled request ends with the chunk or token in work. More than this, and it hangs.
LONGEST_WIND_DOWN_SECONDS = 60.0


@dataclass(frozen=True)
class Prefilling:
    """The prompt is being read. ``done`` and ``total`` count tokens that were not cached."""

    done: int
    total: int


@dataclass(frozen=True)
class Generated:
    deltas: list[Delta]


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
class Finished:
    reason: FinishReason
    length_in: str | None
    usage: Usage
    timings: Timings


@dataclass(frozen=True)
class Failed:
    """The answer ends without being complete."""

    error: ApiError


Event = Prefilling | Generated | Finished | Failed


@dataclass
class Job:
    id: str
    prompt: list[int]
    # Ends of beginnings worth a snapshot, beside the end of the prompt itself.
    boundaries: list[tuple[int, Kind]]
    sampling: Sampling
    max_tokens: int
    answer: Answer
    encode_more: Callable[[str], list[int]]
    # Whether the client has closed its connection, even if nobody has looked yet.
    is_abandoned: Callable[[], bool]
    events: queue.SimpleQueue[Event] = field(default_factory=queue.SimpleQueue)
    cancelled: threading.Event = field(default_factory=threading.Event)
    # The user does not want to wait for the end of the thinking.
    answer_now: threading.Event = field(default_factory=threading.Event)
    thinking_budget: int | None = None
    # False for a side request: it reads the cache, and leaves nothing in it.
    keeps_cache: bool = True

    def forced(self) -> list[int]:
        """Tokens to put in where the answer stands now: they end the thinking."""
        budget = self.thinking_budget
        spent = budget is not None and self.answer.reasoning_tokens >= budget
        if not spent and not self.answer_now.is_set():
            return []
        text = self.answer.end_of_thinking()
        return [] if text is None else self.encode_more(text)


class DropCaches:
    """In the queue of jobs: look at whether the caches are to be dropped."""


class Slot:
    """One request at a time. A second one is refused, or waits for a cancelled one to wind down."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._live: Job | None = None

    def take(self, job: Job) -> None:
        deadline = time.monotonic() + LONGEST_WIND_DOWN_SECONDS
        with self._changed:
            while self._live is not None:
                if self._live.is_abandoned():
                    self._live.cancelled.set()
                if not self._live.cancelled.is_set():
                    raise ApiError(409, "busy", "another answer is being written")
                if job.is_abandoned():
                    raise ApiError(499, "cancelled", "the client is gone")
                if time.monotonic() > deadline:
                    raise ApiError(409, "busy", "a cancelled answer has not ended yet")
                self._changed.wait(0.1)
            self._live = job

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
            if self._live is None or self._live.id != id:
                return False
            self._live.answer_now.set()
            return True


class Generation:
    """``on_death`` is called with an exit code when the thread ends by itself."""

    def __init__(
        self, settings: Settings, monitor: Monitor, on_death: Callable[[int], None]
    ) -> None:
        self._settings = settings
        self._monitor = monitor
        self._on_death = on_death
        self._slot = Slot()
        # DropCaches only wakes a thread that waits; one that answers looks at the event by itself.
        self._jobs: queue.SimpleQueue[Job | DropCaches | None] = queue.SimpleQueue()
        self._drop_wanted = threading.Event()
        self._stopping = threading.Event()
        self._tokenizer_known = threading.Event()
        self._thread = threading.Thread(target=self._run, name="generation", daemon=True)
        self._model: Any = None
        self._prompt_cache: PromptCache | None = None
        # Set by the thread before it announces them.
        self.folder: ModelFolder | None = None
        self.tokenizer: ChatTokenizer | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Cancels what is running and joins. Model and caches are gone afterwards."""
        self._stopping.set()
        self._slot.cancel()
        self._jobs.put(None)
        self._thread.join()

    def wait_for_tokenizer(self, seconds: float) -> bool:
        return self._tokenizer_known.wait(seconds)

    def submit(self, job: Job) -> None:
        """Raises ``ApiError`` unless the job now has the engine to itself."""
        self._refuse_unless_ready()
        self._slot.take(job)
        try:
            self._refuse_unless_ready()
        except ApiError:
            self._slot.free()
            raise
        self._jobs.put(job)

    def answer_now(self, id: str) -> bool:
        """Ends the thinking of this request; False when it does not run."""
        return self._slot.answer_now(id)

    def drop_caches(self) -> None:
        """Gives back what is kept only to be faster: at once when idle, else with the chunk or
        token in work. An answer under way goes on."""
        self._drop_wanted.set()
        self._jobs.put(DropCaches())

    def _drop_if_wanted(self) -> None:
        if not self._drop_wanted.is_set():
            return
        self._drop_wanted.clear()
        if self._prompt_cache is not None:
            self._prompt_cache.clear()
            self._monitor.prompt_cache(0, 0)
        gc.collect()
        mx.clear_cache()

    def _refuse_unless_ready(self) -> None:
        match self._monitor.phase:
            case "starting" | "loading":
                raise ApiError(503, "loading", "the model is being loaded")
            case "stopping":
                raise ApiError(503, "stopping", "the engine is stopping")
            case "failed":
                raise ApiError(503, "failed", "the engine has failed and is about to exit")
            case "ready" | "busy":
                pass

    def _run(self) -> None:
        wired: WiredLimit | None = None
        try:
            wired = WiredLimit(
                self._settings.residency, device()["working_set_bytes"], mx.set_wired_limit
            )
            if self._load(wired):
                self._answer_requests()
        except Exception as error:
            self._die(error, "generation died", EXIT_GENERATION_DIED)
        finally:
            self._turn_away_the_rest()
            self._release(wired)

    def _load(self, wired: WiredLimit) -> bool:
        began = time.monotonic()
        try:
            self._monitor.enter("loading")
            self.folder = read_folder(self._settings.model)
            self._monitor.set_model(self.folder.model_type)
            self.tokenizer = load_tokenizer(self.folder)
            self._tokenizer_known.set()
            mx.set_cache_limit(self._settings.buffer_cache_bytes)
            wired.before_load()
            self._model = load_weights(self.folder, self._monitor.loaded, self._stopping.is_set)
            wired.after_load(mx.get_active_memory())
            self._prompt_cache = PromptCache(
                self._settings.prompt_cache_size, self._settings.prompt_cache_bytes
            )
        except LoadCancelled:
            return False
        except Exception as error:
            self._die(error, "load failed", EXIT_LOAD_FAILED)
            return False
        size = mx.get_active_memory()
        self._monitor.loaded(size, size, time.monotonic() - began)
        self._monitor.enter("ready")
        log(f"ready: {self.folder.model_type}, {size / 2**20:.0f} MiB")
        return True

    def _answer_requests(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._drop_if_wanted()
            if isinstance(job, DropCaches):
                continue
            try:
                last = _cancelled(job) if self._stopping.is_set() else self._answer(job)
            except Exception as error:
                # After a failure inside MLX its streams may be poisoned, so there is no next one.
                message = one_line(f"{type(error).__name__}: {error}")
                job.events.put(Failed(ApiError(500, "generation_failed", message)))
                with contextlib.suppress(OSError, ValueError):  # The terminal may be gone.
                    traceback.print_exc(file=sys.stderr)
                raise
            # Free before the client knows, so that its next request finds the engine free.
            self._slot.free()
            job.events.put(last)

    def _answer(self, job: Job) -> Finished | Failed:
        from mlx_lm.generate import generation_stream

        assert self._prompt_cache is not None
        rates: dict[str, float | None] = {}
        began = time.perf_counter()
        cache, start = self._prompt_cache.fetch(job.prompt)
        self._monitor.begin_request(job.id, len(job.prompt), start)
        try:
            with mx.stream(generation_stream):
                if cache is None:
                    cache = self._new_cache()
                if job.sampling.seed is not None:
                    mx.random.seed(job.sampling.seed % 2**64)
                if not self._prefill(job, cache, start):
                    return _cancelled(job)
                steps = self._decode(job, cache)
                first: float | None = None
                now = began
                try:
                    for token in steps:
                        now = time.perf_counter()
                        if first is None:
                            first = now
                            self._monitor.prefilled(len(job.prompt) - start)
                        deltas = job.answer.add(token)
                        self._monitor.generated(job.answer.tokens)
                        if deltas:
                            job.events.put(Generated(deltas))
                        self._drop_if_wanted()
                        if job.answer.ended:
                            break
                        if job.cancelled.is_set():
                            return _cancelled(job)
                finally:
                    steps.close()
                    timings = _timings(began, first or now, now, len(job.prompt) - start, job)
                    rates = {
                        "prefill_tokens_per_second": timings.prefill_tokens_per_second,
                        "decode_tokens_per_second": timings.decode_tokens_per_second,
                    }
            if rest := job.answer.finish():
                job.events.put(Generated(rest))
            usage = Usage(len(job.prompt), start, job.answer.tokens, job.answer.reasoning_tokens)
            return Finished(job.answer.finish_reason, job.answer.length_in, usage, timings)
        finally:
            self._monitor.end_request(rates)

    def _prefill(self, job: Job, cache: list[Any], start: int) -> bool:
        """All of the prompt but its last token. False if it was cancelled on the way."""
        assert self._prompt_cache is not None
        last = len(job.prompt) - 1
        job.events.put(Prefilling(0, last + 1 - start))
        ends: list[tuple[int, Kind]] = [b for b in job.boundaries if start < b[0] < last]
        done = start
        for end, kind in [*ends, (last, "user")]:
            while done < end:
                if job.cancelled.is_set():
                    return False
                n = min(self._settings.prefill_step_size, end - done)
                self._model(mx.array(job.prompt[done : done + n])[None], cache=cache)
                mx.eval([layer.state for layer in cache])
                mx.clear_cache()
                done += n
                self._monitor.prefilled(done - start)
                self._drop_if_wanted()
                job.events.put(Prefilling(done - start, last + 1 - start))
            if end > start and job.keeps_cache:
                self._prompt_cache.insert(job.prompt[:end], cache, kind)
                self._monitor.prompt_cache(self._prompt_cache.sequences, self._prompt_cache.bytes)
        return not job.cancelled.is_set()

    def _decode(self, job: Job, cache: list[Any]) -> Generator[int]:
        """The tokens of the answer, one by one. Where tokens are put in, ``generate_step`` begins
        anew behind them: of the token it had sampled in their place the cache holds nothing."""
        from mlx_lm.generate import generate_step

        sampler, processors = _sampler(job.sampling), _logits_processors(job.sampling)
        # What the cache does not hold yet.
        ahead = job.prompt[-1:]
        forced = job.forced()
        left = job.max_tokens
        while left > 0:
            ahead = ahead + forced
            yield from forced[:left]
            left -= len(forced)
            steps = generate_step(
                mx.array(ahead),
                self._model,
                max_tokens=max(left, 0),
                sampler=sampler,
                logits_processors=processors,
                prompt_cache=cache,
            )
            try:
                for token, _ in steps:
                    left -= 1
                    yield token
                    if forced := job.forced():
                        break
                else:
                    return
            finally:
                steps.close()
            ahead = []

    def _new_cache(self) -> list[Any]:
        from mlx_lm.models.cache import make_prompt_cache

        return list(make_prompt_cache(self._model))

    def _turn_away_the_rest(self) -> None:
        """A request that slipped in behind the end of the queue."""
        with contextlib.suppress(queue.Empty):
            while True:
                if isinstance(job := self._jobs.get_nowait(), Job):
                    job.events.put(_cancelled(job))

    def _die(self, error: Exception, what: str, exit_code: int) -> None:
        self._monitor.fail(error)
        self._tokenizer_known.set()  # Or known to be missing: nobody need wait for it any longer.
        log(one_line(f"{what}: {type(error).__name__}: {error}"))
        self._on_death(exit_code)

    def _release(self, wired: WiredLimit | None) -> None:
        """On the thread that made them, so that nothing is evaluated on another one."""
        self._model = None
        if self._prompt_cache is not None:
            self._prompt_cache.clear()
            self._prompt_cache = None
            self._monitor.prompt_cache(0, 0)
        gc.collect()
        try:
            mx.synchronize()
            mx.clear_cache()
            if wired is not None:
                wired.release()
        except RuntimeError as error:  # Metal, after it has failed once
            log(one_line(f"release: {error}"))


def _cancelled(job: Job) -> Failed:
    job.cancelled.set()
    return Failed(ApiError(503, "cancelled", "the answer was cancelled"))


def _sampler(sampling: Sampling) -> Any:  # noqa: ANN401  mlx_lm has no types
    from mlx_lm.sample_utils import make_sampler

    return make_sampler(
        sampling.temperature, top_p=sampling.top_p, top_k=sampling.top_k, min_p=sampling.min_p
    )


def _logits_processors(sampling: Sampling) -> Any:  # noqa: ANN401  mlx_lm has no types
    from mlx_lm.sample_utils import make_logits_processors

    repetition = sampling.repetition_penalty
    return make_logits_processors(
        sampling.logit_bias,
        None if repetition in (0, 1) else repetition,
        sampling.repetition_context_size,
        sampling.presence_penalty or None,
        sampling.repetition_context_size,
        sampling.frequency_penalty or None,
        sampling.repetition_context_size,
    )


def _timings(began: float, first: float, last: float, prefilled: int, job: Job) -> Timings:
    prefill, decode = first - began, last - first
    decoded = job.answer.tokens - 1
    return Timings(
        prefill_seconds=round(prefill, 6),
        decode_seconds=round(decode, 6),
        prefill_tokens_per_second=round(prefilled / prefill, 2)
        if prefill > 0 and prefilled >= FEWEST_PROMPT_TOKENS_FOR_A_RATE
        else None,
        decode_tokens_per_second=round(decoded / decode, 2)
        if decode > 0 and decoded >= FEWEST_TOKENS_FOR_A_RATE - 1
        else None,
    )
