"""Snapshots of the KV cache at points where a later prompt may go on: mlx_lm's LRU, kept small.

Two rules on top. The byte limit holds at every moment: room is made before a snapshot is put in,
and one larger than the limit is not kept. A look-up never covers the whole prompt: an exact hit
would leave no token to begin the answer with, which kills the stock server's generation thread.
"""

from __future__ import annotations

import copy
from typing import Any, Literal

Kind = Literal["system", "user", "assistant"]
_MODEL = "model"  # one engine has one model


class PromptCache:
    def __init__(self, most_sequences: int, limit_bytes: int) -> None:
        from mlx_lm.models.cache import LRUPromptCache

        self._lru = LRUPromptCache(max_size=max(most_sequences, 1), max_bytes=limit_bytes)
        self._most_sequences = most_sequences
        self.limit_bytes = limit_bytes

    @property
    def sequences(self) -> int:
        return len(self._lru)

    @property
    def bytes(self) -> int:
        return int(self._lru.nbytes)

    def fetch(self, prompt: list[int]) -> tuple[list[Any] | None, int]:
        """A copy of the cache for the longest known beginning, and that beginning's length."""
        cache, rest = self._lru.fetch_nearest_cache(_MODEL, prompt[:-1])
        return cache, 0 if cache is None else len(prompt) - 1 - len(rest)

    def insert(self, tokens: list[int], cache: list[Any], kind: Kind) -> None:
        size = sum(layer.nbytes for layer in cache)
        if not tokens or self._most_sequences == 0 or size > self.limit_bytes:
            return
        self._lru.trim_to(n_bytes=self.limit_bytes - size)
        self._lru.insert_cache(_MODEL, tokens, copy.deepcopy(cache), cache_type=kind)

    def clear(self) -> None:
        self._lru.trim_to(n_sequences=0)
