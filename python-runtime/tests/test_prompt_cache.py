"""What the prompt cache keeps of conversations, compared with reading everything anew."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headroom_engine.loading import load_tokenizer, load_weights, read_folder
from headroom_engine.prompt_cache import (
    MOST_CHECKPOINTS,
    PromptCache,
    checkpoint,
    common_length,
    layers_at,
)

LIMIT = 10**9


@pytest.fixture(scope="module")
def loaded(model: Path) -> Any:
    folder = read_folder(str(model))
    load_tokenizer(folder)
    return load_weights(folder, lambda *_: None, lambda: False)


def blank(loaded: Any) -> list[Any]:
    from mlx_lm.models.cache import make_prompt_cache

    return list(make_prompt_cache(loaded))


def read(loaded: Any, cache: list[Any], tokens: list[int], step: int = 64) -> mx.array:
    """Logits behind the last token."""
    logits = mx.array([])
    for at in range(0, len(tokens), step):
        logits = loaded(mx.array(tokens[at : at + step])[None], cache=cache)
        mx.eval(logits, [layer.state for layer in cache])
    return logits[0, -1]


def words(seed: int, count: int) -> list[int]:
    return [random.Random(seed * 1000 + i).randrange(2000) for i in range(count)]


def chat(kept: PromptCache, loaded: Any, tokens: list[int], kind: Any, key: str | None) -> int:
    cache, start = kept.fetch([*tokens, -1])
    cache = cache or blank(loaded)
    if start < len(tokens):
        read(loaded, cache, tokens[start:])
    kept.insert(tokens, cache, kind, key)
    return start


def test_goes_on_as_if_all_had_been_read(loaded: Any) -> None:
    """Twelve turns with answers that are not in the history, an edit and a second answer."""
    kept = PromptCache(2, LIMIT)
    history = words(1, 150)
    for turn in range(12):
        question = [*history, *words(100 + turn, 40)]
        start = chat(kept, loaded, question, "user", "a")
        assert start == (0 if turn == 0 else len(history))
        cache, start = kept.fetch([*question, 7])
        assert start == len(question)
        assert cache is not None
        expected = read(loaded, blank(loaded), [*question, 7])
        got = read(loaded, cache, [7])
        assert mx.allclose(got, expected, atol=1e-2, rtol=1e-2).item()
        # The thinking and the answer are written behind the question, in the same cache.
        read(loaded, cache, words(300 + turn, 30))
        history = [*question, *words(200 + turn, 20)]
        assert chat(kept, loaded, history, "history", "a") == len(question)
    assert kept.sequences == 1
    again, start = kept.fetch([*question, 7])
    assert start == len(question), "a second answer to the last question"
    assert again is not None
    assert mx.allclose(read(loaded, again, [7]), expected, atol=1e-2, rtol=1e-2).item()


def test_checkpoints_cost_only_their_windows(loaded: Any) -> None:
    kept = PromptCache(2, LIMIT)
    tokens = words(1, 1000)
    chat(kept, loaded, tokens[:200], "system", "a")
    alone = kept.bytes
    whole = sum(layer.nbytes for layer in _filled(loaded, tokens))
    for end in range(300, 1001, 50):
        chat(kept, loaded, tokens[:end], "history", "a")
    assert kept.sequences == 1
    sequence = kept.find("a")
    assert sequence is not None
    assert len(sequence.checkpoints) == MOST_CHECKPOINTS
    assert sequence.checkpoints[0].kind == "system"
    assert sequence.checkpoints[-1].tokens == 1000
    # A copy for each would be four times as much.
    assert alone < kept.bytes < 2.2 * whole


def _filled(loaded: Any, tokens: list[int]) -> list[Any]:
    cache = blank(loaded)
    read(loaded, cache, tokens)
    return cache


def test_two_conversations_keep_their_beginnings(loaded: Any) -> None:
    kept = PromptCache(2, LIMIT)
    histories = {"a": words(1, 160), "b": words(2, 170)}
    for turn in range(4):
        for key, history in histories.items():
            question = [*history, *words(10 * turn + len(key), 30)]
            start = chat(kept, loaded, question, "user", key)
            assert start == (0 if turn == 0 else len(history))
            histories[key] = [*question, *words(50 + turn, 25)]
            chat(kept, loaded, histories[key], "history", key)
    assert kept.sequences == 2


def test_a_conversation_that_takes_another_way_is_kept_once(loaded: Any) -> None:
    kept = PromptCache(3, LIMIT)
    common = words(1, 200)
    chat(kept, loaded, common, "user", "a")
    chat(kept, loaded, [*common, *words(2, 100)], "history", "a")
    assert chat(kept, loaded, [*common, *words(3, 50)], "history", "a") == len(common)
    assert kept.sequences == 1
    assert kept.fetch([*common, *words(2, 100), 5])[1] == len(common)
    # Another client's chat with the same beginning has a cache of its own, and reads it once.
    assert chat(kept, loaded, [*common, *words(4, 50)], "user", None) == len(common)
    assert kept.sequences == 2


def test_the_least_recently_used_goes(loaded: Any) -> None:
    kept = PromptCache(2, LIMIT)
    for key in ("a", "b"):
        chat(kept, loaded, words(ord(key), 140), "user", key)
    kept.fetch([*words(ord("a"), 140), 1])
    chat(kept, loaded, words(ord("c"), 140), "user", "c")
    assert kept.find("a") is not None
    assert kept.find("b") is None


def test_a_window_cannot_be_cut(loaded: Any) -> None:
    """Beyond the window only checkpoints count; within it everything does."""
    kept = PromptCache(2, LIMIT)
    chat(kept, loaded, words(1, 400), "user", None)
    assert kept.fetch([*words(1, 399), 1])[1] == 0
    kept.clear()
    chat(kept, loaded, words(1, 100), "user", None)
    assert kept.fetch([*words(1, 60), 2000, 2000])[1] == 60


def test_counts_what_two_lists_begin_with() -> None:
    rng = random.Random(5)
    for _ in range(300):
        a = [rng.randrange(3) for _ in range(rng.randrange(40))]
        b = a[: rng.randrange(len(a) + 1)] + [rng.randrange(3) for _ in range(rng.randrange(20))]
        most = rng.randrange(50)
        plain = 0
        while plain < min(len(a), len(b), most) and a[plain] == b[plain]:
            plain += 1
        assert common_length(a, b, most) == plain


WINDOW = 8
WORDS = st.integers(0, 2)
KEYS = st.sampled_from([None, "a", "b", "c"])
# Prompts that begin alike often, as those of chats do.
PROMPTS = st.lists(WORDS, min_size=1, max_size=40)


def empty() -> list[Any]:
    from mlx_lm.models.cache import KVCache, RotatingKVCache

    return [KVCache(), RotatingKVCache(max_size=WINDOW)]


def see(cache: list[Any], tokens: list[int]) -> None:
    """A model whose keys are the tokens themselves."""
    for layer in cache:
        keys = mx.array(tokens, dtype=mx.float32).reshape(1, 1, -1, 1)
        layer.update_and_fetch(keys, keys)


def seen(layer: Any) -> list[int]:
    """The tokens a layer holds, in order of time."""
    keys = layer.keys
    if hasattr(layer, "max_size"):
        keys = layer._temporal_order(keys)[..., -min(layer.offset, layer.max_size) :, :]
    else:
        keys = keys[..., : layer.offset, :]
    return [int(key) for key in keys.reshape(-1).tolist()]


def holds(cache: list[Any], tokens: list[int]) -> bool:
    whole, window = cache
    last = tokens[-min(len(tokens), WINDOW) :] if tokens else []
    # Trimmed, a window may hold what stands before it too, never anything else.
    return (
        whole.offset == window.offset == len(tokens)
        and seen(whole) == tokens
        and seen(window)[-len(last) :] == last
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["answer", "aside", "broken", "forget"]),
            KEYS,
            PROMPTS,
            st.lists(st.integers(1, 40), max_size=3),
            st.integers(1, 6),
            st.lists(WORDS, max_size=12),
        ),
        max_size=14,
    ),
    most=st.integers(0, 3),
    limit=st.sampled_from([0, 3_000, 8_000, LIMIT]),
)
def test_never_holds_anything_but_what_was_said(steps: Any, most: int, limit: int) -> None:
    kept = PromptCache(most, limit)
    for what, key, prompt, ends, chunk, said in steps:
        if what == "forget":
            kept.remove(key or "a")
            continue
        if what == "aside":
            cache, start = kept.fetch(prompt)
            points: list[Any] = []
        else:
            taken = kept.take(prompt, key)
            cache, start, points = taken.cache, taken.tokens, list(taken.points)
        assert start < len(prompt)
        cache = cache or empty()
        assert start == 0 or holds(cache, prompt[:start])
        stop = start + (len(prompt) - start) // 2 if what == "broken" else len(prompt) - 1
        for end in sorted({*(e for e in ends if start < e < stop), stop}):
            for at in range(start, end, chunk):
                see(cache, prompt[at : min(at + chunk, end)])
            if end > start:
                points.append(checkpoint(cache, end, "user"))
            start = max(start, end)
        for token in [*prompt[start : start + 1], *said]:
            see(cache, [token])
        if what != "aside":
            kept.keep(prompt, cache, points, key)
        assert kept.sequences <= most
        # Beside the last one.
        *others, _ = [sequence.bytes for sequence in kept._kept] or [0]
        assert sum(others) <= limit
        mine = [sequence for sequence in kept._kept if sequence.key == key and key is not None]
        assert len(mine) <= 1
        for sequence in kept._kept:
            whole = sequence.layers[0]
            assert whole.offset == len(sequence.tokens)
            for point in sequence.checkpoints:
                layers = layers_at(sequence, point, point.tokens)
                assert holds(layers, sequence.tokens[: point.tokens])
