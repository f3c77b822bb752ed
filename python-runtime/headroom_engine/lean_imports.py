"""Keeps transformers and huggingface_hub out of the process, where nothing of them is used.

mlx_lm names a few of their classes at module level. A gpt-oss folder needs none of them: it is read
with ``tokenizers`` and ``jinja2`` alone, and nothing is ever downloaded. Measured on Linux, Python
3.11: 46 MiB less. Only for model types whose mlx_lm module does not import transformers itself.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Final, NoReturn

LEAN_MODEL_TYPES: Final = frozenset({"gpt_oss"})


class _Absent:
    """Stands for a class that is only named, subclassed or registered, never used."""

    @staticmethod
    def register(*_: object, **__: object) -> None:
        pass


def _never_called(*_: object, **__: object) -> NoReturn:
    raise RuntimeError("the engine reads local model folders only")


def install_stand_ins() -> None:
    """Must run before mlx_lm is imported. Leaves modules that are loaded already alone."""
    names: dict[str, dict[str, object]] = {
        "transformers": {
            "AutoTokenizer": _Absent,
            "PreTrainedTokenizer": _Absent,
            "PreTrainedTokenizerFast": _Absent,
        },
        "transformers.tokenization_utils_base": {"PreTrainedTokenizerBase": _Absent},
        "huggingface_hub": {"snapshot_download": _never_called},
    }
    if any(name in sys.modules for name in names):
        return
    for name, attributes in names.items():
        module = ModuleType(name, "Stand-in of headroom_engine.lean_imports.")
        vars(module).update(attributes)
        sys.modules[name] = module
