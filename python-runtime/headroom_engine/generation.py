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
from typing import Any

import mlx.core as mx

from .cache_files import CacheFiles
from .calibration import calibrate, check_step
from .constraint import Constraint
from .errors import EXIT_GENERATION_DIED, EXIT_LOAD_FAILED, ApiError, one_line
from .job import (
    Calibration,
    Done,
    Errand,
    Event,
    Failed,
    Finished,
    Generated,
    Job,
    Memory,
    Prefilling,
    Reading,
    Slot,
    Timings,
    TokenChance,
    Usage,
    Work,
)
from .loading import LoadCancelled, ModelFolder, load_tokenizer, load_weights, read_folder
from .log import log
from .monitor import (
    FEWEST_PROMPT_TOKENS_FOR_A_RATE,
    FEWEST_TOKENS_FOR_A_RATE,
    Monitor,
    device,
)
from .penalties import Penalties
from .prompt_cache import (
    STEP_TOKENS,
    Checkpoint,
    Kind,
    Layers,
    PromptCache,
    can_cut,
    checkpoint,
)
from .request import Sampling
from .residency import WiredLimit
from .settings import Settings
from .tokenizer import ChatTokenizer

# Of a prompt that may come, so much is read between two looks at whether somebody wants an answer.
READING_STEP_TOKENS = 128
# What was read before it was broken off is kept from this many tokens on.
FEWEST_TOKENS_WORTH_KEEPING = 64


class DropCaches:
    """In the queue of jobs: look at whether the caches are to be dropped."""


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
        self._jobs: queue.SimpleQueue[Work | DropCaches | None] = queue.SimpleQueue()
        self._drop_wanted = threading.Event()
        # During the work under way: what it holds is not kept either.
        self._dropped = False
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

    def submit(self, work: Work) -> None:
        """Raises ``ApiError`` unless this work now has the engine to itself."""
        self._refuse_unless_ready()
        self._slot.take(work)
        try:
            self._refuse_unless_ready()
        except ApiError:
            self._slot.free()
            raise
        self._jobs.put(work)

    def save_cache(self, file: str, key: str, cancelled: Callable[[], bool]) -> dict[str, Any]:
        """A conversation's cache to a file. Runs on the generation thread, as an errand."""
        assert self._prompt_cache is not None
        sequence = self._prompt_cache.find(key)
        if sequence is None:
            raise ApiError(404, "not_cached", "nothing is cached of this conversation")
        return self._cache_files().save(file, sequence, cancelled)

    def load_cache(self, file: str, key: str, sha256: str) -> dict[str, Any]:
        assert self._prompt_cache is not None
        files, make_room = self._cache_files(), self._prompt_cache.make_room_beside
        sequence = files.load(file, key, sha256, self._new_cache(), make_room)
        kept = self._prompt_cache.put(sequence)
        self._tell_cache()
        if not kept:
            raise ApiError(409, "no_room", "this engine keeps no prompts")
        return {"tokens": len(sequence.tokens), "bytes": sequence.bytes}

    def forget_cache(self, key: str) -> dict[str, Any]:
        assert self._prompt_cache is not None
        self._prompt_cache.remove(key)
        self._tell_cache()
        mx.clear_cache()
        return {}

    def _cache_files(self) -> CacheFiles:
        assert self.folder is not None
        if self._settings.cache_folder is None:
            raise ApiError(400, "no_cache_folder", "the engine was given no folder for caches")
        return CacheFiles(self._settings.cache_folder, self.folder, self._model)

    def _tell_cache(self) -> None:
        assert self._prompt_cache is not None
        self._monitor.prompt_cache(self._prompt_cache.sequences, self._prompt_cache.bytes)

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
        self._dropped = True
        if self._prompt_cache is not None:
            self._prompt_cache.clear()
            self._tell_cache()
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
        from mlx_lm.generate import generation_stream

        while (work := self._jobs.get()) is not None:
            self._drop_if_wanted()
            if isinstance(work, DropCaches):
                continue
            try:
                with mx.stream(generation_stream):
                    last = _cancelled(work) if self._stopping.is_set() else self._do(work)
            except Exception as error:
                # After a failure inside MLX its streams may be poisoned, so there is no next one.
                message = one_line(f"{type(error).__name__}: {error}")
                work.end(Failed(ApiError(500, "generation_failed", message)))
                with contextlib.suppress(OSError, ValueError):  # The terminal may be gone.
                    traceback.print_exc(file=sys.stderr)
                raise
            # Free before the client knows, so that its next request finds the engine free.
            self._slot.free()
            work.end(last)

    def _do(self, work: Work) -> Event:
        self._dropped = False
        match work:
            case Job():
                return self._answer(work)
            case Reading():
                return self._read_ahead(work)
            case Calibration():
                return self._calibrate(work)
            case Errand():
                try:
                    return Done(work.run(work))
                except ApiError as error:
                    return Failed(error)
            case _:
                raise TypeError(type(work).__name__)

    def _read_ahead(self, work: Reading) -> Done:
        """A prompt that may come, all of it. Broken off, it keeps what it has."""
        assert self._prompt_cache is not None
        # One token more, so that a cache for the whole counts.
        taken = self._prompt_cache.take([*work.prompt, -1], work.cache_key)
        cache, start, points = taken.cache or self._new_cache(), taken.tokens, taken.points
        total = len(work.prompt) - start
        step = min(READING_STEP_TOKENS, self._settings.prefill_step_size)
        try:
            done = start
            if total > 0:
                self._monitor.reading(0, total)
                done = self._read(
                    work,
                    cache,
                    start,
                    [(len(work.prompt), "history")],
                    step,
                    lambda done: self._monitor.reading(done, total),
                    points,
                )
            if not self._dropped:
                self._prompt_cache.keep(work.prompt, cache, points, work.cache_key)
        finally:
            self._tell_cache()
            self._monitor.reading(None, None)
        return Done(
            {
                "tokens": len(work.prompt),
                "cached_tokens": start,
                "read_tokens": done - start,
                "complete": done == len(work.prompt),
            }
        )

    def _calibrate(self, work: Calibration) -> Done | Failed:
        assert self.folder is not None
        assert self.tokenizer is not None
        try:
            check_step(work.step, self.folder.longest_context)
        except ApiError as error:
            return Failed(error)
        size, cancelled = self.tokenizer.vocabulary_size, work.cancelled.is_set
        found = calibrate(self._model, self._new_cache, size, work.step, cancelled)
        return _cancelled(work) if found is None else Done(found)

    def _read(
        self,
        work: Job | Reading,
        cache: Layers,
        start: int,
        ends: list[tuple[int, Kind]],
        step: int,
        on_progress: Callable[[int], None],
        points: list[Checkpoint],
    ) -> int:
        """The prompt from ``start`` to the last of the ends, with a checkpoint at each of them.
        Returns how far it has come: less, if it was cancelled on the way."""
        done = start
        for end, kind in ends:
            while done < end and not work.cancelled.is_set():
                if self._dropped and isinstance(work, Reading):
                    return done  # Nobody asked for it, and the memory is wanted for something else.
                self._make_room_beside(cache)
                n = min(step, end - done)
                self._model(mx.array(work.prompt[done : done + n])[None], cache=cache)
                mx.eval([layer.state for layer in cache])
                mx.clear_cache()
                done += n
                self._drop_if_wanted()
                on_progress(done - start)
            least = 1 if done == end else FEWEST_TOKENS_WORTH_KEEPING
            if done - start >= least:
                points.append(checkpoint(cache, done, kind))
            if done < end:
                break
        return done

    def _answer(self, job: Job) -> Finished | Failed:
        assert self._prompt_cache is not None
        rates: dict[str, float | None] = {}
        began = time.perf_counter()
        mx.reset_peak_memory()
        if job.keeps_cache:
            taken = self._prompt_cache.take(job.prompt, job.cache_key)
            found, start, points = taken.cache, taken.tokens, taken.points
        else:
            found, start = self._prompt_cache.fetch(job.prompt)
            points = []
        cache = found or self._new_cache()
        del found
        self._tell_cache()
        kept_before = self._prompt_cache.bytes
        self._monitor.begin_request(job.id, len(job.prompt), start)
        said: list[int] = []
        try:
            if job.sampling.seed is not None:
                mx.random.seed(job.sampling.seed % 2**64)
            if not self._prefill(job, cache, start, points):
                return _cancelled(job)
            kept_while_writing = self._prompt_cache.bytes + sum(point.bytes for point in points)
            steps = self._decode(job, cache)
            first: float | None = None
            now = began
            try:
                for token, logprobs in steps:
                    now = time.perf_counter()
                    if first is None:
                        first = now
                        self._monitor.prefilled(len(job.prompt) - start)
                    said.append(token)
                    in_answer = job.answer.answering
                    deltas = job.answer.add(token)
                    self._monitor.generated(job.answer.tokens)
                    if job.answer.tokens % STEP_TOKENS == 0:
                        self._make_room_beside(cache)
                    chances = _chances(job, token, logprobs) if in_answer else []
                    if deltas or chances:
                        job.events.put(Generated(deltas, chances))
                    self._drop_if_wanted()
                    if job.answer.ended:
                        break
                    if job.constraint is not None and job.constraint.error is not None:
                        message = f"the form cannot be kept: {job.constraint.error}"
                        return Failed(ApiError(500, "constraint_failed", one_line(message, 300)))
                    if job.cancelled.is_set():
                        return _cancelled(job)
            finally:
                steps.close()
                timings = _timings(began, first or now, now, len(job.prompt) - start, job)
                rates = {
                    "prefill_tokens_per_second": timings.prefill_tokens_per_second,
                    "decode_tokens_per_second": timings.decode_tokens_per_second,
                }
            memory = Memory(
                mx.get_peak_memory(), kept_before, kept_while_writing, self._step_of(job)
            )
            if rest := job.answer.finish():
                job.events.put(Generated(rest))
            usage = Usage(len(job.prompt), start, job.answer.tokens, job.answer.reasoning_tokens)
            answer = job.answer
            return Finished(
                answer.finish_reason, answer.length_in, answer.stop_text, usage, timings, memory
            )
        finally:
            if sys.exception() is None:
                self._keep(job, cache, points, said)
            self._monitor.end_request(rates)

    def _make_room_beside(self, cache: Layers) -> None:
        assert self._prompt_cache is not None
        if self._prompt_cache.make_room_beside(sum(layer.nbytes for layer in cache)):
            self._tell_cache()

    def _keep(self, job: Job, cache: Layers, points: list[Checkpoint], said: list[int]) -> None:
        """Also of an answer that was broken off; unless the memory was wanted back meanwhile."""
        assert self._prompt_cache is not None
        if not job.keeps_cache or self._dropped:
            return
        tokens = job.prompt
        if all(can_cut(layer) for layer in cache) and cache[0].offset > len(job.prompt):
            # Where it can be cut anywhere, the next turn uses of it what stands in the history.
            tokens = (job.prompt + said)[: cache[0].offset]
            points = [*points, checkpoint(cache, len(tokens), "history")]
        self._prompt_cache.keep(tokens, cache, points, job.cache_key)
        self._tell_cache()

    def _prefill(self, job: Job, cache: Layers, start: int, points: list[Checkpoint]) -> bool:
        """All of the prompt but its last token. False if it was cancelled on the way."""
        last = len(job.prompt) - 1
        total = last + 1 - start

        def progress(done: int) -> None:
            self._monitor.prefilled(done)
            job.events.put(Prefilling(done, total))

        job.events.put(Prefilling(0, total))
        ends: list[tuple[int, Kind]] = [b for b in job.boundaries if start < b[0] < last]
        step = self._step_of(job)
        done = self._read(job, cache, start, [*ends, (last, "user")], step, progress, points)
        return done == last and not job.cancelled.is_set()

    def _step_of(self, job: Job) -> int:
        return job.prefill_step or self._settings.prefill_step_size

    def _decode(self, job: Job, cache: Layers) -> Generator[tuple[int, mx.array | None]]:
        """The tokens of the answer with their chances, one by one. Where tokens are put in,
        ``generate_step`` begins anew behind them: of the token it had sampled in their place the
        cache holds nothing."""
        from mlx_lm.generate import generate_step

        assert self.tokenizer is not None
        sampler, processors = _sampler(job.sampling), _bias(job.sampling)
        counting: list[Penalties | Constraint] = []
        if Penalties.wanted(job.sampling):
            counting.append(Penalties(job.sampling, self.tokenizer.control_tokens()))
        if job.constraint is not None:
            # Last: what the form rules out stays out.
            counting.append(job.constraint)
        # What the cache does not hold yet.
        ahead = job.prompt[-1:]
        forced = job.forced()
        left = job.max_tokens
        while left > 0:
            ahead = ahead + forced
            if job.constraint is not None:
                job.constraint.put_in(forced)
            for processor in counting:
                processor.begin(len(ahead))
            for token in forced[:left]:
                yield token, None
            left -= len(forced)
            if left <= 0:
                return
            steps = generate_step(
                mx.array(ahead),
                self._model,
                max_tokens=left,
                sampler=sampler,
                logits_processors=[*processors, *counting],
                prompt_cache=cache,
            )
            try:
                for sampled, logprobs in steps:
                    left -= 1
                    yield int(sampled), logprobs
                    if forced := job.forced():
                        break
                else:
                    return
            finally:
                steps.close()
            ahead = []

    def _new_cache(self) -> Layers:
        from mlx_lm.models.cache import make_prompt_cache

        return list(make_prompt_cache(self._model))

    def _turn_away_the_rest(self) -> None:
        """A request that slipped in behind the end of the queue."""
        with contextlib.suppress(queue.Empty):
            while True:
                if isinstance(work := self._jobs.get_nowait(), Work):
                    work.end(_cancelled(work))

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


def _cancelled(work: Work) -> Failed:
    work.cancelled.set()
    return Failed(ApiError(503, "cancelled", "the answer was cancelled"))


def _sampler(sampling: Sampling) -> Any:  # noqa: ANN401  mlx_lm has no types
    from mlx_lm.sample_utils import make_sampler

    return make_sampler(
        sampling.temperature, top_p=sampling.top_p, top_k=sampling.top_k, min_p=sampling.min_p
    )


def _bias(sampling: Sampling) -> list[Any]:
    from mlx_lm.sample_utils import make_logits_processors

    return list(make_logits_processors(sampling.logit_bias))


def _chances(job: Job, token: int, logprobs: mx.array | None) -> list[TokenChance]:
    """None for tokens that were put in: nobody chose them."""
    most = job.top_logprobs
    if most is None or logprobs is None or job.answer.is_end(token):
        return []
    top: tuple[tuple[int, float], ...] = ()
    if most > 0:
        likeliest = mx.argpartition(-logprobs, most)[:most]
        ids: Any = likeliest.tolist()
        values: Any = logprobs[likeliest].tolist()
        top = tuple(sorted(zip(ids, values, strict=True), key=lambda pair: -pair[1]))
    own: Any = logprobs[token].item()
    return [TokenChance(token, own, top)]


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
