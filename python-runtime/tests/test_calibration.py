"""Calibration on the socket: what it tells, and that nobody waits for it."""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import closing

import pytest

from .running_engine import TOKEN, Client, UnixConnection, chat_body


def calibrate(client: Client, **body: int) -> tuple[int, dict[str, object]]:
    status, reply = client.json("POST", "/calibrate", body)
    return status, reply


def test_two_prompts_tell_what_reading_takes(client: Client) -> None:
    status, found = calibrate(client, prefill_step=256)
    assert status == 200, found
    assert found["step"] == 256
    chunks = [found[f"{name}_chunk_bytes"] for name in ("half", "first", "second")]
    assert all(isinstance(size, int) and size > 0 for size in chunks)
    assert [point["tokens"] for point in found["decode"]] == [512]  # type: ignore[attr-defined]
    _, again = calibrate(client, prefill_step=256)
    # MLX frees on other threads than it allocates: a percent or two is chance.
    assert again["second_chunk_bytes"] == pytest.approx(found["second_chunk_bytes"], rel=0.1)


def test_a_step_that_cannot_be_is_refused(client: Client) -> None:
    for step in (33, 8, 5_000, -2):
        status, reply = calibrate(client, prefill_step=step)
        assert status == 400, reply
        assert reply["error"]["code"] == "bad_request"  # type: ignore[index]
    assert client.metrics()["phase"] == "ready"


def test_it_leaves_nothing_behind_and_is_not_an_answer(client: Client) -> None:
    before = client.metrics()
    done = threading.Event()
    phases = set()

    def watch() -> None:
        while not done.is_set():
            phases.add(client.metrics()["phase"])
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert calibrate(client, prefill_step=128)[0] == 200
    finally:
        done.set()
        watcher.join()
    after = client.metrics()
    assert phases == {"ready"}
    assert after["prompt_cache"] == before["prompt_cache"]
    assert abs(after["memory"]["active_bytes"] - before["memory"]["active_bytes"]) < 100_000


def test_an_answer_breaks_it_off(client: Client) -> None:
    results: list[tuple[int, dict[str, object]]] = []
    # 4,096 tokens in all: seconds on a CPU.
    thread = threading.Thread(target=lambda: results.append(calibrate(client, prefill_step=1638)))
    thread.start()
    time.sleep(0.3)
    assert not results, "the calibration was over before the answer came"
    reply = client.chat("hi", max_tokens=4)
    thread.join(20)
    assert reply["usage"]["completion_tokens"] > 0
    status, body = results[0]
    assert (status, body["error"]["code"]) == (503, "cancelled")  # type: ignore[index]


def test_a_client_that_goes_away_ends_it(client: Client) -> None:
    with closing(_asked(client)):
        time.sleep(0.3)
    began = time.monotonic()
    assert calibrate(client, prefill_step=128)[0] == 200
    assert time.monotonic() - began < 15


def _asked(client: Client) -> UnixConnection:
    connection = UnixConnection(client.path)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    connection.request("POST", "/calibrate", b'{"prefill_step": 1638}', headers)
    return connection


def test_a_request_says_in_which_steps_it_is_read(client: Client) -> None:
    text = "word " * 200
    seen = {}
    for step in (64, 128):
        frames = client.stream(
            {**chat_body(f"{step} {text}", max_tokens=2), "prefill_step": step, "cache": "none"}
        )
        done = [
            int(frame.split()[2].split("/")[0])
            for frame in frames
            if isinstance(frame, str) and frame.startswith(": keepalive")
        ]
        seen[step] = max(b - a for a, b in itertools.pairwise(done))
    assert seen == {64: 64, 128: 128}


def test_an_answer_tells_its_own_peak(client: Client) -> None:
    small = client.chat("hi", max_tokens=2, cache="none")["memory"]
    large = client.chat("word " * 300, max_tokens=2, cache="none")["memory"]
    again = client.chat("hi", max_tokens=2, cache="none")["memory"]
    assert small["prefill_step"] == 32
    assert large["peak_bytes"] > small["peak_bytes"]
    # Of this answer, not the highest there ever was.
    assert again["peak_bytes"] < large["peak_bytes"]
