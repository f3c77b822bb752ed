"""Everything a client can get wrong, and what it is told."""

from __future__ import annotations

import json
import os
import random
import socket
from typing import Any

import pytest

from .running_engine import TOKEN, Client, RunningEngine, chat_body

FULL = os.environ.get("HEADROOM_FAULTS") == "full"
ROUTES = [
    ("GET", "/health"),
    ("GET", "/metrics"),
    ("GET", "/events"),
    ("POST", "/count"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/completions"),
    ("GET", "/nowhere"),
    ("POST", "/nowhere"),
]


@pytest.mark.parametrize(("method", "route"), ROUTES)
@pytest.mark.parametrize("given", [None, "", "Bearer", f"Bearer {TOKEN}x", TOKEN, "Bearer é"])
def test_every_route_wants_the_token(
    engine: RunningEngine, method: str, route: str, given: str | None
) -> None:
    client = Client(engine.path)
    client._headers = {} if given is None else {"Authorization": given.encode().decode("latin-1")}
    body = chat_body() if method == "POST" else None
    status, reply = client.json(method, route, body)
    assert status == 401
    assert reply["error"]["code"] == "unauthorized"


def test_the_refusal_of_a_large_body_arrives(engine: RunningEngine) -> None:
    """Closing with unread data would take the reply away."""
    client = Client(engine.path, token="x" * 32)
    status, _ = client.json("POST", "/v1/chat/completions", b"x" * 3_000_000)
    assert status == 401
    status, reply = engine.client.json("POST", "/count", b"x" * (16 * 2**20 + 1))
    assert (status, reply["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("method", "route"), [("GET", "/"), ("GET", "/count"), ("POST", "/metrics"), ("POST", "/v1")]
)
def test_unknown_routes(client: Client, method: str, route: str) -> None:
    status, reply = client.json(method, route, {} if method == "POST" else None)
    assert (status, reply["error"]["code"]) == (404, "not_found")


def test_the_length_must_be_known(client: Client) -> None:
    headers = {"Transfer-Encoding": "chunked"}
    connection, response = client.open("POST", "/count", b"2\r\n{}\r\n0\r\n\r\n", headers)
    assert response.status in (400, 411)
    connection.close()


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET\r\n\r\n", b"A" * 70000])
def test_garbage_is_answered_and_forgotten(engine: RunningEngine, garbage: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(engine.path)
        raw.settimeout(5)
        try:
            raw.sendall(garbage + b"\r\n\r\n")
            raw.shutdown(socket.SHUT_WR)
            assert b"error" in raw.makefile("rb").read()
        except ConnectionError:
            pass
    assert engine.client.metrics()["healthy"]


def user(content: object) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content}]}


BAD: list[tuple[object, str]] = [
    (b"{", "not JSON"),
    (b"[" * 100_000, "not JSON"),
    (b"[]", "object"),
    ({}, "messages"),
    ({"messages": []}, "messages"),
    ({"messages": "hi"}, "messages"),
    ({"messages": [1]}, "messages[0]"),
    ({"messages": [{"role": "wizard", "content": ""}]}, "role"),
    ({"messages": [{"content": ""}]}, "role"),
    (user(5), "content"),
    (user([{"type": "text"}]), "text"),
    (user([{"type": "text", "text": 5}]), "text"),
    (user([{"type": "image_url", "image_url": {"url": "http://127.0.0.1/x"}}]), "image_url"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "tool message"),
    ({"messages": [{"role": "assistant", "tool_calls": [{}]}]}, "tool_calls"),
    (chat_body(tools={}), "tools"),
    (chat_body(tools=[{"type": "function"}]), "tools[0]"),
    (chat_body(reasoning_effort="banana"), "reasoning_effort"),
    (chat_body(date="tomorrow"), "date"),
    (chat_body(date=5), "date"),
    (chat_body(temperature="hot"), "temperature"),
    (chat_body(temperature=-1), "temperature"),
    (chat_body(temperature=True), "temperature"),
    (b'{"messages": [{"role": "user", "content": ""}], "temperature": NaN}', "temperature"),
    (chat_body(top_p=1.5), "top_p"),
    (chat_body(top_k=1.5), "top_k"),
    (chat_body(min_p=2), "min_p"),
    (chat_body(max_tokens=0), "max_tokens"),
    (chat_body(max_tokens="1"), "max_tokens"),
    (chat_body(max_completion_tokens=-1), "max_completion_tokens"),
    (chat_body(seed="x"), "seed"),
    (chat_body(stop=[1]), "stop"),
    (chat_body(stop=["a"] * 17), "stop"),
    (chat_body(logit_bias=[1]), "logit_bias"),
    (chat_body(logit_bias={"99999999": 1}), "logit_bias"),
    (chat_body(logit_bias={"1": "x"}), "logit_bias"),
    (chat_body(logit_bias={"1": 101}), "logit_bias"),
    (chat_body(logit_bias={"1": -1e308}), "logit_bias"),
    (chat_body(logit_bias={"-1": 1}), "logit_bias"),
    (chat_body(logit_bias={"٣": 1}), "logit_bias"),
    (chat_body(logit_bias={"9" * 5000: 1}), "logit_bias"),
    (chat_body(frequency_penalty=2.1), "frequency_penalty"),
    (chat_body(presence_penalty="x"), "presence_penalty"),
    (chat_body(repetition_penalty=-1), "repetition_penalty"),
    (chat_body(stream="yes"), "stream"),
    (chat_body(stream_options=True), "stream_options"),
]


@pytest.mark.parametrize(("body", "word"), BAD)
def test_bad_bodies_are_named(client: Client, body: object, word: str) -> None:
    status, reply = client.json("POST", "/v1/chat/completions", body)
    assert status == 400, reply
    assert word in reply["error"]["message"]
    assert len(reply["error"]["message"]) < 300


@pytest.mark.parametrize("body", [{}, {"prompt": 5}, {"prompt": ["a"]}, {"prompt": ""}])
def test_bad_completions(client: Client, body: object) -> None:
    assert client.json("POST", "/v1/completions", body)[0] == 400


def test_unknown_fields_and_half_characters_do_no_harm(client: Client) -> None:
    reply = client.chat("cut \ud83d here \udc00", model="elsewhere/other", n=1, user="me", top_k=0)
    assert reply["choices"][0]["finish_reason"] in ("stop", "length")
    assert client.json("POST", "/v1/completions", {"prompt": "\ud83d", "max_tokens": 1})[0] == 200


def test_a_prompt_longer_than_the_model(client: Client, model: Any) -> None:
    longest = json.loads((model / "config.json").read_text())["max_position_embeddings"]
    body = chat_body("a 1 " * longest, max_tokens=1)
    status, reply = client.json("POST", "/v1/chat/completions", body)
    assert (status, reply["error"]["code"]) == (400, "context_too_long")
    assert str(longest) in reply["error"]["message"]


VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    1e308,
    2**70,
    "",
    "x",
    "\ud800",
    [],
    {},
    [[]],
    [None],
    {"a": 1},
]
KEYS = [
    *("messages", "stream", "max_tokens", "temperature", "top_p", "seed", "stop", "tools", "date"),
    *("reasoning_effort", "logit_bias", "stream_options", "content", "role", "tool_calls", "type"),
]


def any_value(rng: random.Random, depth: int) -> Any:
    if depth == 0 or rng.random() < 0.5:
        return rng.choice(VALUES)
    if rng.random() < 0.5:
        return [any_value(rng, depth - 1) for _ in range(rng.randrange(3))]
    return {rng.choice(KEYS): any_value(rng, depth - 1) for _ in range(rng.randrange(4))}


@pytest.mark.parametrize("route", ["/v1/chat/completions", "/count", "/v1/completions"])
def test_nothing_a_client_sends_is_our_mistake(client: Client, route: str) -> None:
    rng = random.Random(5)
    for _ in range(3000 if FULL else 150):
        body = chat_body(max_tokens=1)
        for key in rng.sample(KEYS[:12], 2):
            body[key] = any_value(rng, 3)
        body["max_tokens"] = 1
        body["max_completion_tokens"] = 1
        body["stream"] = False
        if rng.random() < 0.3:
            body["messages"] = [{"role": "user", "content": "x"}, any_value(rng, 3)]
        status, reply = client.json("POST", route, body)
        assert status in (200, 400), (body, reply)
    assert client.metrics()["healthy"]
