"""What the engine is doing, for ``/metrics`` and ``/events``. Written by one side, read by many."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import mlx.core as mx

# The rate of a few tokens is mostly what surrounds them: a cached prompt leaves one to read.
FEWEST_TOKENS_FOR_A_RATE = 8
FEWEST_PROMPT_TOKENS_FOR_A_RATE = 32

Phase = Literal["starting", "loading", "ready", "busy", "stopping", "failed"]


@dataclass
class _Request:
    id: str
    prompt_tokens: int
    cached_tokens: int
    phase: Literal["prefill", "decode"] = "prefill"
    prefill_done: int = 0
    generated_tokens: int = 0
    began_at: float = field(default_factory=time.monotonic)
    progress_at: float = field(default_factory=time.monotonic)
    decode_began_at: float = 0.0

    def snapshot(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "phase": self.phase,
            "prompt_tokens": self.prompt_tokens,
            "prefill_done": self.prefill_done,
            "prefill_total": self.prompt_tokens - self.cached_tokens,
            "cached_tokens": self.cached_tokens,
            "generated_tokens": self.generated_tokens,
            "idle_seconds": round(time.monotonic() - self.progress_at, 3),
        }


class Monitor:
    def __init__(self, model_path: str, residency: str, prompt_cache_limit_bytes: int) -> None:
        self._changed = threading.Condition()
        self._version = 0
        self._started_at = time.monotonic()
        self._phase: Phase = "starting"
        self._healthy = True
        self._error: dict[str, str] | None = None
        self._model_path = model_path
        self._model_type: str | None = None
        self._load: dict[str, Any] = {"loaded_bytes": 0, "total_bytes": 0, "seconds": None}
        self._request: _Request | None = None
        self._background: dict[str, int | None] | None = None
        self._rates: dict[str, float | None] = {
            "prefill_tokens_per_second": None,
            "decode_tokens_per_second": None,
        }
        self._prompt_cache = {"sequences": 0, "bytes": 0, "limit_bytes": prompt_cache_limit_bytes}
        self._residency = residency
        self._versions = {
            "mlx": str(vars(mx)["__version__"]),
            "mlx_lm": mlx_lm_version(),
            "python": platform.python_version(),
        }
        self._device = device()

    # Written by the engine.

    def enter(self, phase: Phase) -> None:
        """A failed engine stays failed, and one that stops does not get ready again."""
        with self._changed:
            if self._phase == "failed" or (self._phase == "stopping" and phase != "failed"):
                return
            self._phase = phase
            self._touch()

    def fail(self, error: BaseException) -> None:
        with self._changed:
            self._phase = "failed"
            self._healthy = False
            self._error = {"type": type(error).__name__, "message": str(error)}
            self._touch()

    def set_model(self, model_type: str | None) -> None:
        with self._changed:
            self._model_type = model_type
            self._touch()

    def loaded(self, done_bytes: int, total_bytes: int, seconds: float | None = None) -> None:
        with self._changed:
            self._load = {
                "loaded_bytes": done_bytes,
                "total_bytes": total_bytes,
                "seconds": None if seconds is None else round(seconds, 3),
            }
            self._touch()

    def begin_request(self, id: str, prompt_tokens: int, cached_tokens: int) -> None:
        with self._changed:
            self._request = _Request(id, prompt_tokens, cached_tokens)
            if self._phase == "ready":
                self._phase = "busy"
            self._touch()

    def prefilled(self, done: int) -> None:
        with self._changed:
            if self._request is not None:
                request, now = self._request, time.monotonic()
                request.prefill_done = done
                request.progress_at = now
                if done >= FEWEST_PROMPT_TOKENS_FOR_A_RATE and now > request.began_at:
                    rate = done / (now - request.began_at)
                    self._rates["prefill_tokens_per_second"] = round(rate, 2)
                self._touch()

    def generated(self, tokens: int) -> None:
        with self._changed:
            if self._request is not None:
                request, now = self._request, time.monotonic()
                if request.phase == "prefill":
                    request.phase = "decode"
                    request.decode_began_at = now
                elif tokens >= FEWEST_TOKENS_FOR_A_RATE:
                    rate = (tokens - 1) / (now - request.decode_began_at)
                    self._rates["decode_tokens_per_second"] = round(rate, 2)
                request.generated_tokens = tokens
                request.progress_at = now
                self._touch()

    def end_request(self, rates: dict[str, float | None]) -> None:
        with self._changed:
            self._request = None
            self._rates.update({name: rate for name, rate in rates.items() if rate is not None})
            if self._phase == "busy":
                self._phase = "ready"
            self._touch()

    def reading(self, done: int | None, total: int | None) -> None:
        """A prompt that may come is being read; None when it is not any more."""
        with self._changed:
            self._background = (
                None if done is None else {"prefill_done": done, "prefill_total": total}
            )
            self._touch()

    def prompt_cache(self, sequences: int, bytes: int) -> None:
        with self._changed:
            self._prompt_cache.update(sequences=sequences, bytes=bytes)
            self._touch()

    # Read by the transport.

    @property
    def phase(self) -> Phase:
        with self._changed:
            return self._phase

    @property
    def error(self) -> dict[str, str] | None:
        with self._changed:
            return self._error

    def wait_for_change(self, seen: int, seconds: float) -> int:
        """Returns the present version, after ``seconds`` at most if it is still ``seen``."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != seen, seconds)
            return self._version

    def snapshot(self) -> dict[str, Any]:
        with self._changed:
            return {
                "phase": self._phase,
                "healthy": self._healthy,
                "error": self._error,
                "pid": os.getpid(),
                "uptime_seconds": round(time.monotonic() - self._started_at, 3),
                "model": None
                if self._model_type is None
                else {"path": self._model_path, "type": self._model_type},
                "load": self._load,
                "memory": memory(),
                "device": self._device,
                "residency": self._residency,
                "request": self._request and self._request.snapshot(),
                "background": self._background,
                "rates": dict(self._rates),
                "prompt_cache": dict(self._prompt_cache),
                "versions": self._versions,
            }

    def _touch(self) -> None:
        self._version += 1
        self._changed.notify_all()


def memory() -> dict[str, int]:
    """MLX's own counters, in bytes. Plain reads, safe from any thread."""
    return {
        "active_bytes": mx.get_active_memory(),
        "peak_bytes": mx.get_peak_memory(),
        "cache_bytes": mx.get_cache_memory(),
    }


def device() -> dict[str, Any]:
    """Name and sizes as Metal reports them; the CPU build knows only its name."""
    info: dict[str, Any] = dict(mx.device_info())
    return {
        "name": str(info.get("device_name", "unknown")),
        "memory_bytes": info.get("memory_size"),
        "working_set_bytes": info.get("max_recommended_working_set_size"),
    }


def mlx_lm_version() -> str:
    """Read from its file: importing the package is slow, and metadata is not always shipped."""
    spec = importlib.util.find_spec("mlx_lm")
    if spec is None or spec.origin is None:
        return "unknown"
    text = Path(spec.origin).with_name("_version.py").read_text(encoding="utf-8")
    found = re.search(r"""__version__ = ["']([^"']+)["']""", text)
    return found[1] if found else "unknown"
