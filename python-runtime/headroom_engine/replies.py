"""OpenAI-shaped replies, streamed and whole, from the events of one answer."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from .deltas import CONTENT, Delta, Text, ToolArguments, ToolStart
from .job import Done, Failed, Finished, Generated, Prefilling, TokenChance
from .job import Event as GenerationEvent

DONE = b"data: [DONE]\n\n"


def data(value: object) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def error_body(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


@dataclass
class _Reply:
    model: str
    chat: bool
    token_bytes: Callable[[int], bytes]
    id: str = ""
    created: int = field(default_factory=lambda: int(time.time()))

    def __post_init__(self) -> None:
        self.id = f"{'chatcmpl' if self.chat else 'cmpl'}-{uuid.uuid4().hex}"

    def _logprobs(self, chances: list[TokenChance]) -> dict[str, Any]:
        return {"content": [self._chance(chance) for chance in chances]}

    def _chance(self, chance: TokenChance) -> dict[str, Any]:
        top = [self._likely(token, logprob) for token, logprob in chance.top]
        return {**self._likely(chance.token, chance.logprob), "top_logprobs": top}

    def _likely(self, token: int, logprob: float) -> dict[str, Any]:
        written = self.token_bytes(token)
        text = written.decode("utf-8", "replace")
        # JSON knows no infinity: a token that cannot come.
        return {"token": text, "logprob": max(logprob, -9999.0), "bytes": list(written)}

    def _envelope(self, object_name: str, choices: list[Any]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": object_name,
            "created": self.created,
            "model": self.model,
            "choices": choices,
        }


@dataclass
class StreamedReply(_Reply):
    include_usage: bool = False

    def opening(self) -> bytes:
        """The first chunk names the role and tells that the request was accepted."""
        return self._chunk({"role": "assistant", "content": ""}) if self.chat else b""

    def frames(self, event: GenerationEvent) -> bytes:
        match event:
            case Prefilling(done, total):
                return f": keepalive {done}/{total}\n\n".encode()
            case Generated(deltas, chances):
                return self._generated(deltas, chances)
            case Finished():
                return self._end(event)
            case Failed(error):
                # No [DONE] follows: that is how a client knows the answer is not whole.
                return data(error_body(error.code, error.message))
            case Done():
                return b""  # The end of other work than answers.

    def _generated(self, deltas: list[Delta], chances: list[TokenChance]) -> bytes:
        """Chances stand beside the text they belong to, or beside none if it is still held back."""
        rest: dict[str, Any] = {"logprobs": self._logprobs(chances)} if chances else {}
        out = b""
        for delta in deltas:
            if rest and isinstance(delta, Text) and delta.kind == CONTENT:
                out += self._chunk({CONTENT: delta.text}, **rest)
                rest = {}
            else:
                out += self._delta(delta)
        return out + self._chunk({CONTENT: ""}, **rest) if rest else out

    def _delta(self, delta: Delta) -> bytes:
        match delta:
            case Text(kind, text):
                return self._chunk({kind: text})
            case ToolStart(index, name):
                call = {"index": index, "id": call_id(), "type": "function"}
                return self._tool({**call, "function": {"name": name, "arguments": ""}})
            case ToolArguments(index, text):
                return self._tool({"index": index, "function": {"arguments": text}})

    def _tool(self, call: dict[str, Any]) -> bytes:
        return self._chunk({"tool_calls": [call]})

    def _chunk(self, delta: dict[str, Any], **end: Any) -> bytes:  # noqa: ANN401  any JSON
        choice: dict[str, Any] = {"index": 0, "finish_reason": None, **end}
        if self.chat:
            choice["delta"] = delta
        else:
            choice["text"] = delta.get(CONTENT, "")
        return data(self._envelope(self._object_name, [choice]))

    @property
    def _object_name(self) -> str:
        return "chat.completion.chunk" if self.chat else "text_completion"

    def _end(self, event: Finished) -> bytes:
        out = self._chunk({}, **how_it_ended(event))
        if self.include_usage:
            last = self._envelope(self._object_name, [])
            out += data({**last, **measurements(event)})
        return out + DONE


@dataclass
class WholeReply(_Reply):
    _texts: dict[str, str] = field(default_factory=dict)
    _calls: list[dict[str, Any]] = field(default_factory=list)
    _chances: list[TokenChance] = field(default_factory=list)

    def add(self, deltas: list[Delta], chances: list[TokenChance]) -> None:
        self._chances += chances
        for delta in deltas:
            match delta:
                case Text(kind, text):
                    self._texts[kind] = self._texts.get(kind, "") + text
                case ToolStart(_, name):
                    function = {"name": name, "arguments": ""}
                    self._calls.append({"id": call_id(), "type": "function", "function": function})
                case ToolArguments(index, text):
                    self._calls[index]["function"]["arguments"] += text

    def body(self, event: Finished) -> dict[str, Any]:
        choice: dict[str, Any] = {"index": 0, **how_it_ended(event)}
        if self._chances:
            choice["logprobs"] = self._logprobs(self._chances)
        if self.chat:
            message: dict[str, Any] = {"role": "assistant", CONTENT: self._texts.get(CONTENT)}
            message |= {k: text for k, text in self._texts.items() if k != CONTENT}
            if self._calls:
                message["tool_calls"] = self._calls
            choice["message"] = message
        else:
            choice["text"] = self._texts.get(CONTENT, "")
        body = self._envelope("chat.completion" if self.chat else "text_completion", [choice])
        return {**body, **measurements(event)}


def how_it_ended(event: Finished) -> dict[str, Any]:
    ending = {"length_in": event.length_in, "stop_sequence": event.stop_text}
    told = {name: value for name, value in ending.items() if value is not None}
    return {"finish_reason": event.reason, **told}


def measurements(event: Finished) -> dict[str, Any]:
    return {
        "usage": usage(event),
        "timings": asdict(event.timings),
        "memory": asdict(event.memory),
    }


def usage(event: Finished) -> dict[str, Any]:
    used = event.usage
    return {
        "prompt_tokens": used.prompt_tokens,
        "completion_tokens": used.completion_tokens,
        "total_tokens": used.prompt_tokens + used.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": used.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": used.reasoning_tokens},
    }


def call_id() -> str:
    return f"call_{uuid.uuid4().hex[:24]}"


def merged(events: list[GenerationEvent]) -> Iterator[GenerationEvent]:
    """Events that waited together, with neighbouring pieces of one text joined."""
    deltas: list[Delta] = []
    chances: list[TokenChance] = []
    for event in events:
        if isinstance(event, Generated):
            for delta in event.deltas:
                _append(deltas, delta)
            chances += event.chances
            continue
        if deltas or chances:
            yield Generated(deltas, chances)
            deltas, chances = [], []
        yield event
    if deltas or chances:
        yield Generated(deltas, chances)


def _append(deltas: list[Delta], delta: Delta) -> None:
    match (deltas[-1] if deltas else None), delta:
        case Text(kind, before), Text(other, text) if kind == other:
            deltas[-1] = Text(kind, before + text)
        case ToolArguments(index, before), ToolArguments(other_index, text) if index == other_index:
            deltas[-1] = ToolArguments(index, before + text)
        case _:
            deltas.append(delta)
