"""Loading a model folder: the tokenizer first, then the weights with real progress."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx

from .free_memory import return_free_memory
from .lean_imports import LEAN_MODEL_TYPES, install_stand_ins
from .request import SamplingDefaults, read_sampling_defaults
from .tokenizer import ChatTokenizer, FullTokenizer, LeanTokenizer

# Weights are read in portions of this size: each one is a step of progress and a chance to stop.
PORTION_BYTES = 128 * 2**20


class LoadCancelled(Exception):
    pass


@dataclass(frozen=True)
class ModelFolder:
    path: Path
    model_type: str
    # The longest sequence the model was made for, in tokens.
    longest_context: int | None
    sampling: SamplingDefaults
    total_bytes: int


def read_folder(path: str) -> ModelFolder:
    folder = Path(path)
    if not folder.is_dir():
        # mlx_lm would take the path for a repository name and look for it on the network.
        raise FileNotFoundError(f"there is no model folder at {path}")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    generation = folder / "generation_config.json"
    try:
        recommended = json.loads(generation.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        recommended = {}
    longest = config.get("max_position_embeddings")
    weights = [file.stat().st_size for file in folder.glob("model*.safetensors")]
    if not weights:
        raise FileNotFoundError(f"No safetensors found in {path}")
    return ModelFolder(
        path=folder,
        model_type=str(config.get("model_type", "unknown")),
        longest_context=longest if isinstance(longest, int) and longest > 0 else None,
        sampling=read_sampling_defaults(recommended),
        total_bytes=sum(weights),
    )


def load_tokenizer(folder: ModelFolder) -> ChatTokenizer:
    """Also decides what mlx_lm may import, so it must run before the weights are loaded."""
    tokenizer: ChatTokenizer | None = None
    if folder.model_type in LEAN_MODEL_TYPES:
        tokenizer = LeanTokenizer.read(folder.path)
    if tokenizer is not None:
        install_stand_ins()
    else:
        _check_model_type(folder.path)
        tokenizer = FullTokenizer(folder.path)
    return_free_memory()
    return tokenizer


def load_weights(
    folder: ModelFolder,
    on_progress: Callable[[int, int], None],
    is_cancelled: Callable[[], bool],
) -> Any:  # noqa: ANN401  mlx_lm has no types
    """Returns the model. Bytes are counted as they are really read."""
    from mlx.utils import tree_flatten
    from mlx_lm.utils import load_model

    on_progress(0, folder.total_bytes)
    _check_weights(folder.path)
    model, _ = load_model(folder.path, lazy=True)
    flat: Any = tree_flatten(model.parameters())
    arrays: list[mx.array] = [array for _, array in flat]
    total = sum(array.nbytes for array in arrays)
    done = waiting = 0
    portion: list[mx.array] = []
    for i, array in enumerate(arrays):
        if is_cancelled():
            raise LoadCancelled
        portion.append(array)
        waiting += array.nbytes
        if waiting >= PORTION_BYTES or i == len(arrays) - 1:
            mx.eval(portion)
            done, waiting, portion = done + waiting, 0, []
            on_progress(done, total)
    return_free_memory()
    return model


def _check_model_type(folder: Path) -> None:
    """mlx_lm's own check, before transformers says something less plain about the same folder."""
    from mlx_lm.utils import _get_classes, load_config

    _get_classes(load_config(folder))


def _check_weights(folder: Path) -> None:
    """What mlx_lm does not look at: a shard that is missing, a file that is hardly there.

    Opening the files here has one more reason. MLX does it with the interpreter locked: on a volume
    that hangs, signals and the watchdog would hang with it.
    """
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        named = set(json.loads(index.read_text(encoding="utf-8")).get("weight_map", {}).values())
        missing = sorted(name for name in named if not (folder / name).exists())
        if missing:
            raise FileNotFoundError(
                f"{len(missing)} of {len(named)} weight files are missing, first {missing[0]}"
            )
    for file in sorted(folder.glob("model*.safetensors")):
        with file.open("rb") as weights:
            if len(weights.read(8)) < 8:
                raise ValueError(
                    f"[load_safetensors] {file.name} has no header. "
                    "Perhaps an incomplete download or corrupt file?"
                )
