"""The official Python clients, unchanged, against the endpoint. Says as JSON what each of them got."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import anthropic
import openai

URL = os.environ["ENDPOINT_URL"]
KEY = os.environ["ENDPOINT_KEY"]
ROOT = URL.removesuffix("/v1")
LONG = os.environ["LONG_PROMPT"]

client = openai.OpenAI(base_url=URL, api_key=KEY, max_retries=0)
claude = anthropic.Anthropic(base_url=ROOT, api_key=KEY, max_retries=0)

USER: Any = [{"role": "user", "content": "Hello"}]
WEATHER: Any = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "enum": ["Oslo", "Rome"]}},
        "required": ["city"],
    },
}
FUNCTION: Any = {"type": "function", "function": WEATHER}
TOOL: Any = {
    "name": WEATHER["name"],
    "description": WEATHER["description"],
    "input_schema": WEATHER["parameters"],
}


def chat_text() -> object:
    whole = client.chat.completions.create(
        model="default", max_tokens=60, temperature=0, messages=USER
    )
    with client.chat.completions.stream(
        model="default", max_tokens=60, temperature=0, messages=USER
    ) as stream:
        streamed = stream.get_final_completion()
    text = whole.choices[0].message.content
    assert text
    assert text == streamed.choices[0].message.content
    assert whole.usage
    assert whole.usage.completion_tokens > 0
    return text


def chat_tool() -> object:
    question: Any = [{"role": "user", "content": "What is the weather in Oslo?"}]
    with client.chat.completions.stream(
        model="default",
        max_tokens=300,
        temperature=0,
        messages=question,
        tools=[FUNCTION],
        tool_choice="required",
    ) as stream:
        message = stream.get_final_completion().choices[0].message
    calls = message.tool_calls or []
    after = client.chat.completions.create(
        model="default",
        max_tokens=60,
        temperature=0,
        tools=[FUNCTION],
        messages=[
            *question,
            message,  # type: ignore[list-item]
            {"role": "tool", "tool_call_id": calls[0].id, "content": "Rain."},
        ],
    )
    assert after.choices[0].finish_reason in ("stop", "length", "tool_calls")
    return [calls[0].function.name, json.loads(calls[0].function.arguments)["city"]]


def response_text() -> object:
    asked: Any = {
        "model": "default",
        "input": "Hello",
        "max_output_tokens": 60,
        "temperature": 0,
    }
    whole = client.responses.create(**asked)
    with client.responses.stream(**asked) as stream:
        kinds = [event.type for event in stream]
        streamed = stream.get_final_response()
    assert whole.output_text
    assert whole.output_text == streamed.output_text
    assert kinds[0] == "response.created"
    return kinds[-1]


def message_text() -> object:
    # This client names no temperature any more.
    asked: Any = {
        "model": "default",
        "max_tokens": 60,
        "messages": USER,
        "extra_body": {"temperature": 0},
    }
    whole = claude.messages.create(**asked)
    with claude.messages.stream(**asked) as stream:
        streamed = stream.get_final_message()
    assert [one.to_dict() for one in whole.content] == [one.to_dict() for one in streamed.content]
    assert claude.messages.count_tokens(model="default", messages=USER).input_tokens > 0
    return streamed.stop_reason


def message_tool() -> object:
    question: Any = {"role": "user", "content": "What is the weather in Oslo?"}
    with claude.messages.stream(
        model="default",
        max_tokens=300,
        messages=[question],
        tools=[TOOL],
        tool_choice={"type": "any"},
    ) as stream:
        first = stream.get_final_message()
    call = next(block for block in first.content if block.type == "tool_use")
    result: Any = {"type": "tool_result", "tool_use_id": call.id, "content": "Rain."}
    second = claude.messages.create(
        model="default",
        max_tokens=60,
        tools=[TOOL],
        messages=[
            question,
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": [result]},
        ],
    )
    assert second.usage.output_tokens > 0
    return [call.name, call.input["city"], first.stop_reason]


def caught(work: Callable[[], object], expected: type[Exception]) -> str:
    try:
        work()
    except expected as error:
        return str(error)
    raise AssertionError(f"no {expected.__name__}")


def chat_errors() -> object:
    create: Any = client.chat.completions.create
    stranger: Any = openai.OpenAI(base_url=URL, api_key="hr-nobody", max_retries=0)
    caught(stranger.models.list, openai.AuthenticationError)
    caught(lambda: create(model="gpt-4o", messages=USER), openai.NotFoundError)
    caught(lambda: create(model="default", messages=USER, n=2), openai.BadRequestError)
    long: Any = [{"role": "user", "content": LONG}]
    return caught(lambda: create(model="default", messages=long), openai.BadRequestError)


def message_errors() -> object:
    create: Any = claude.messages.create
    stranger: Any = anthropic.Anthropic(base_url=ROOT, api_key="hr-nobody", max_retries=0)
    asked: Any = {"model": "default", "max_tokens": 60}
    caught(lambda: stranger.messages.create(**asked, messages=USER), anthropic.AuthenticationError)
    caught(lambda: create(model="claude", max_tokens=9, messages=USER), anthropic.NotFoundError)
    long: Any = [{"role": "user", "content": LONG}]
    return caught(lambda: create(**asked, messages=long), anthropic.BadRequestError)


def chat_abort() -> object:
    story: Any = [{"role": "user", "content": "Tell a long story"}]
    for _ in range(3):
        stream = client.chat.completions.create(model="default", messages=story, stream=True)
        next(iter(stream))
        stream.close()
    # The slot is free again: this would wait behind what was left.
    quick = openai.OpenAI(base_url=URL, api_key=KEY, max_retries=0, timeout=20)
    quick.chat.completions.create(model="default", max_tokens=1, messages=USER)
    return "free"


def message_abort() -> object:
    story: Any = [{"role": "user", "content": "Tell a long story"}]
    with claude.messages.stream(model="default", max_tokens=2_000, messages=story) as stream:
        next(iter(stream))
    quick = anthropic.Anthropic(base_url=ROOT, api_key=KEY, max_retries=0, timeout=20)
    quick.messages.create(model="default", max_tokens=1, messages=USER)
    return "free"


WORK = (
    chat_text,
    chat_tool,
    chat_errors,
    chat_abort,
    response_text,
    message_text,
    message_tool,
    message_errors,
    message_abort,
)

if __name__ == "__main__":
    got = {}
    for work in WORK:
        try:
            got[work.__name__] = {"got": work()}
        except Exception as error:  # said as its result
            got[work.__name__] = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(got))
