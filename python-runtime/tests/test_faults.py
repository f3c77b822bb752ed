"""Models that do not load, and a generation thread that dies: told, and never left as a zombie."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .running_engine import RunningEngine, chat_body

CopyModel = Callable[..., Path]


def load_failure(folder: Path | str) -> str:
    """The one line on stderr with the cause."""
    with RunningEngine(folder, wait=False) as engine:
        assert engine.wait() == 71, engine.log
        lines = [
            x for x in engine.log.splitlines() if x.startswith("headroom-engine: load failed:")
        ]
        assert len(lines) == 1, engine.log
        assert engine.log.rstrip().endswith("headroom-engine: released")
        assert not os.path.exists(engine.path)
        return lines[0].removeprefix("headroom-engine: load failed: ")


def weights(folder: Path) -> Path:
    return next(folder.glob("model*.safetensors"))


def test_no_folder(tmp_path: Path) -> None:
    cause = load_failure(tmp_path / "none")
    assert cause == f"FileNotFoundError: there is no model folder at {tmp_path / 'none'}"


def test_no_config(copy_model: CopyModel) -> None:
    folder = copy_model()
    (folder / "config.json").unlink()
    assert "config.json" in load_failure(folder)


def test_no_weights(copy_model: CopyModel) -> None:
    folder = copy_model()
    weights(folder).unlink()
    assert "FileNotFoundError: No safetensors found in" in load_failure(folder)


def test_no_tokenizer(copy_model: CopyModel) -> None:
    folder = copy_model()
    (folder / "tokenizer.json").unlink()
    assert "tokenizer" in load_failure(folder)


def test_an_unknown_model_type(copy_model: CopyModel) -> None:
    cause = load_failure(copy_model(model_type="gpt_oss_9"))
    assert "ValueError: Model type gpt_oss_9 not supported." in cause


@pytest.mark.parametrize("keep", [4, 100, -50])
def test_truncated_weights(copy_model: CopyModel, keep: int) -> None:
    folder = copy_model()
    file = weights(folder)
    file.write_bytes(file.read_bytes()[:keep])
    assert "[load_safetensors]" in load_failure(folder)


def test_a_missing_shard(copy_model: CopyModel) -> None:
    folder = copy_model()
    shards = {"a": weights(folder).name, "b": "model-00002-of-00002.safetensors"}
    index = {"weight_map": shards}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    expected = "FileNotFoundError: 1 of 2 weight files are missing, first model-00002-of-00002"
    assert expected in load_failure(folder)


def test_missing_tensors(copy_model: CopyModel) -> None:
    import mlx.core as mx

    folder = copy_model()
    loaded = mx.load(str(weights(folder)))
    assert isinstance(loaded, dict)
    rest = {name: array for name, array in loaded.items() if ".layers.1." not in name}
    assert len(rest) < len(loaded)
    mx.save_safetensors(str(weights(folder)), rest)
    cause = load_failure(folder)
    assert cause.startswith("ValueError: Missing ")
    assert "parameters:" in cause
    assert len(cause) < 2100


def test_a_broken_tokenizer(copy_model: CopyModel) -> None:
    folder = copy_model()
    (folder / "tokenizer.json").write_text('{"model": ')
    load_failure(folder)


def test_a_failed_load_is_seen_in_events(copy_model: CopyModel) -> None:
    folder = copy_model()
    pipe = weights(folder)
    pipe.unlink()
    os.mkfifo(pipe)
    with RunningEngine(folder, wait=False) as engine:
        engine.wait_for_socket()
        engine.client.wait_for(phase="loading")
        connection, response = engine.client.open("GET", "/events")
        response.readline()
        pipe.write_bytes(b"no weights at all")
        pipe.unlink()
        rest = response.read().decode()
        connection.close()
        last = json.loads([x for x in rest.splitlines() if x.startswith("data: ")][-1][6:])
        assert last["phase"] == "failed"
        assert last["healthy"] is False
        assert last["error"]["type"]
        assert engine.wait() == 71


def test_counts_before_the_weights_are_there(copy_model: CopyModel) -> None:
    """A named pipe for the weights: the load waits for as long as the test wants."""
    folder = copy_model()
    file = weights(folder)
    data = file.read_bytes()
    file.unlink()
    os.mkfifo(file)
    with RunningEngine(folder, wait=False) as engine:
        engine.wait_for_socket()
        engine.client.wait_for(phase="loading")
        status, counted = engine.client.json("POST", "/count", chat_body("hello"))
        assert status == 200
        assert counted["tokens"] > 10
        status, reply = engine.client.json("POST", "/v1/chat/completions", chat_body("hello"))
        assert (status, reply["error"]["code"]) == (503, "loading")
        assert engine.client.json("GET", "/health")[0] == 503
        # Put the weights in the pipe's place before its reader opens the file again.
        with file.open("wb") as pipe:
            (folder / "new").write_bytes(data)
            (folder / "new").replace(file)
            pipe.write(data[:8])
        engine.client.wait_for(phase="ready")
        assert engine.client.chat("hello")["usage"]["prompt_tokens"] == counted["tokens"]
        engine.stop()


@pytest.mark.parametrize("stream", [True, False])
def test_the_generation_thread_dies(copy_model: CopyModel, stream: bool) -> None:
    """More experts per token than there are: the weights load, the first evaluation fails."""
    with RunningEngine(copy_model(num_experts_per_tok=99, experts_per_token=99)) as engine:
        events, events_response = engine.client.open("GET", "/events")
        events_response.readline()
        body = chat_body("hi", stream=stream)
        connection, response = engine.client.open("POST", "/v1/chat/completions", body)
        text = response.read().decode()
        connection.close()
        assert "generation_failed" in text
        assert "[DONE]" not in text
        assert response.status == (200 if stream else 500)
        began = time.monotonic()
        assert engine.wait() == 70
        assert time.monotonic() - began < 5
        assert "headroom-engine: generation died: " in engine.log
        assert engine.log.rstrip().endswith("headroom-engine: released")
        seen = events_response.read().decode()
        events.close()
        assert '"phase": "failed"' in seen
        assert '"healthy": false' in seen
