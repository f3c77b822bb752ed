"""Messages as clients send them, made into what a chat template can render.

Also where control text is defused: a tokenizer reads ``<|end|>`` typed by a user as the real
control token, so whatever comes from outside gets a zero-width space between ``<`` and ``|``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from .errors import bad_request

Message = dict[str, Any]

ROLES: Final = ("system", "developer", "user", "assistant", "tool")
_REASONING_NAMES: Final = ("reasoning", "reasoning_content", "thinking")


def sound_text(text: str) -> str:
    """Halves of a surrogate pair, as a JavaScript string cut in two leaves them, become U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class Defuser:
    """Breaks up control text. ``specials`` are the tokenizer's own control tokens."""

    def __init__(self, specials: Sequence[str] = ()) -> None:
        texts = {"<|", *(text for text in specials if len(text) > 1)}
        longest_first = sorted(texts, key=lambda text: (-len(text), text))
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def text(self, text: str) -> str:
        text = sound_text(text)
        # A match may start inside another one's tail ("<<||"), so until nothing is left. Every
        # pass puts a zero-width space into each match, so this ends.
        while True:
            text, count = self._pattern.subn(lambda m: f"{m[0][0]}\u200b{m[0][1:]}", text)
            if not count:
                return text

    def value(self, value: Any) -> Any:  # noqa: ANN401  any JSON
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        return value


@dataclass(frozen=True)
class Conversation:
    messages: list[Message]
    tools: list[Any] | None


def read_conversation(
    messages: object, tools: object, defuser: Defuser, *, harmony: bool
) -> Conversation:
    """Check and normalise. Raises a 400 that names the message at fault."""
    if not isinstance(messages, list) or not messages:
        raise bad_request("messages must be a list with at least one message")
    normal = [_read_message(message, i, defuser) for i, message in enumerate(messages)]
    if harmony:
        normal = _one_call_each(_instructions_first(normal))
    return Conversation(normal, _read_tools(tools, defuser))


def _read_message(message: object, index: int, defuser: Defuser) -> Message:
    place = f"messages[{index}]"
    if not isinstance(message, dict):
        raise bad_request(f"{place} must be an object")
    role = message.get("role")
    if role not in ROLES:
        raise bad_request(f"{place}.role must be one of {', '.join(ROLES)}")
    out: Message = {"role": role, "content": defuser.text(_plain_text(message, place))}
    if role == "tool":
        for name in ("tool_call_id", "name"):
            if isinstance(message.get(name), str):
                out[name] = defuser.text(message[name])
    if role == "assistant":
        for name in _REASONING_NAMES:
            if isinstance(message.get(name), str) and message[name]:
                out["thinking"] = defuser.text(message[name])
                break
        if calls := message.get("tool_calls"):
            out["tool_calls"] = _read_calls(calls, place, defuser)
    return out


def _plain_text(message: Message, place: str) -> str:
    content = message.get("content")
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise bad_request(f"{place}.content must be text or a list of text parts")
    texts = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in ("text", "input_text", "output_text"):
            raise bad_request(f"{place}.content: only text parts can be read, not {kind!r:.40}")
        if not isinstance(part.get("text"), str):
            raise bad_request(f"{place}.content: a text part has no text")
        texts.append(part["text"])
    return "".join(texts)


def _read_calls(calls: object, place: str, defuser: Defuser) -> list[Message]:
    if not isinstance(calls, list):
        raise bad_request(f"{place}.tool_calls must be a list")
    out = []
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise bad_request(f"{place}.tool_calls: every call needs function.name")
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            # Templates write the arguments as JSON again, so they want the object.
            try:
                arguments = json.loads(arguments) if arguments.strip() else {}
            except ValueError:
                arguments = function["arguments"]
        out.append(
            {
                "id": str(call.get("id", "")),
                "type": "function",
                "function": {
                    "name": defuser.text(function["name"]),
                    "arguments": defuser.value({} if arguments is None else arguments),
                },
            }
        )
    return out


def _read_tools(tools: object, defuser: Defuser) -> list[Any] | None:
    if tools is None or tools == []:
        return None
    if not isinstance(tools, list):
        raise bad_request("tools must be a list")
    out = []
    for i, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise bad_request(f"tools[{i}] must have function.name")
        # gpt-oss's template joins the description to text: it must be there.
        out.append(
            defuser.value({**tool, "type": "function", "function": {"description": "", **function}})
        )
    return out


def _instructions_first(messages: list[Message]) -> list[Message]:
    """All system and developer text in one message at the front.

    gpt-oss's template reads the first message only and silently drops later system messages.
    """
    rules = [m["content"] for m in messages if m["role"] in ("system", "developer")]
    rest = [m for m in messages if m["role"] not in ("system", "developer")]
    text = "\n\n".join(rule for rule in rules if rule)
    return [{"role": "system", "content": text}, *rest] if text else rest


def _one_call_each(messages: list[Message]) -> list[Message]:
    """Several calls in one message become several messages, each with its results behind it.

    gpt-oss's template renders the first call of a message only, and names a result after the call
    right before it. It also refuses content beside reasoning in a message with a call.
    """
    out: list[Message] = []
    i = 0
    while i < len(messages):
        message = messages[i]
        i += 1
        calls = message.get("tool_calls")
        if not calls:
            if message["role"] == "tool" and not _follows_a_call(out):
                raise bad_request("a tool message must follow the assistant's call it answers")
            out.append(message)
            continue
        results = []
        while i < len(messages) and messages[i]["role"] == "tool":
            results.append(messages[i])
            i += 1
        for n, call in enumerate(calls):
            single: Message = {"role": "assistant", "content": "", "tool_calls": [call]}
            if n == 0 and message.get("thinking"):
                single["thinking"] = message["thinking"]
            elif n == 0:
                single["content"] = message["content"]
            out.append(single)
            last = n == len(calls) - 1
            mine = [r for r in results if last or r.get("tool_call_id") == call["id"]]
            results = [r for r in results if r not in mine]
            out.extend(mine)
    return out


def _follows_a_call(messages: list[Message]) -> bool:
    for message in reversed(messages):
        if message["role"] != "tool":
            return "tool_calls" in message
    return False
