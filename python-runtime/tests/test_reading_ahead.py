"""What the next prompt begins with is read while nobody waits for it."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from .running_engine import Client, RunningEngine, chat_body

DAY = "2026-01-01"


def fresh(reply: Any) -> int:
    used = reply["usage"]
    return int(used["prompt_tokens"] - used["prompt_tokens_details"]["cached_tokens"])


def length(client: Client, text: str) -> int:
    """Tokens of the text alone."""
    counts = []
    for each in (text, ""):
        status, counted = client.json("POST", "/count", chat_body(each))
        assert status == 200
        counts.append(counted["tokens"])
    return int(counts[0] - counts[1])


def read(client: Client, messages: list[dict[str, str]], **options: Any) -> Any:
    body = {"messages": messages, "date": DAY, **options}
    status, reply = client.json("POST", "/prefill", body)
    assert status == 200, reply
    return reply


@pytest.mark.parametrize("effort", ["low", "high"])
def test_a_turn_reads_the_new_message_only(client: Client, effort: str) -> None:
    messages: list[dict[str, str]] = [{"role": "system", "content": "Be brief."}]
    for turn in range(12):
        text = f"turn {turn}: " + "tell me more about it. " * (turn % 3 + 1)
        messages.append({"role": "user", "content": text})
        options: dict[str, Any] = {"cache_key": "c", "reasoning_effort": effort}
        reply = client.chat(messages=messages, max_tokens=60, **options)
        if turn > 0:
            # Behind it stand <|end|> and <|start|>assistant.
            assert fresh(reply) <= length(client, text) + 3
        content = reply["choices"][0]["message"]["content"] or "Nothing to say."
        messages.append({"role": "assistant", "content": content})
        ahead = read(client, messages, **options)
        assert ahead["complete"]
        assert ahead["read_tokens"] == ahead["tokens"] - ahead["cached_tokens"]
        again = read(client, messages, **options)
        assert (again["read_tokens"], again["complete"]) == (0, True)
    # Another answer to the last question, and a first turn's edit, use what is there too.
    reply = client.chat(messages=messages[:-1], max_tokens=5, **options)
    assert fresh(reply) == 1


def test_gives_way_at_once_and_keeps_what_it_has(client: Client) -> None:
    long = [
        {"role": "user", "content": "word " * 3000},
        {"role": "assistant", "content": "Yes."},
    ]
    replies: list[Any] = []
    reading = threading.Thread(target=lambda: replies.append(read(client, long)))
    reading.start()
    while (background := client.metrics()["background"]) is None or not background["prefill_done"]:
        time.sleep(0.002)
    assert client.metrics()["phase"] == "ready", "reading ahead is no answer"
    assert background["prefill_total"] > 2000
    began = time.monotonic()
    reply = client.chat("hi", max_tokens=1)
    assert time.monotonic() - began < 2
    assert reply["choices"]
    reading.join(5)
    assert replies[0]["complete"] is False
    assert 0 < replies[0]["read_tokens"] < replies[0]["tokens"]
    assert client.metrics()["background"] is None
    again = read(client, long)
    assert again["cached_tokens"] >= replies[0]["read_tokens"]
    assert again["complete"]


def test_is_refused_while_an_answer_is_written(client: Client, endless: dict[str, Any]) -> None:
    stream = client.stream(chat_body(**endless))
    next(stream)
    client.wait_for(phase="busy")
    history = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hi."}]
    status, reply = client.json("POST", "/prefill", {"messages": history})
    assert (status, reply["error"]["code"]) == (409, "busy")
    stream.close()  # type: ignore[attr-defined]


def test_closing_the_connection_ends_it(client: Client) -> None:
    body = {"messages": [{"role": "user", "content": "word " * 3100}], "date": DAY}
    connection = client.send("POST", "/prefill", body)
    while client.metrics()["background"] is None:
        time.sleep(0.002)
    connection.close()
    client.wait_for(seconds=3, background=None)


def test_where_everything_can_be_cut_the_answer_is_known_already(llama: Any) -> None:
    with RunningEngine(llama) as engine:
        client = engine.client
        question = [{"role": "user", "content": "hello there"}]
        reply = client.chat(messages=question, max_tokens=20, cache_key="c")
        content = reply["choices"][0]["message"]["content"] or ""
        history = [*question, {"role": "assistant", "content": content}]
        ahead = read(client, history, cache_key="c")
        assert ahead["cached_tokens"] >= reply["usage"]["prompt_tokens"] - 1
        more = client.chat(messages=[*history, {"role": "user", "content": "so"}], cache_key="c")
        assert fresh(more) <= 60
        engine.stop()


def test_a_history_beyond_the_context_is_not_read(client: Client) -> None:
    body = {"messages": [{"role": "user", "content": "word " * 20_000}]}
    status, reply = client.json("POST", "/prefill", body)
    assert (status, reply["error"]["code"]) == (400, "context_too_long")


def test_caches_are_dropped_while_it_reads(model: Any) -> None:
    with RunningEngine(model, "--prefill-step-size", "16") as engine:
        body = {"messages": [{"role": "user", "content": "word " * 3100}], "date": DAY}
        connection = engine.client.send("POST", "/prefill", body)
        while engine.client.metrics()["background"] is None:
            time.sleep(0.002)
        assert engine.client.json("POST", "/drop-cache")[0] == 200
        reply = json.loads(connection.getresponse().read())
        connection.close()
        assert not reply["complete"]
        assert engine.client.metrics()["prompt_cache"]["bytes"] == 0
        engine.stop()


def test_the_engine_stops_in_order_while_it_reads(model: Any) -> None:
    with RunningEngine(model, "--prefill-step-size", "16") as engine:
        body = {"messages": [{"role": "user", "content": "word " * 3100}], "date": DAY}
        connection = engine.client.send("POST", "/prefill", body)
        while engine.client.metrics()["background"] is None:
            time.sleep(0.002)
        engine.stop()
        connection.close()
        assert "released" in engine.log


@pytest.mark.parametrize("most", [0, 3])
def test_chances_of_the_answer(client: Client, most: int) -> None:
    options = {"logprobs": True, "top_logprobs": most}
    whole = client.chat("hello", **options)["choices"][0]
    content = whole["message"]["content"]
    told = whole["logprobs"]["content"]
    assert b"".join(bytes(each["bytes"]) for each in told).decode() == content
    for each in told:
        assert each["logprob"] <= 0
        assert len(each["top_logprobs"]) == most
        if most:
            # Greedy: the likeliest is the one that was said.
            best = each["top_logprobs"][0]
            assert (best["bytes"], best["logprob"]) == (each["bytes"], each["logprob"])
            values = [top["logprob"] for top in each["top_logprobs"]]
            assert values == sorted(values, reverse=True)
    streamed = []
    for frame in client.stream(chat_body("hello", **options)):
        if isinstance(frame, dict) and frame["choices"]:
            streamed += (frame["choices"][0].get("logprobs") or {}).get("content", [])
    assert [each["bytes"] for each in streamed] == [each["bytes"] for each in told]
    assert "logprobs" not in client.chat("hello")["choices"][0]


def test_chances_ask_for_sense(client: Client) -> None:
    for options in ({"top_logprobs": 3}, {"logprobs": True, "top_logprobs": 21}, {"logprobs": 3}):
        status, _ = client.json("POST", "/v1/chat/completions", chat_body("hi", **options))
        assert status == 400
    status, _ = client.json("POST", "/v1/completions", {"prompt": "a", "logprobs": 2})
    assert status == 400
