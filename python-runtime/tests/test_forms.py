"""Answers of a given form, by models that would not keep to it by themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .running_engine import Client, RunningEngine, chat_body

SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "maxLength": 12},
        "count": {"type": "integer", "minimum": 0, "maximum": 99},
        "kind": {"enum": ["sea", "land"]},
    },
    "required": ["city", "count", "kind"],
    "additionalProperties": False,
}
FORM = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA, "strict": True}}


def tool(name: str) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 10}},
        "required": ["city"],
        "additionalProperties": False,
    }
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def check_place(text: str) -> None:
    place = json.loads(text)
    assert set(place) == {"city", "count", "kind"}
    assert isinstance(place["city"], str)
    assert 0 <= place["count"] <= 99
    assert place["kind"] in ("sea", "land")


@pytest.mark.parametrize("temperature", [0, 2])
def test_the_answer_has_the_form_of_the_schema(client: Client, temperature: float) -> None:
    """Hot sampling of a toy model: without the grammar this is never JSON."""
    for seed in range(4):
        options = {"temperature": temperature, "seed": seed, "max_tokens": 400}
        choice = client.chat("hello", response_format=FORM, **options)["choices"][0]
        if choice["finish_reason"] == "length" and choice.get("length_in"):
            continue  # It thought all the time.
        assert choice["finish_reason"] == "stop"
        check_place(choice["message"]["content"])
    free = client.chat("hello")["choices"][0]["message"]["content"]
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(free)


def test_it_may_think_before(client: Client) -> None:
    reply = client.chat("why is the sky blue", response_format=FORM, reasoning_effort="high")
    message = reply["choices"][0]["message"]
    assert message["reasoning"]
    check_place(message["content"])


@pytest.mark.parametrize("budget", [0, 5])
def test_a_budget_holds_here_too(client: Client, budget: int) -> None:
    reply = client.chat("why is the sky blue", response_format=FORM, thinking_budget=budget)
    assert reply["usage"]["completion_tokens_details"]["reasoning_tokens"] <= budget + 6
    check_place(reply["choices"][0]["message"]["content"])


def test_any_object(client: Client) -> None:
    reply = client.chat(
        "hello", response_format={"type": "json_object"}, max_tokens=300, temperature=1, seed=3
    )
    choice = reply["choices"][0]
    if choice["finish_reason"] == "stop":
        assert isinstance(json.loads(choice["message"]["content"]), dict)
    else:
        assert choice["message"]["content"].lstrip().startswith("{")


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "b"}}])
@pytest.mark.parametrize("budget", [None, 0, 4])
def test_a_call_that_must_be_made(client: Client, choice: object, budget: int | None) -> None:
    options = {} if budget is None else {"thinking_budget": budget}
    reply = client.chat("hello", tools=[tool("a"), tool("b")], tool_choice=choice, **options)
    made = reply["choices"][0]
    assert made["finish_reason"] == "tool_calls"
    (call,) = made["message"]["tool_calls"]
    assert call["function"]["name"] in (("a", "b") if choice == "required" else ("b",))
    assert set(json.loads(call["function"]["arguments"])) == {"city"}
    assert not made["message"]["content"]


def test_streams_the_same(client: Client) -> None:
    whole = client.chat("hello", response_format=FORM)["choices"][0]["message"]["content"]
    body = chat_body("hello", response_format=FORM)
    streamed = "".join(
        frame["choices"][0]["delta"].get("content", "")
        for frame in client.stream(body)
        if isinstance(frame, dict) and frame["choices"]
    )
    assert streamed == whole


def test_no_tools_wanted(client: Client) -> None:
    body = chat_body("hello", tools=[tool("a")])
    _, none = client.json("POST", "/count", {**body, "tool_choice": "none"})
    _, plain = client.json("POST", "/count", chat_body("hello"))
    assert none == plain


@pytest.mark.parametrize(
    "options",
    [
        {"response_format": "json"},
        {"response_format": {"type": "xml"}},
        {"response_format": {"type": "json_schema"}},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "what"}}}},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"pattern": "("}}}},
        {"response_format": FORM, "continue": {"content": "{"}},
        {"tool_choice": "required"},
        {"tool_choice": "sometimes", "tools": [tool("a")]},
        {"tool_choice": {"type": "function", "function": {"name": "z"}}, "tools": [tool("a")]},
        {"tool_choice": "required", "tools": [tool("a")], "response_format": FORM},
    ],
)
def test_refuses_what_it_cannot_keep(client: Client, options: dict[str, Any]) -> None:
    status, reply = client.json("POST", "/v1/chat/completions", chat_body("hi", **options))
    assert (status, reply["error"]["code"]) == (400, "bad_request"), reply
    assert client.metrics()["healthy"]


def test_a_llama_keeps_to_it_too(llama: Path) -> None:
    with RunningEngine(llama) as engine:
        # Its thinking is noise, in which tags of calls come up too.
        options = {"temperature": 1, "max_tokens": 900, "thinking_budget": 0}
        for seed in range(4):
            reply = engine.client.chat("hi", response_format=FORM, seed=seed, **options)
            choice = reply["choices"][0]
            if choice["finish_reason"] == "stop":
                check_place(choice["message"]["content"])
        body = chat_body("hi", tools=[tool("a")], tool_choice="required")
        status, reply = engine.client.json("POST", "/v1/chat/completions", body)
        assert (status, reply["error"]["code"]) == (400, "unsupported")
        engine.stop()
