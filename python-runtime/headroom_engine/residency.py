"""How much memory MLX keeps wired, decided here and nowhere else.

mlx_lm wires the whole recommended working set in two places: when its server starts and in every
``BatchGenerator``. This engine runs neither; it sets the limit itself, or leaves it alone
(``none``): ml-explore/mlx#3186 saw no kernel panic in ten runs without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from .log import log
from .settings import Residency

# Beside the weights themselves, so that the last buffer is not the one left out.
WEIGHTS_MARGIN_BYTES = 64 * 2**20


def limit_before_load(mode: Residency, working_set_bytes: int | None) -> int | None:
    """Bytes to wire before the weights are loaded; None leaves MLX's limit as it is."""
    return working_set_bytes if mode == "all" else None


def limit_after_load(
    mode: Residency, working_set_bytes: int | None, weights_bytes: int
) -> int | None:
    match mode:
        case "all" | "none":
            return None
        case "weights":
            # Metal refuses a limit above the working set.
            if working_set_bytes is None:
                return None
            return min(weights_bytes + WEIGHTS_MARGIN_BYTES, working_set_bytes)
        case _:
            assert_never(mode)


class WiredLimit:
    """Sets the limit through ``set_limit`` (``mlx.core.set_wired_limit``) and takes it back."""

    def __init__(
        self,
        mode: Residency,
        working_set_bytes: int | None,
        set_limit: Callable[[int], int],
    ) -> None:
        self._mode = mode
        self._working_set_bytes = working_set_bytes
        self._set_limit = set_limit
        self._before: int | None = None

    def before_load(self) -> None:
        self._apply(limit_before_load(self._mode, self._working_set_bytes))

    def after_load(self, weights_bytes: int) -> None:
        self._apply(limit_after_load(self._mode, self._working_set_bytes, weights_bytes))

    def release(self) -> None:
        if self._before is not None:
            self._set_limit(self._before)
            self._before = None

    def _apply(self, limit: int | None) -> None:
        if limit is None:
            return
        try:
            before = self._set_limit(limit)
        except (ValueError, RuntimeError) as error:
            # Unwired the model runs too, only less steadily under pressure.
            log(f"the wired limit could not be set to {limit}: {error}")
            return
        if self._before is None:
            self._before = before
