"""Reads one completion of the toy strictly: what the evaluation calls well formed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_CONTROL = r"<\|[a-z]+\|>"
_BODY = rf"((?:(?!{_CONTROL})[\s\S])+?)"
_FINAL = re.compile(
    rf"<\|channel\|>analysis<\|message\|>{_BODY}<\|end\|><\|start\|>assistant"
    rf"<\|channel\|>final<\|message\|>{_BODY}<\|return\|>"
)
_CALL = re.compile(
    rf"<\|channel\|>analysis<\|message\|>{_BODY}<\|end\|><\|start\|>assistant"
    r"<\|channel\|>commentary to=functions\.([\w-]+) <\|constrain\|>json<\|message\|>"
    rf"{_BODY}<\|call\|>"
)


@dataclass(frozen=True)
class Final:
    analysis: str
    text: str


@dataclass(frozen=True)
class Call:
    analysis: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Malformed:
    raw: str


Parsed = Final | Call | Malformed


def parse(raw: str) -> Parsed:
    """`raw` is everything after `<|start|>assistant`, the stop token included."""
    if final := _FINAL.fullmatch(raw):
        return Final(final[1], final[2])
    if call := _CALL.fullmatch(raw):
        try:
            arguments = json.loads(call[3])
        except json.JSONDecodeError:
            return Malformed(raw)
        if isinstance(arguments, dict):
            return Call(call[1], call[2], arguments)
    return Malformed(raw)
