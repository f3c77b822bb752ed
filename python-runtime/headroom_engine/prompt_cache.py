"""The KV cache of conversations, at the points where a later prompt may go on.

A conversation is kept as one sequence. Layers with full attention can be cut at any token, so their
arrays are kept once, for the longest prompt. Layers with a sliding window cannot: of those every
checkpoint has a state of its own, a few MiB. mlx_lm's LRU keeps a whole copy for each snapshot.

Whoever goes on with a conversation takes its arrays and brings them back, longer, when it is done:
there is never a second copy of them. They are only copied for a prompt of another conversation with
the same beginning (MLX copies an array when it is written to while somebody else holds it).

Rules: the conversation that was asked last is kept whatever its length, for it was in memory while
it was answered. What is kept beside it stays within the limit; while another is answered, so does
what is kept beside that one, or beside the largest kept one, whichever is larger. So the most there
can be is the limit and one conversation. A look-up never covers the whole prompt: it would leave no
token to begin the answer with.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import mlx.core as mx

Kind = Literal["system", "user", "history"]
Layers = list[Any]  # mlx_lm's caches, one for each layer of the model

# More are of use only to who edits an old message. The instructions' own is kept beside them.
MOST_CHECKPOINTS: Final = 6
# mlx_lm's caches grow in steps of this many tokens.
STEP_TOKENS: Final = 256


@dataclass(frozen=True)
class Checkpoint:
    tokens: int
    kind: Kind
    # None for each layer that can be cut. The others are never changed, only copied.
    states: Layers

    @property
    def bytes(self) -> int:
        return sum(layer.nbytes for layer in self.states if layer is not None)

    def reach(self, common: int) -> int:
        """How many of the ``common`` first tokens it can be used for."""
        if self.tokens <= common:
            return self.tokens
        return common if all(s is None or s.is_trimmable() for s in self.states) else 0


@dataclass
class Sequence:
    key: str | None
    tokens: list[int]
    # None for each layer that cannot be cut.
    layers: Layers
    checkpoints: list[Checkpoint] = field(default_factory=list)  # by tokens
    used: int = 0

    @property
    def bytes(self) -> int:
        layers = sum(layer.nbytes for layer in self.layers if layer is not None)
        return int(layers + sum(point.bytes for point in self.checkpoints))

    def best(self, common: int) -> tuple[int, Checkpoint | None]:
        points = [(point.reach(common), point) for point in self.checkpoints]
        return max(points, key=lambda found: found[0], default=(0, None))


@dataclass(frozen=True)
class Taken:
    """A cache for the beginning of a prompt, and the checkpoints within it."""

    cache: Layers | None
    tokens: int
    points: list[Checkpoint]


class PromptCache:
    def __init__(self, most_sequences: int, limit_bytes: int) -> None:
        self._most_sequences = most_sequences
        self.limit_bytes = limit_bytes
        self._kept: list[Sequence] = []
        self._clock = itertools.count(1)

    @property
    def sequences(self) -> int:
        return len(self._kept)

    @property
    def bytes(self) -> int:
        return sum(sequence.bytes for sequence in self._kept)

    def fetch(self, prompt: list[int]) -> tuple[Layers | None, int]:
        """A cache for the longest known beginning of the prompt, and that beginning's length."""
        found = self._nearest(prompt)
        if found is None:
            return None, 0
        reach, sequence, point = found
        return layers_at(sequence, point, reach), reach

    def take(self, prompt: list[int], key: str | None) -> Taken:
        """The same, for whoever brings it back with ``keep``: what it goes on with is not kept here
        any longer."""
        found = self._nearest(prompt)
        if found is None:
            return Taken(None, 0, [])
        reach, sequence, point = found
        layers = layers_at(sequence, point, reach)
        points = [each for each in sequence.checkpoints if each.tokens <= reach]
        goes_on = key is not None or reach == len(sequence.tokens)
        if sequence.key == key and goes_on:
            self._kept = [each for each in self._kept if each is not sequence]
        return Taken(layers, reach, points)

    def keep(
        self, tokens: list[int], cache: Layers, points: list[Checkpoint], key: str | None
    ) -> None:
        """What was taken, with more checkpoints, and maybe more behind the last of them: that is
        cut off."""
        if not points or not self._keeps_any:
            return
        points = sorted(points, key=lambda point: point.tokens)
        tokens = tokens[: points[-1].tokens]
        layers = [cut_to(layer, len(tokens)) if can_cut(layer) else None for layer in cache]
        self._put(Sequence(key, tokens, layers, points))

    def _nearest(self, prompt: list[int]) -> tuple[int, Sequence, Checkpoint] | None:
        best: tuple[int, Sequence, Checkpoint] | None = None
        for sequence in self._kept:
            common = common_length(sequence.tokens, prompt, len(prompt) - 1)
            reach, point = sequence.best(common)
            if point is not None and reach > 0 and (best is None or reach > best[0]):
                best = (reach, sequence, point)
        # A beginning that many conversations share is no use of this one.
        if best is not None and best[0] == len(best[1].tokens):
            best[1].used = next(self._clock)
        return best

    def insert(self, tokens: list[int], cache: Layers, kind: Kind, key: str | None = None) -> None:
        """A checkpoint behind these tokens. A conversation named by ``key`` is kept once: where it
        has taken another way, the old one goes."""
        if tokens:
            self.keep(tokens, cache, [checkpoint(cache, len(tokens), kind)], key)

    def put(self, sequence: Sequence) -> bool:
        """One that was kept elsewhere; false if there is no room for it."""
        if self._keeps_any:
            self._put(sequence)
        return self._keeps_any

    def find(self, key: str) -> Sequence | None:
        return next((sequence for sequence in self._kept if sequence.key == key), None)

    def remove(self, key: str) -> None:
        self._kept = [sequence for sequence in self._kept if sequence.key != key]

    def clear(self) -> None:
        self._kept = []

    def make_room_beside(self, bytes: int) -> bool:
        """For caches in use that are not kept here, as they grow. True if something had to go."""
        before = len(self._kept)
        while self._kept:
            largest = max(bytes, *(sequence.bytes for sequence in self._kept))
            if self.bytes + bytes <= self.limit_bytes + largest:
                break
            self._kept = sorted(self._kept, key=lambda kept: kept.used)[1:]
        return len(self._kept) < before

    @property
    def _keeps_any(self) -> bool:
        return self._most_sequences > 0 and self.limit_bytes > 0

    def _put(self, new: Sequence) -> None:
        replaced: list[Sequence] = []
        for old in self._kept:
            common = common_length(old.tokens, new.tokens, len(new.tokens))
            shared = [point for point in old.checkpoints if point.tokens <= common]
            is_same = old.key == new.key
            if common == len(new.tokens) and (is_same or new.key is None):
                # Part of a longer one, which stays.
                new.key, new.tokens, new.layers = old.key, old.tokens, old.layers
                shared = old.checkpoints
                replaced.append(old)
            elif (is_same and new.key is not None) or (
                old.key is None and common == len(old.tokens)
            ):
                replaced.append(old)
            new.checkpoints = _joined(shared, new.checkpoints)
        others = [old for old in self._kept if all(old is not each for each in replaced)]
        others.sort(key=lambda old: old.used)
        _thin(new)
        while len(others) >= self._most_sequences or (
            others and sum(old.bytes for old in others) > self.limit_bytes
        ):
            others.pop(0)
        new.used = next(self._clock)
        self._kept = [*others, new]


def checkpoint(cache: Layers, tokens: int, kind: Kind) -> Checkpoint:
    states = [None if can_cut(layer) else frozen(layer) for layer in cache]
    # Until it is computed, a part of an array holds on to the whole.
    mx.eval([state.state for state in states if state is not None])
    return Checkpoint(tokens, kind, states)


def cut_to(layer: Any, tokens: int) -> Any:  # noqa: ANN401  mlx_lm has no types
    """The same arrays for fewer tokens. One layer after the other, so that no more than one is
    there twice."""
    kept = copy.deepcopy(layer)
    kept.offset = tokens
    needed = -(-tokens // STEP_TOKENS) * STEP_TOKENS
    if kept.keys.shape[2] >= needed + STEP_TOKENS:
        kept.keys = mx.contiguous(kept.keys[..., :needed, :])
        kept.values = mx.contiguous(kept.values[..., :needed, :])
        layer.keys = layer.values = None
    mx.eval(kept.keys, kept.values)
    return kept


def can_cut(layer: Any) -> bool:  # noqa: ANN401  mlx_lm has no types
    from mlx_lm.models.cache import KVCache

    return type(layer) is KVCache


def frozen(layer: Any) -> Any:  # noqa: ANN401  mlx_lm has no types
    """A copy that stays as it is, without what the next token no longer looks at."""
    from mlx_lm.models.cache import RotatingKVCache

    kept = copy.deepcopy(layer)
    if type(kept) is not RotatingKVCache or kept.keys is None or kept.keep != 0:
        return kept
    # Reading a prompt leaves a window and a chunk, in order of time; the window is enough.
    if kept._idx == kept.keys.shape[2] > kept.max_size:
        kept.keys = mx.contiguous(kept.keys[..., -kept.max_size :, :])
        kept.values = mx.contiguous(kept.values[..., -kept.max_size :, :])
        kept._idx = kept.max_size
    return kept


def layers_at(sequence: Sequence, point: Checkpoint, tokens: int) -> Layers:
    """Caches of their own, ready to go on behind so many tokens."""
    out: Layers = []
    for whole, state in zip(sequence.layers, point.states, strict=True):
        if state is not None:
            layer = copy.deepcopy(state)
            if tokens < point.tokens:
                layer.trim(point.tokens - tokens)
        else:
            layer = copy.deepcopy(whole)
            layer.offset = tokens
            needed = -(-tokens // STEP_TOKENS) * STEP_TOKENS
            if layer.keys is not None and layer.keys.shape[2] > needed:
                layer.keys = layer.keys[..., :needed, :]
                layer.values = layer.values[..., :needed, :]
        out.append(layer)
    return out


def common_length(a: list[int], b: list[int], most: int) -> int:
    """How many tokens both begin with, up to ``most``."""
    low, high = 0, min(len(a), len(b), max(most, 0))
    if a[:high] == b[:high]:
        return high
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _joined(old: Items[Checkpoint], new: Items[Checkpoint]) -> list[Checkpoint]:
    by_tokens = {point.tokens: point for point in [*old, *new]}
    return [by_tokens[tokens] for tokens in sorted(by_tokens)]


def _thin(sequence: Sequence) -> None:
    """The oldest ones go, but the instructions' own."""
    points = sequence.checkpoints
    while len(points) > MOST_CHECKPOINTS:
        points.pop(1 if points[0].kind == "system" else 0)
