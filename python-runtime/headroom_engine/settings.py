"""What the engine was started with: arguments, and one secret from the environment."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn

from .errors import EXIT_REFUSED, Refusal

TOKEN_VARIABLE = "HEADROOM_ENGINE_TOKEN"
SHORTEST_TOKEN = 32

Residency = Literal["all", "weights", "none"]


@dataclass(frozen=True)
class Settings:
    model: str
    socket: str
    token: str
    prefill_step_size: int
    prompt_cache_bytes: int
    prompt_cache_size: int
    residency: Residency
    buffer_cache_bytes: int
    max_tokens_default: int
    cache_folder: str | None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Refusal(EXIT_REFUSED, message)


def _at_least(lowest: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text)
        if value < lowest:
            raise argparse.ArgumentTypeError(f"must be at least {lowest}")
        return value

    return parse


def read_settings(arguments: Sequence[str], environment: MutableMapping[str, str]) -> Settings:
    """Parse and check. Takes the token out of the environment, so that no child inherits it."""
    token = environment.pop(TOKEN_VARIABLE, "")
    parser = _Parser(prog="headroom_engine", allow_abbrev=False)
    parser.add_argument("--model", required=True, help="absolute path of a model folder")
    parser.add_argument("--socket", required=True, help="absolute path in a folder of mode 0700")
    parser.add_argument("--prefill-step-size", type=_at_least(1), default=512)
    parser.add_argument("--prompt-cache-bytes", type=_at_least(0), default=600_000_000)
    parser.add_argument("--prompt-cache-size", type=_at_least(0), default=2)
    parser.add_argument("--residency", choices=["all", "weights", "none"], default="all")
    parser.add_argument("--buffer-cache-bytes", type=_at_least(0), default=64 * 2**20)
    parser.add_argument("--max-tokens-default", type=_at_least(1), default=4096)
    parser.add_argument("--cache-folder", help="absolute path of a folder of mode 0700")
    options = parser.parse_args(arguments)
    if len(token) < SHORTEST_TOKEN:
        raise Refusal(
            EXIT_REFUSED, f"{TOKEN_VARIABLE} must hold at least {SHORTEST_TOKEN} characters"
        )
    for name in ("model", "socket", "cache_folder"):
        if getattr(options, name) is not None and not os.path.isabs(getattr(options, name)):
            raise Refusal(EXIT_REFUSED, f"--{name.replace('_', '-')} must be an absolute path")
    return Settings(token=token, **vars(options))
