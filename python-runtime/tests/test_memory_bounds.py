"""The prompt cache's byte limit, on real caches, and who sets MLX's wired limit."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

import pytest

from headroom_engine.loading import load_tokenizer, load_weights, read_folder
from headroom_engine.prompt_cache import PromptCache
from headroom_engine.residency import WEIGHTS_MARGIN_BYTES, WiredLimit

from .running_engine import RunningEngine, chat_body

MIB = 2**20


def wiring(mode: Any, working_set: int | None, weights: int) -> list[int]:
    calls: list[int] = []
    limit = 111

    def set_limit(value: int) -> int:
        nonlocal limit
        before, limit = limit, value
        calls.append(value)
        return before

    wired = WiredLimit(mode, working_set, set_limit)
    wired.before_load()
    wired.after_load(weights)
    wired.release()
    wired.release()
    return calls


def test_all_wires_the_working_set_and_puts_the_old_limit_back() -> None:
    assert wiring("all", 12_000 * MIB, 11_516 * MIB) == [12_000 * MIB, 111]


def test_weights_wires_the_weights_once_they_are_known() -> None:
    expected = 11_516 * MIB + WEIGHTS_MARGIN_BYTES
    assert wiring("weights", 12_000 * MIB, 11_516 * MIB) == [expected, 111]
    assert wiring("weights", 11_520 * MIB, 11_516 * MIB) == [11_520 * MIB, 111]


def test_none_never_touches_the_limit() -> None:
    assert wiring("none", 12_000 * MIB, 11_516 * MIB) == []


@pytest.mark.parametrize("mode", ["all", "weights", "none"])
def test_a_device_without_a_working_set_is_left_alone(mode: str) -> None:
    assert wiring(mode, None, 11_516 * MIB) == []


@pytest.mark.parametrize("mode", ["weights", "none"])
def test_an_engine_runs_in_every_mode(model: Path, mode: str) -> None:
    with RunningEngine(model, "--residency", mode) as engine:
        assert engine.client.metrics()["residency"] == mode
        assert engine.client.chat("hi")["choices"]
        engine.stop()


def test_nothing_of_mlx_lm_sets_a_limit_behind_our_back(model: Path) -> None:
    """A real load and a real answer, with every call of MLX's own function written down."""
    import subprocess

    script = """
import sys, mlx.core as mx
calls, real = [], mx.set_wired_limit
def recorded(limit):
    calls.append(limit)
    return real(limit)
mx.set_wired_limit = recorded
from headroom_engine.loading import *
folder = read_folder(sys.argv[1]); load_tokenizer(folder)
model = load_weights(folder, lambda *_: None, lambda: False)
from mlx_lm.generate import generate_step
assert len(list(generate_step(mx.array([1, 2, 3]), model, max_tokens=3))) == 3
print(calls)
"""
    run = subprocess.run(
        [sys.executable, "-c", script, str(model)], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def loaded(model: Path) -> Any:
    folder = read_folder(str(model))
    load_tokenizer(folder)
    return load_weights(folder, lambda *_: None, lambda: False)


def filled(loaded: Any, tokens: list[int]) -> list[Any]:
    import mlx.core as mx
    from mlx_lm.models.cache import make_prompt_cache

    cache = make_prompt_cache(loaded)
    loaded(mx.array(tokens)[None], cache=cache)
    mx.eval([layer.state for layer in cache])
    return list(cache)


def size(cache: list[Any]) -> int:
    return sum(layer.nbytes for layer in cache)


def test_the_byte_limit_holds_after_every_insert(loaded: Any) -> None:
    prompts = [[n] * (100 + 150 * (n % 4)) for n in range(1, 12)]
    caches = [filled(loaded, prompt) for prompt in prompts]
    limit = max(map(size, caches)) * 2
    kept = PromptCache(50, limit)
    for prompt, cache in zip(prompts, caches, strict=True):
        kept.insert(prompt, cache, "user")
        assert 0 < kept.bytes <= limit + size(cache)
        # The newest one is always there: it is what the next turn goes on from.
        assert kept.fetch([*prompt, 1])[1] == len(prompt)
    assert kept.sequences < len(prompts)


def test_the_last_conversation_is_kept_however_long(loaded: Any) -> None:
    small, large = [1] * 20, [2] * 900
    kept = PromptCache(9, 2 * size(filled(loaded, small)))
    kept.insert(small, filled(loaded, small), "user")
    kept.insert(large, filled(loaded, large), "user")
    assert kept.sequences == 2
    # A small one beside it changes nothing; one as large takes its place.
    assert not kept.make_room_beside(size(filled(loaded, [3] * 10)))
    assert kept.make_room_beside(size(filled(loaded, [3] * 900)))
    assert kept.bytes <= kept.limit_bytes
    kept.insert(large, filled(loaded, large), "user", "a")
    kept.insert([4] * 900, filled(loaded, [4] * 900), "user", "b")
    assert kept.sequences == 1
    assert kept.find("b") is not None


def test_another_long_prompt_takes_the_place_of_a_long_conversation(model: Path) -> None:
    """MLX's own count: never both at once, and room for it is made while it grows."""
    limit = 600_000
    options = ("--prompt-cache-bytes", str(limit), "--prefill-step-size", "64")
    with RunningEngine(model, *options) as engine:
        client = engine.client
        weights = client.metrics()["memory"]["active_bytes"]
        client.chat("one " * 1500, max_tokens=1, cache_key="a")
        one = client.metrics()["prompt_cache"]["bytes"]
        assert one > 3 * limit
        # A title's prompt is small: the conversation stays.
        client.chat("two " * 20, max_tokens=1, cache="none")
        assert client.metrics()["prompt_cache"]["bytes"] == one
        active: list[int] = []
        for frame in client.stream(chat_body("three " * 1500, max_tokens=40, cache_key="b")):
            if isinstance(frame, dict):
                now = client.metrics()
                if now["request"] is not None and now["request"]["phase"] == "decode":
                    assert now["prompt_cache"]["sequences"] == 0
                active.append(now["memory"]["active_bytes"] - weights)
        # A reading in the middle of a chunk sees what that uses for a moment: those are left out.
        upper = statistics.quantiles(active, n=4)[2]
        assert upper < 1.2 * one + limit
        assert client.metrics()["prompt_cache"]["sequences"] == 1
        engine.stop()


def test_a_look_up_always_leaves_a_token(loaded: Any) -> None:
    kept = PromptCache(9, 10**9)
    kept.insert([1, 2, 3, 4], filled(loaded, [1, 2, 3, 4]), "user")
    cache, start = kept.fetch([1, 2, 3, 4])
    assert cache is not None
    assert 0 < start < 4
    assert all(layer.offset == start for layer in cache)


def test_a_fetched_cache_is_a_copy(loaded: Any) -> None:
    import mlx.core as mx

    kept = PromptCache(9, 10**9)
    prompt = [5] * 300
    kept.insert(prompt, filled(loaded, prompt), "user")
    for _ in range(2):
        cache, start = kept.fetch([*prompt, 6, 7])
        assert cache is not None
        assert start == 300
        assert all(layer.offset == 300 for layer in cache)
        loaded(mx.array([[6]]), cache=cache)


def test_what_goes_on_is_not_there_twice(model: Path) -> None:
    """While an answer is written, its conversation's arrays are the answer's own."""
    with RunningEngine(model) as engine:
        client = engine.client
        text = "a long chat " + "word " * 1500
        client.chat(text, max_tokens=1, cache_key="a")
        kept = client.metrics()
        one = kept["prompt_cache"]["bytes"]
        rest = kept["memory"]["active_bytes"] - one
        most = 0
        for frame in client.stream(chat_body(text, max_tokens=60, cache_key="a")):
            if isinstance(frame, dict):
                now = client.metrics()
                assert now["request"] is None or now["prompt_cache"]["sequences"] == 0
                most = max(most, now["memory"]["active_bytes"])
        assert most - rest < 1.5 * one
        after = client.metrics()["prompt_cache"]
        assert (after["sequences"], after["bytes"]) == (1, pytest.approx(one, rel=0.1))
        engine.stop()


def test_a_broken_off_answer_brings_its_cache_back(model: Path) -> None:
    with RunningEngine(model, "--prefill-step-size", "32") as engine:
        client = engine.client
        text = "a long chat " + "word " * 700
        whole = client.chat(text, max_tokens=1, cache_key="a")["usage"]["prompt_tokens"]
        for frame in client.stream(chat_body(text, max_tokens=500, cache_key="a")):
            if isinstance(frame, dict) and frame["choices"][0]["delta"].get("reasoning"):
                break
        client.wait_for(phase="ready")
        again = client.chat(text, max_tokens=1, cache_key="a")["usage"]
        assert again["prompt_tokens_details"]["cached_tokens"] == whole - 1
        engine.stop()


@pytest.mark.parametrize(("sequences", "limit"), [(0, 10**9), (2, 0)])
def test_a_cache_of_nothing_keeps_nothing(loaded: Any, sequences: int, limit: int) -> None:
    kept = PromptCache(sequences, limit)
    kept.insert([1, 2, 3], filled(loaded, [1, 2, 3]), "user")
    assert (kept.sequences, kept.bytes) == (0, 0)


def test_memory_stays_bounded_over_many_chats(model: Path) -> None:
    """MLX's own counter, not only the cache's: what was thrown out must really be gone."""
    limit = 1_000_000
    options = ("--prompt-cache-bytes", str(limit), "--prompt-cache-size", "50")
    with RunningEngine(model, *options) as engine:
        weights = engine.client.metrics()["memory"]["active_bytes"]
        engine.client.chat("the longest chat " + "word " * 232, max_tokens=8)
        most = limit + engine.client.metrics()["prompt_cache"]["bytes"]
        assert engine.client.json("POST", "/drop-cache")[0] == 200
        actives, sequences = [], []
        for n in range(24):
            engine.client.chat(f"{n} chat " + "word " * (10 + 37 * (n % 7)), max_tokens=8)
            snapshot = engine.client.metrics()
            assert snapshot["prompt_cache"]["bytes"] <= most
            assert snapshot["prompt_cache"]["limit_bytes"] == limit
            actives.append(snapshot["memory"]["active_bytes"] - weights)
            sequences.append(snapshot["prompt_cache"]["sequences"])
        assert 0 < max(sequences) < 24
        # Beside the cache only scalars and the last step's leftovers.
        assert max(actives) <= most + 64_000, actives
        engine.stop()


def test_caches_are_dropped_when_idle(model: Path) -> None:
    with RunningEngine(model) as engine:
        engine.client.chat("a first chat " + "word " * 200, max_tokens=4)
        before = engine.client.metrics()
        assert before["prompt_cache"]["bytes"] > 0
        assert engine.client.json("POST", "/drop-cache")[0] == 200
        after = engine.client.wait_for(
            prompt_cache={**before["prompt_cache"], "sequences": 0, "bytes": 0}
        )
        assert after["memory"]["active_bytes"] < before["memory"]["active_bytes"]
        # Nothing is broken by it: the same chat is read and answered again.
        reply = engine.client.chat("a first chat " + "word " * 200, max_tokens=4)
        assert reply["usage"]["prompt_tokens_details"]["cached_tokens"] == 0
        engine.stop()


def test_caches_are_dropped_within_an_answer_which_goes_on(model: Path) -> None:
    with RunningEngine(model) as engine:
        engine.client.chat("another chat " + "word " * 200, max_tokens=4)
        body = chat_body("word " * 200, max_tokens=200)
        dropped = False
        for frame in engine.client.stream(body):
            if not isinstance(frame, dict) or not frame["choices"]:
                continue
            delta = frame["choices"][0].get("delta", {})
            if not dropped and (delta.get("reasoning") or delta.get("content")):
                assert engine.client.metrics()["prompt_cache"]["bytes"] > 0
                assert engine.client.json("POST", "/drop-cache")[0] == 200
                dropped = True
        assert dropped
        assert frame == "[DONE]"
        assert engine.client.metrics()["prompt_cache"]["bytes"] == 0
        engine.stop()


def test_caches_of_an_engine_that_loads_cannot_be_dropped(model: Path) -> None:
    with RunningEngine(model, wait=False) as engine:
        engine.wait_for_socket()
        status, reply = engine.client.json("POST", "/drop-cache")
        if status != 200:  # It may have been quicker.
            assert (status, reply["error"]["code"]) == (503, "loading")
        engine.client.wait_for(phase="ready")
        engine.stop()
