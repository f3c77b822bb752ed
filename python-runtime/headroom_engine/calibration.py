"""What reading a prompt takes on this machine, beside weights and KV cache.

That differs tenfold between backends, so nobody can say it without measuring: two short prompts of
different length, the peak read after every chunk and after the first tokens written behind each.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import mlx.core as mx

from .errors import bad_request
from .prompt_cache import STEP_TOKENS, Layers, can_cut, frozen

# Enough to write behind the prompt, where the cache grows, and one ahead as the engine does.
TOKENS_WRITTEN: Final = 2


def check_step(step: int, longest_context: int | None) -> None:
    if step % 2:
        raise bad_request("prefill_step must be even")
    if longest_context is not None and 2 * step + TOKENS_WRITTEN > longest_context:
        raise bad_request("the model's context is too short to be calibrated with this step")


def calibrate(
    model: Any,  # noqa: ANN401  mlx_lm has no types
    new_cache: Callable[[], Layers],
    vocabulary_size: int,
    step: int,
    is_cancelled: Callable[[], bool],
) -> dict[str, Any] | None:
    """Bytes above weights and KV cache; None if cancelled: after one more chunk at most."""
    decode: list[dict[str, int]] = []
    chunks: list[int] = []
    seconds = 0.0
    for total in (step // 2, 2 * step):
        cache = new_cache()
        base = mx.get_active_memory()
        # Different experts and positions, as in real text; always the same ones.
        tokens = [(17 + 7919 * i) % vocabulary_size for i in range(total + 1)]
        for done in range(0, total, step):
            if is_cancelled():
                return None
            mx.reset_peak_memory()
            began = time.perf_counter()
            end = min(done + step, total)
            model(mx.array(tokens[done:end])[None], cache=cache)
            mx.eval([layer.state for layer in cache])
            seconds = time.perf_counter() - began
            mx.clear_cache()
            chunks.append(max(0, mx.get_peak_memory() - base - _bytes(cache)))
        # Elsewhere the cache does not grow with the next token, which is what is measured.
        if total % STEP_TOKENS == 0:
            # As the growth finds it: windows that are no longer than they stay, and what the prompt
            # cache keeps of them. The layers that grow it does not keep: their old arrays are freed
            # as the new ones come.
            cache = [layer if can_cut(layer) else frozen(layer) for layer in cache]
            kept = [frozen(layer) for layer in cache if not can_cut(layer)]
            mx.eval([layer.state for layer in [*cache, *kept]])
            mx.reset_peak_memory()
            for _ in _written(model, cache, tokens[-1]):
                if is_cancelled():
                    return None
            peak = mx.get_peak_memory() - base - _bytes(cache) - _bytes(kept)
            decode.append({"tokens": total, "bytes": max(0, peak)})
            del kept
        del cache
        mx.clear_cache()
    half, first, second = chunks
    return {
        "step": step,
        "half_chunk_bytes": half,
        "first_chunk_bytes": first,
        "second_chunk_bytes": second,
        "decode": decode,
        # Of the last chunk: the first one may have compiled what it needed.
        "tokens_per_second": round(step / seconds, 2),
    }


def _written(model: Any, cache: Layers, token: int) -> Iterator[Any]:  # noqa: ANN401
    from mlx_lm.generate import generate_step

    yield from generate_step(
        mx.array([token]), model, max_tokens=TOKENS_WRITTEN, prompt_cache=cache
    )


def _bytes(layers: Layers) -> int:
    return sum(int(layer.nbytes) for layer in layers)
