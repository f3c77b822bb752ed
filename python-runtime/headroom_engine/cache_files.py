"""A conversation's KV cache in a file and back, with mlx_lm's own save and load.

A file is taken back only if it is, byte for byte, what was saved (its SHA-256 was told then), was
made by this model with this tokenizer, and holds exactly the caches this model has. Whatever is
wrong with it, it is refused and the prompt is read again: nothing else is lost.

What stands in it is the conversation: the folder is 0700, the files are 0600.

Saving takes no memory: MLX hands over the arrays where they lie, and the system's file cache, which
would be taken from apps that want it, is passed by. It can be broken off between two pieces.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import os
import re
import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import mlx.core as mx

from .errors import ApiError, bad_request, one_line
from .loading import ModelFolder
from .prompt_cache import STEP_TOKENS, Checkpoint, Layers, Sequence

FORMAT: Final = "headroom-1"
NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
# Class names, scalars, and a few bytes for each of 131,072 tokens.
LARGEST_HEADER_BYTES: Final = 8 * 2**20
# The end of the history, and the end of the last question: for the next turn, and for a new answer.
SAVED_CHECKPOINTS: Final = 2
# Between two looks at whether somebody wants the engine. A disk writes it in some milliseconds.
PIECE_BYTES: Final = 8 * 2**20

_CLASSES: Final = frozenset({"KVCache", "RotatingKVCache"})
_DTYPES: Final = {
    "F32": mx.float32,
    "F16": mx.float16,
    "BF16": mx.bfloat16,
    "I32": mx.int32,
}


class _Unfit(Exception):
    """Why a file is not taken."""


class _CancelledError(Exception):
    """In the middle of a file."""


class _Sink(io.RawIOBase):
    """A file that hashes what is written to it and keeps no more than a piece in the system's file
    cache."""

    def __init__(self, descriptor: int, cancelled: Callable[[], bool]) -> None:
        self._descriptor = descriptor
        self._cancelled = cancelled
        self.sha256 = hashlib.sha256()
        self.written = 0
        self._settled = 0
        if past_the_cache := getattr(fcntl, "F_NOCACHE", None):  # macOS
            fcntl.fcntl(descriptor, past_the_cache, 1)

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.written

    def write(self, data: Any) -> int:  # noqa: ANN401  anything with a buffer
        whole = memoryview(data).cast("B")
        for begin in range(0, len(whole), PIECE_BYTES):
            if self._cancelled():
                raise _CancelledError
            piece = whole[begin : begin + PIECE_BYTES]
            self.sha256.update(piece)
            while piece:
                done = os.write(self._descriptor, piece)
                self.written += done
                piece = piece[done:]
            if self.written - self._settled >= PIECE_BYTES:
                self.settle()
        return len(whole)

    def settle(self) -> None:
        os.fsync(self._descriptor)
        if forget := getattr(os, "posix_fadvise", None):  # Linux
            span = (self._settled, self.written - self._settled)
            forget(self._descriptor, *span, os.POSIX_FADV_DONTNEED)
        self._settled = self.written

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


class CacheFiles:
    def __init__(self, folder: str, model_folder: ModelFolder, model: Any) -> None:  # noqa: ANN401  untyped
        self._folder = folder
        self._fingerprint = fingerprint(model_folder)
        self._model = model

    def save(
        self, name: str, sequence: Sequence, cancelled: Callable[[], bool] = lambda: False
    ) -> dict[str, Any]:
        from mlx_lm.models.cache import save_prompt_cache

        self._check_folder()
        path = self._path(name)
        points = sequence.checkpoints[-SAVED_CHECKPOINTS:]
        layers = _flat(sequence, points)
        if not layers or any(type(layer).__name__ not in _CLASSES for layer in layers):
            raise ApiError(409, "cannot_save", "this model's cache has a form that is not saved")
        described = {
            "format": FORMAT,
            "model": self._fingerprint,
            "tokens": json.dumps(sequence.tokens, separators=(",", ":")),
            "checkpoints": json.dumps([[point.tokens, point.kind] for point in points]),
        }
        draft = path.with_name(f".{name}.{secrets.token_hex(4)}")
        try:
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW
            descriptor = os.open(draft, flags, 0o600)
            with _Sink(descriptor, cancelled) as sink:
                # A name is what its types ask for; MLX takes whatever can be written to.
                save_prompt_cache(cast("str", sink), layers, described)
                sink.settle()
                written = {"bytes": sink.written, "sha256": sink.sha256.hexdigest()}
            draft.replace(path)
        except _CancelledError as error:
            raise ApiError(503, "cancelled", "the saving was broken off") from error
        except (OSError, RuntimeError) as error:
            message = one_line(f"the cache could not be written: {error}", 200)
            raise ApiError(507, "disk", message) from error
        finally:
            with contextlib.suppress(OSError):
                draft.unlink()
        return {"tokens": len(sequence.tokens), **written}

    def load(
        self,
        name: str,
        key: str,
        sha256: str,
        blank: Layers,
        make_room: Callable[[int], object] = lambda _: None,
    ) -> Sequence:
        """``blank`` is an empty cache of this model. It is filled to learn what belongs in one.
        ``make_room`` is told how many bytes are about to be taken."""
        from mlx_lm.models.cache import load_prompt_cache

        self._check_folder()
        path = self._path(name)
        try:
            header, data_bytes = _checked_file(path, sha256)
            saved = _Saved.read(header, self._fingerprint)
            self._model(mx.array([[0]]), cache=blank)
            _check_tensors(header, data_bytes, saved, blank)
            make_room(data_bytes)
            layers = load_prompt_cache(str(path))
            mx.eval([layer.state for layer in layers])
            return saved.sequence(key, layers, blank)
        except FileNotFoundError as error:
            raise ApiError(404, "not_found", "there is no such file") from error
        except _Unfit as error:
            raise ApiError(409, "bad_cache", f"the file is not taken: {error}") from error
        except (OSError, RuntimeError, ValueError, LookupError, TypeError) as error:
            message = one_line(f"the file is not taken: {type(error).__name__}: {error}", 200)
            raise ApiError(409, "bad_cache", message) from error

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise bad_request("file must be a name of letters, digits, - and _")
        return Path(self._folder) / f"{name}.safetensors"

    def _check_folder(self) -> None:
        try:
            about = os.lstat(self._folder)
        except OSError as error:
            raise ApiError(507, "disk", "the folder for caches is not there") from error
        private = stat.S_ISDIR(about.st_mode) and about.st_mode & 0o077 == 0
        if not private or about.st_uid != os.getuid():
            raise ApiError(507, "disk", "the folder for caches is not private")


def fingerprint(folder: ModelFolder) -> str:
    """Of what a prompt's tokens and their KV depend on. Weights count by name, size, time and
    header: reading them all would take as long as the cache saves."""
    from .monitor import mlx_lm_version

    sum = hashlib.sha256(f"{FORMAT} {mlx_lm_version()}".encode())
    names = ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
    for name in names:
        file = folder.path / name
        content = file.read_bytes() if file.is_file() else b""
        sum.update(f"\n{name} {len(content)} ".encode() + content)
    for file in sorted(folder.path.glob("model*.safetensors")):
        about = file.stat()
        sum.update(f"\n{file.name} {about.st_size} {about.st_mtime_ns} ".encode())
        with file.open("rb") as weights:
            sum.update(weights.read(65_536))
    return sum.hexdigest()


@dataclass(frozen=True)
class _Saved:
    """What the header says about the caches."""

    tokens: list[int]
    points: list[tuple[int, Any]]
    classes: list[str]
    # Arrays that mlx_lm makes into something else again, and into what.
    scalars: dict[str, str]

    @classmethod
    def read(cls, header: dict[str, Any], model: str) -> _Saved:
        texts = header.get("__metadata__")
        if not isinstance(texts, dict) or texts.get("0.format") != FORMAT:
            raise _Unfit("it is not a cache of this engine")
        if texts.get("0.model") != model:
            raise _Unfit("another model or tokenizer made it")
        try:
            tokens = json.loads(texts["0.tokens"])
            points = json.loads(texts["0.checkpoints"])
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise _Unfit("its description cannot be read") from error
        if not isinstance(tokens, list) or not all(type(t) is int and t >= 0 for t in tokens):
            raise _Unfit("its tokens are none")
        if not isinstance(points, list) or not 0 < len(points) <= SAVED_CHECKPOINTS:
            raise _Unfit("it has no checkpoints")
        for point in points:
            if not isinstance(point, list) or len(point) != 2 or type(point[0]) is not int:
                raise _Unfit("its checkpoints are none")
            if point[1] not in ("system", "user", "history") or not 0 < point[0] <= len(tokens):
                raise _Unfit("its checkpoints lie outside")
        classes = [texts.get(f"1.{i}") for i in range(len(texts))]
        found = classes[: classes.index(None)] if None in classes else classes
        scalars = {
            str(texts[f"2.{i}.0"]): str(texts.get(f"2.{i}.1"))
            for i in range(1, len(texts))
            if f"2.{i}.0" in texts
        }
        return cls(
            tokens, [(n, kind) for n, kind in points], [str(name) for name in found], scalars
        )

    def sequence(self, key: str, layers: Layers, blank: Layers) -> Sequence:
        whole: Layers = []
        for layer, empty in zip(layers, blank, strict=False):
            cut = type(empty).__name__ == "KVCache"
            if cut and layer.offset != len(self.tokens):
                raise _Unfit("a layer holds another number of tokens")
            whole.append(layer if cut else None)
        rest = iter([layer for layer in layers if type(layer).__name__ == "RotatingKVCache"])
        checkpoints = []
        for tokens, kind in reversed(self.points):
            states: Layers = []
            for empty in blank:
                if type(empty).__name__ == "KVCache":
                    states.append(None)
                    continue
                states.append(state := next(rest))
                same_form = (state.max_size, state.keep) == (empty.max_size, empty.keep)
                if not same_form or state.offset != tokens:
                    raise _Unfit("a window lies elsewhere")
                held = state.keys.shape[2]
                if not (0 < state._idx <= held or state._idx == 0) or held > state.max_size:
                    raise _Unfit("a window has another form")
            checkpoints.append(Checkpoint(tokens, kind, states))
        checkpoints.sort(key=lambda point: point.tokens)
        return Sequence(key, self.tokens, whole, checkpoints)


def _flat(sequence: Sequence, points: list[Checkpoint]) -> Layers:
    """The model's layers at the last checkpoint, then the windows of the earlier ones."""
    *earlier, last = points
    pairs = zip(sequence.layers, last.states, strict=True)
    out = [whole if state is None else state for whole, state in pairs]
    for point in reversed(earlier):
        out += [state for state in point.states if state is not None]
    return out


def _checked_file(path: Path, sha256: str) -> tuple[dict[str, Any], int]:
    """The header and the length of what follows it, if the file is ours and the one that was
    saved."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with open(descriptor, "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or about.st_uid != os.getuid():
            raise _Unfit("it is not ours")
        if about.st_mode & 0o077:
            raise _Unfit("others can reach it")
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise _Unfit("it is not what was saved")
        file.seek(0)
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(LARGEST_HEADER_BYTES, about.st_size - 8):
            raise _Unfit("it has no header")
        try:
            header = json.loads(file.read(length))
        except (ValueError, RecursionError) as error:
            raise _Unfit("its header cannot be read") from error
    if not isinstance(header, dict):
        raise _Unfit("its header cannot be read")
    return header, about.st_size - 8 - length


def _check_tensors(header: dict[str, Any], data_bytes: int, saved: _Saved, blank: Layers) -> None:
    """Exactly the arrays that belong there, each of its form, one behind the other."""
    windows = [layer for layer in blank if type(layer).__name__ != "KVCache"]
    expected = [*blank, *windows * (len(saved.points) - 1)]
    if saved.classes != [type(layer).__name__ for layer in expected]:
        raise _Unfit("this model has other caches")
    wanted = {
        f"{i}.{n}": "scalar" for i, layer in enumerate(expected) for n in range(2, len(layer.state))
    }
    if saved.scalars != wanted:
        raise _Unfit("its numbers are none")
    found = {name: tensor for name, tensor in header.items() if name != "__metadata__"}
    spans: list[tuple[int, int]] = []
    for i, layer in enumerate(expected):
        for n in range(len(layer.state)):
            tensor = found.pop(f"{i}.{n}", None)
            if not isinstance(tensor, dict):
                raise _Unfit("an array is missing")
            shape, dtype = tensor.get("shape"), _DTYPES.get(str(tensor.get("dtype")))
            if n >= 2:
                fits = dtype == mx.int32 and shape == []
            else:
                like = layer.state[n]
                fits = dtype == like.dtype and _fits(shape, list(like.shape), layer, saved.tokens)
            if not fits or dtype is None or not isinstance(shape, list):
                raise _Unfit("an array has another form")
            size = dtype.size
            for side in shape:
                size *= side
            span = tensor.get("data_offsets")
            if not isinstance(span, list) or len(span) != 2 or span[1] - span[0] != size:
                raise _Unfit("an array has another length")
            spans.append((span[0], span[1]))
    if found:
        raise _Unfit("it holds more than a cache")
    at = 0
    for begin, end in sorted(spans):
        if begin != at:
            raise _Unfit("its arrays overlap")
        at = end
    if at != data_bytes:
        raise _Unfit("its arrays end elsewhere")


def _fits(shape: object, like: list[int], layer: Any, tokens: list[int]) -> bool:  # noqa: ANN401
    if not isinstance(shape, list) or len(shape) != 4 or not all(type(s) is int for s in shape):
        return False
    if [*shape[:2], shape[3]] != [*like[:2], like[3]]:
        return False
    if type(layer).__name__ == "KVCache":
        return bool(len(tokens) <= shape[2] < len(tokens) + STEP_TOKENS)
    return bool(0 < shape[2] <= layer.max_size)
