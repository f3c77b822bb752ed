"""A tool called by the model itself, and its result answered: the demo model can do that."""

from __future__ import annotations

import json
from typing import Any

from .running_engine import Client

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather for a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "The city"}},
            "required": ["city"],
        },
    },
}
QUESTION = {"role": "user", "content": "What is the weather in Paris?"}


def ask(messages: list[Any]) -> dict[str, Any]:
    return {"messages": messages, "tools": [WEATHER], "temperature": 0, "date": "2026-01-01"}


def test_a_call_streamed_and_whole_and_its_result_answered(client: Client) -> None:
    frames = list(client.stream(ask([QUESTION])))
    assert frames[-1] == "[DONE]"
    choices = [f["choices"][0] for f in frames if isinstance(f, dict)]
    pieces = [call for c in choices for call in c["delta"].get("tool_calls", [])]
    assert choices[-1]["finish_reason"] == "tool_calls"
    first = pieces[0]
    assert first["function"]["name"] == "get_weather"
    assert first["type"] == "function"
    assert first["id"].startswith("call_")
    assert {piece["index"] for piece in pieces} == {0}
    arguments = json.loads("".join(piece["function"]["arguments"] for piece in pieces))
    assert "Paris" in arguments["city"]

    status, whole = client.json("POST", "/v1/chat/completions", ask([QUESTION]))
    assert status == 200
    message = whole["choices"][0]["message"]
    assert whole["choices"][0]["finish_reason"] == "tool_calls"
    assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == arguments

    call_id = message["tool_calls"][0]["id"]
    result = {"role": "tool", "tool_call_id": call_id, "content": '{"weather": "sunny"}'}
    status, answered = client.json("POST", "/v1/chat/completions", ask([QUESTION, message, result]))
    assert status == 200
    assert answered["choices"][0]["finish_reason"] == "stop"
    assert answered["choices"][0]["message"]["content"]
