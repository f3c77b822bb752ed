"""Caches in files: what comes back is what was saved, or it is refused."""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from headroom_engine.cache_files import PIECE_BYTES, CacheFiles
from headroom_engine.errors import ApiError
from headroom_engine.loading import read_folder
from headroom_engine.prompt_cache import Sequence, checkpoint

from .running_engine import Client, RunningEngine, chat_body

QUESTION = "tell me about the sea and the ships on it, please. " * 12
KEY = "conversation-1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "caches"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def engine(model: Path, folder: Path) -> Iterator[RunningEngine]:
    with RunningEngine(model, "--cache-folder", str(folder)) as running:
        yield running
        running.stop()


def cached(reply: Any) -> int:
    found: int = reply["usage"]["prompt_tokens_details"]["cached_tokens"]
    return found


def ask(client: Client, **options: Any) -> Any:
    return client.chat(QUESTION, cache_key=KEY, max_tokens=6, **options)


def save(client: Client, name: str = "a", *, key: str = KEY, forget: bool = False) -> Any:
    status, reply = client.json("POST", "/cache/save", {"file": name, "key": key})
    assert status == 200, reply
    if forget:
        assert client.json("POST", "/cache/forget", {"key": key})[0] == 200
    return reply


def load(client: Client, saved: Any, name: str = "a", key: str = KEY) -> tuple[int, Any]:
    body = {"file": name, "key": key, "sha256": saved["sha256"]}
    status, reply = client.json("POST", "/cache/load", body)
    return status, reply if status == 200 else reply["error"]["code"]


def test_comes_back_in_another_engine(engine: RunningEngine, model: Path, folder: Path) -> None:
    first = ask(engine.client)
    saved = save(engine.client)
    file = folder / "a.safetensors"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.stat().st_size == saved["bytes"]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == saved["sha256"]
    assert [path.name for path in folder.iterdir()] == [file.name], "no drafts are left"
    with RunningEngine(model, "--cache-folder", str(folder)) as other:
        status, reply = load(other.client, saved)
        assert (status, reply["tokens"]) == (200, first["usage"]["prompt_tokens"] - 1)
        assert other.client.metrics()["prompt_cache"]["sequences"] == 1
        again = ask(other.client)
        assert cached(again) == first["usage"]["prompt_tokens"] - 1
        assert again["choices"] == first["choices"]
        # It may be saved, extended and loaded once more.
        longer = save(other.client, "b")
        assert load(other.client, longer, "b")[0] == 200
        other.stop()


def test_comes_back_after_it_was_forgotten(engine: RunningEngine) -> None:
    ask(engine.client)
    saved = save(engine.client, forget=True)
    assert engine.client.metrics()["prompt_cache"]["bytes"] == 0
    assert cached(ask(engine.client)) == 0
    assert load(engine.client, saved)[0] == 200
    assert cached(ask(engine.client)) > 100


def test_two_conversations_take_turns(engine: RunningEngine) -> None:
    """With room for one in memory, each goes on where it was."""
    client = engine.client
    histories: dict[str, list[dict[str, str]]] = {"x": [], "y": []}
    files: dict[str, Any] = {}
    for turn in range(3):
        for key, messages in histories.items():
            if key in files:
                assert load(client, files[key], key, key)[0] == 200
            text = f"{key} {turn} " + "and so on " * 30
            messages.append({"role": "user", "content": text})
            options: dict[str, Any] = {
                "messages": messages,
                "cache_key": key,
                "date": "2026-01-01",
            }
            reply = client.chat(max_tokens=40, **options)
            content = reply["choices"][0]["message"]["content"] or "Nothing."
            messages.append({"role": "assistant", "content": content})
            status, read = client.json("POST", "/prefill", options)
            assert (status, read["complete"]) == (200, True)
            if turn > 0:
                # Only the message itself, its end and the head of the answer.
                _, counted = client.json("POST", "/count", chat_body(text))
                _, empty = client.json("POST", "/count", chat_body(""))
                fresh = reply["usage"]["prompt_tokens"] - cached(reply)
                assert fresh <= counted["tokens"] - empty["tokens"] + 4
            files[key] = save(client, key, key=key, forget=True)
            assert client.metrics()["prompt_cache"]["sequences"] == 0


def edited(file: Path, change: Callable[[dict[str, Any]], None]) -> dict[str, str]:
    """The file with another header, and a checksum that fits: only the looks inside are left."""
    raw = file.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text + raw[8 + length :])
    return {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


def set_text(name: str, value: str) -> Callable[[dict[str, Any]], None]:
    return lambda header: header["__metadata__"].update({name: value})


def widen(header: dict[str, Any]) -> None:
    header["0.0"]["shape"][1] *= 2
    header["0.0"]["shape"][2] //= 2


def shift(header: dict[str, Any]) -> None:
    header["0.0"]["data_offsets"] = header["0.1"]["data_offsets"]


@pytest.mark.parametrize(
    "change",
    [
        set_text("0.format", "headroom-0"),
        set_text("0.model", "f" * 64),
        set_text("0.tokens", "[1,2,3]"),
        set_text("0.tokens", "[" * 100_000),
        set_text("0.tokens", '["a"]'),
        set_text("0.checkpoints", "[]"),
        set_text("0.checkpoints", '[[100000,"user"]]'),
        set_text("0.checkpoints", '[[3,"evil"]]'),
        set_text("1.0", "KVCache"),
        set_text("1.0", "ArraysCache"),
        set_text("1.0", "load_prompt_cache"),
        set_text("2.1.1", "string"),
        widen,
        shift,
        lambda header: header.pop("0.1"),
        lambda header: header.pop("__metadata__"),
        lambda header: header.update({"9.9": header["0.0"]}),
        lambda header: header["0.0"].update(dtype="I32"),
        lambda header: header["0.0"].update(shape="long"),
        lambda header: header["0.0"].update(data_offsets=[0, 10**15]),
    ],
)
def test_refuses_what_does_not_fit(
    engine: RunningEngine, folder: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    ask(engine.client)
    save(engine.client, forget=True)
    forged = edited(folder / "a.safetensors", change)
    assert load(engine.client, forged) == (409, "bad_cache")
    assert engine.client.metrics()["prompt_cache"]["sequences"] == 0
    assert cached(ask(engine.client)) == 0
    assert engine.client.metrics()["healthy"]


def test_refuses_what_is_damaged_or_not_ours(
    engine: RunningEngine, folder: Path, tmp_path: Path, copy_model: Callable[..., Path]
) -> None:
    client = engine.client
    ask(client)
    saved = save(client, forget=True)
    file = folder / "a.safetensors"
    whole = file.read_bytes()
    assert load(client, saved, "b") == (404, "not_found")
    assert load(client, {"sha256": "0" * 64}) == (409, "bad_cache")
    for damaged in (whole[:-1], whole[: len(whole) // 2], b"", whole[:-1] + b"\xff", b"x" * 100):
        file.write_bytes(damaged)
        assert load(client, saved) == (409, "bad_cache")
        fitting = {"sha256": hashlib.sha256(damaged).hexdigest()}
        if len(damaged) != len(whole):
            assert load(client, fitting) == (409, "bad_cache")
    file.write_bytes(whole)
    file.chmod(0o644)
    assert load(client, saved) == (409, "bad_cache")
    file.chmod(0o600)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert load(client, saved) == (409, "bad_cache")
    file.unlink()
    (tmp_path / "elsewhere").rename(file)
    # Another model's engine on the same folder.
    with RunningEngine(copy_model(sliding_window=64), "--cache-folder", str(folder)) as other:
        assert load(other.client, saved) == (409, "bad_cache")
        other.stop()
    assert load(client, saved)[0] == 200


def test_names_lead_nowhere_else(engine: RunningEngine) -> None:
    ask(engine.client)
    for name in ("../a", "a/b", "", ".a", "a.safetensors", "x" * 81, 3):
        status, _ = engine.client.json("POST", "/cache/save", {"file": name, "key": KEY})
        assert status == 400, name


def test_tells_why_it_cannot_save(engine: RunningEngine, folder: Path, model: Path) -> None:
    client = engine.client
    body = {"file": "a", "key": KEY}
    status, reply = client.json("POST", "/cache/save", body)
    assert (status, reply["error"]["code"]) == (404, "not_cached")
    ask(client)
    folder.chmod(0o755)
    status, reply = client.json("POST", "/cache/save", body)
    assert (status, reply["error"]["code"]) == (507, "disk")
    folder.chmod(0o700)
    os.rename(folder, f"{folder}-gone")
    status, reply = client.json("POST", "/cache/save", body)
    assert (status, reply["error"]["code"]) == (507, "disk")
    with RunningEngine(model) as without:
        ask(without.client)
        status, reply = without.client.json("POST", "/cache/save", body)
        assert (status, reply["error"]["code"]) == (400, "no_cache_folder")
        without.stop()


def written(folder: Path, saving: CacheFiles, sequence: Sequence, name: str = "a") -> bytes:
    saving.save(name, sequence)
    return (folder / f"{name}.safetensors").read_bytes()


def test_saving_is_broken_off_between_two_pieces(folder: Path, model: Path) -> None:
    saving, sequence = large(folder, model)
    looks = iter([False, False, False, True])
    with pytest.raises(ApiError) as refused:
        saving.save("a", sequence, lambda: next(looks))
    assert (refused.value.status, refused.value.code) == (503, "cancelled")
    assert list(folder.iterdir()) == []
    whole = written(folder, saving, sequence)
    assert len(whole) > 3 * PIECE_BYTES
    with pytest.raises(ApiError):
        saving.save("a", sequence, lambda: True)
    assert (folder / "a.safetensors").read_bytes() == whole, "what was there before stays"


def test_a_full_disk_leaves_no_draft(
    folder: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saving, sequence = large(folder, model)
    written_pieces = itertools.count()
    real = os.write

    def write(descriptor: int, data: Any) -> int:
        if next(written_pieces) > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        # Less than was asked for is no error.
        return real(descriptor, data[: max(1, len(data) // 2)])

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(ApiError) as refused:
        saving.save("a", sequence)
    assert (refused.value.status, refused.value.code) == (507, "disk")
    assert list(folder.iterdir()) == []


def test_saving_takes_no_memory_and_loading_takes_it_once(folder: Path, model: Path) -> None:
    import mlx.core as mx

    saving, sequence = large(folder, model)
    mx.clear_cache()
    mx.reset_peak_memory()
    before = mx.get_active_memory()
    saved = saving.save("a", sequence)
    assert mx.get_peak_memory() - before < 100_000
    del sequence
    mx.clear_cache()
    mx.reset_peak_memory()
    before = mx.get_active_memory()
    told: list[int] = []
    loaded = saving.load("a", KEY, saved["sha256"], blank(), told.append)
    assert told == [pytest.approx(loaded.bytes, rel=0.01)]
    assert mx.get_peak_memory() - before < 1.05 * loaded.bytes


def blank() -> list[Any]:
    from mlx_lm.models.cache import KVCache, RotatingKVCache

    return [KVCache(), RotatingKVCache(max_size=128)]


def large(folder: Path, model: Path) -> tuple[CacheFiles, Sequence]:
    """Some pieces long, of a model that only fills its caches."""
    import mlx.core as mx

    def see(tokens: Any, cache: list[Any]) -> None:
        keys = mx.ones((1, 8, tokens.shape[1], 512), mx.bfloat16)
        for layer in cache:
            layer.update_and_fetch(keys, keys)

    cache, tokens = blank(), list(range(2_000))
    for at in range(0, len(tokens), 500):
        see(mx.array([tokens[at : at + 500]]), cache)
        mx.eval([layer.state for layer in cache])
    points = [checkpoint(cache, len(tokens), "user")]
    sequence = Sequence(KEY, tokens, [cache[0], None], points)
    return CacheFiles(str(folder), read_folder(str(model)), see), sequence


def test_who_goes_away_ends_the_saving(engine: RunningEngine, folder: Path) -> None:
    """However soon: the file is whole or not there, and the engine goes on."""
    ask(engine.client)
    for wait in (0, 0.0005, 0.002, 0.01):
        going = engine.client.send("POST", "/cache/save", {"file": "a", "key": KEY})
        time.sleep(wait)
        going.close()
    saved = save(engine.client, "b")
    assert {path.name for path in folder.iterdir()} <= {"a.safetensors", "b.safetensors"}
    assert load(engine.client, saved, "b")[0] == 200


def test_killed_in_the_middle_of_saving(folder: Path, model: Path) -> None:
    """What was saved before is what comes back; a draft is left at the most."""
    with RunningEngine(model, "--cache-folder", str(folder)) as first:
        ask(first.client)
        saved = save(first.client)
        for _ in range(20):
            first.client.send("POST", "/cache/save", {"file": "b", "key": KEY})
        first.process.kill()
        first.process.wait()
    left = {path.name for path in folder.iterdir()}
    assert "a.safetensors" in left
    with RunningEngine(model, "--cache-folder", str(folder)) as second:
        assert load(second.client, saved)[0] == 200
        if "b.safetensors" in left:
            assert load(second.client, saved, "b") in [(200, ANY), (409, "bad_cache")]
        second.stop()


def test_a_llama_is_saved_too(folder: Path, llama: Path) -> None:
    with RunningEngine(llama, "--cache-folder", str(folder)) as engine:
        first = ask(engine.client, temperature=0)
        saved = save(engine.client, forget=True)
        assert load(engine.client, saved)[0] == 200
        again = ask(engine.client, temperature=0)
        assert cached(again) == first["usage"]["prompt_tokens"] - 1
        assert again["choices"] == first["choices"]
        engine.stop()


def test_refuses_what_makes_no_sense(engine: RunningEngine) -> None:
    bodies: list[object] = [
        {},
        {"file": 3, "key": 3},
        {"file": "a", "key": ""},
        {"file": "a", "key": "k" * 201},
        {"file": "a", "key": None, "sha256": 7},
        {"messages": "hi"},
        {"messages": [], "cache_key": KEY},
        {"messages": [{"role": "user", "content": "hi"}], "cache_key": 5, "key": {}},
        b"[1]",
        b"{",
    ]
    for route in ("/prefill", "/cache/save", "/cache/load", "/cache/forget"):
        for body in bodies:
            status, reply = engine.client.json("POST", route, body)
            assert (status, reply["error"]["code"]) == (400, "bad_request"), (route, body)
    assert engine.client.metrics()["healthy"]
