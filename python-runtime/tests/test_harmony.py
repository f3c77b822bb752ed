"""The harmony split, against a second parser that reads the whole text with regular expressions."""

from __future__ import annotations

import os
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headroom_engine.deltas import Delta, Text, ToolArguments, ToolStart
from headroom_engine.harmony import LONGEST_HEADER, MARKERS, HarmonySplitter, marker_prefix_length

FULL = os.environ.get("HEADROOM_FAULTS") == "full"
EXAMPLES = 20_000 if FULL else 500

Parts = list[tuple[str, str]]


def joined(deltas: list[Delta]) -> Parts:
    """Neighbouring pieces of one kind put together: what a reader sees."""
    parts: Parts = []
    for delta in deltas:
        match delta:
            case Text(kind, text):
                key, value = kind, text
            case ToolStart(index, name):
                key, value = f"tool {index} {name}", ""
                parts.append((key, value))
                continue
            case ToolArguments(index, text):
                key = next(k for k, _ in reversed(parts) if k.startswith(f"tool {index} "))
                value = text
        if parts and parts[-1][0] == key:
            parts[-1] = (key, parts[-1][1] + value)
        else:
            parts.append((key, value))
    return parts


def split(pieces: list[str]) -> Parts:
    splitter = HarmonySplitter()
    deltas = [delta for piece in pieces for delta in splitter.feed(piece)]
    return joined(deltas + splitter.finish())


def reference(text: str) -> Parts:
    """Harmony read at once: the text is cut at its markers, then read message by message."""
    lexemes = [x for x in re.split("(" + "|".join(map(re.escape, MARKERS)) + ")", text) if x]
    merged: list[str] = []
    for lexeme in lexemes:
        if merged and lexeme not in MARKERS and merged[-1] not in MARKERS:
            merged[-1] += lexeme
        else:
            merged.append(lexeme)
    deltas: list[Delta] = []
    tools = 0
    role = channel = recipient = ""
    begun = False  # a <|start|> stands before the role
    place = "role"

    def address(words: str) -> str:
        found = re.search(r"(?:^|\s)to=(\S+)", words)
        return found[1] if found else recipient

    def emit(body: str) -> None:
        if not body:
            return
        if current >= 0:
            deltas.append(ToolArguments(current, body))
        else:
            deltas.append(Text(kind, body))

    current, kind = -1, "content"

    def begin(name: str) -> None:
        nonlocal current, kind, tools, place
        place = "body"
        current = -1
        kind = {"analysis": "reasoning", "commentary": "commentary"}.get(name, "content")
        if recipient not in ("assistant", "user", "all", "system", "developer", ""):
            current, tools = tools, tools + 1
            deltas.append(ToolStart(current, recipient.removeprefix("functions.")))

    def salvage(name: str, words: str) -> None:
        nonlocal recipient
        rest = words.lstrip()
        while found := re.match(r"to=(\S+)\s*", rest):
            recipient = found[1]
            rest = rest[found.end() :]
        if rest:
            begin(name)
            emit(rest)

    def salvage_header() -> None:
        known = re.match(r"\s*(analysis|commentary|final)", channel)
        salvage(known[1] if known else "", channel[known.end() :] if known else channel)

    def next_message(opened: bool) -> None:
        nonlocal place, role, channel, recipient, begun
        place, role, channel, recipient, begun = "role", "", "", "", opened

    for lexeme in [*merged, "THE END"]:
        ended = lexeme in ("<|end|>", "<|return|>", "<|call|>", "<|endoftext|>", "THE END")
        if lexeme not in MARKERS and lexeme != "THE END":
            if place == "role":
                role += lexeme
                bare = role.lstrip()
                waits = begun or bare.startswith("to=") or "to=".startswith(bare)
                if not (waits or "assistant".startswith(bare)) or len(role) > LONGEST_HEADER:
                    begin("")
                    emit(role)
            elif place == "channel":
                channel += lexeme
                if len(channel) > LONGEST_HEADER:
                    channel, rest = channel[: LONGEST_HEADER + 1], channel[LONGEST_HEADER + 1 :]
                    salvage_header()
                    emit(rest)
            else:
                emit(lexeme)
        elif place == "role":
            if lexeme == "<|channel|>":
                recipient = address(role)
                place = "channel"
            elif lexeme == "<|message|>":
                recipient = address(role)
                begin("")
            elif ended or lexeme == "<|start|>":
                salvage("", role.lstrip().removeprefix("assistant"))
                next_message(lexeme == "<|start|>")
        elif place == "channel":
            if lexeme == "<|message|>":
                recipient = address(channel)
                words = channel.split()
                begin(words[0] if words else "")
            elif lexeme == "<|channel|>":
                recipient = address(channel)
                channel = ""
            elif lexeme == "<|constrain|>":
                channel += " "
            elif ended or lexeme == "<|start|>":
                salvage_header()
                next_message(lexeme == "<|start|>")
        elif ended or lexeme == "<|start|>":
            next_message(lexeme == "<|start|>")
        elif lexeme == "<|channel|>":
            next_message(False)
            place = "channel"
    return joined(deltas)


CASES: list[tuple[str, Parts]] = [
    (
        "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Hi",
        [("reasoning", "hm"), ("content", "Hi")],
    ),
    (
        "<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>"
        '{"city": "Paris"}<|call|>',
        [("tool 0 get_weather", '{"city": "Paris"}')],
    ),
    (
        " to=functions.f<|channel|>commentary json<|message|>{}<|call|>",
        [("tool 0 f", "{}")],
    ),
    (
        "<|channel|>analysis<|message|>a<|end|><|start|>assistant to=functions.f<|channel|>"
        "commentary<|message|>{}",
        [("reasoning", "a"), ("tool 0 f", "{}")],
    ),
    (
        "<|channel|>commentary<|message|>I will look.<|end|><|start|>assistant<|channel|>commentary"
        " to=functions.a<|message|>1<|end|><|start|>assistant<|channel|>commentary"
        " to=functions.b<|message|>2",
        [("commentary", "I will look."), ("tool 0 a", "1"), ("tool 1 b", "2")],
    ),
    ("<|channel|>commentary to=functions.f<|message|>", [("tool 0 f", "")]),
    ("Just an answer.", [("content", "Just an answer.")]),
    ("<|start|>assistant Just an answer.<|end|>", [("content", "Just an answer.")]),
    ("<|message|>No channel.", [("content", "No channel.")]),
    ("<|channel|>musings<|message|>Unknown.", [("content", "Unknown.")]),
    ("<|channel|><|message|>Empty.", [("content", "Empty.")]),
    ("<|channel|>analysis I forgot the marker.<|end|>", [("reasoning", "I forgot the marker.")]),
    ("<|channel|>finalGlued.", [("content", "Glued.")]),
    ("<|channel|>analysis", []),
    (
        "<|channel|>analysis<|message|>x<|channel|>final<|message|>y",
        [("reasoning", "x"), ("content", "y")],
    ),
    ("<|channel|>final<|message|>a <| b <|en <|message|>c", [("content", "a <| b <|en c")]),
    ("<|channel|>final<|message|>cut <|en", [("content", "cut <|en")]),
    ("<|channel|>final <|channel|>analysis<|message|>x", [("reasoning", "x")]),
    ("<|channel|>analysis to=python<|message|>1+1<|call|>", [("tool 0 python", "1+1")]),
    ("<|channel|>commentary to=user<|message|>hello", [("commentary", "hello")]),
    ("", []),
]


@pytest.mark.parametrize(("text", "parts"), CASES)
def test_reads_each_form(text: str, parts: Parts) -> None:
    assert split([text]) == parts
    assert reference(text) == parts


@pytest.mark.parametrize("text", [text for text, _ in CASES])
def test_is_the_same_cut_in_two_or_three_anywhere(text: str) -> None:
    whole = split([text])
    assert split(list(text)) == whole
    for i in range(len(text) + 1):
        assert split([text[:i], text[i:]]) == whole
        for j in range(i, len(text) + 1, 1 if FULL else 5):
            assert split([text[:i], text[i:j], text[j:]]) == whole


HEADER_WORDS = ["analysis", "final", "commentary", "assistant", " to=functions.get", " to=", "json"]
BODY_WORDS = ["Hello", " ", "\n", "<", "|", "<|", "|>", "<|en", "é", "𝄞", '{"a":1}', "x" * 70]
texts = st.lists(st.sampled_from([*MARKERS, *HEADER_WORDS, *BODY_WORDS]), max_size=24).map("".join)


@settings(max_examples=EXAMPLES, deadline=None, derandomize=not FULL)
@given(texts, st.integers(0, 2**32))
def test_agrees_with_the_reference_however_it_is_cut(text: str, seed: int) -> None:
    rng = random.Random(seed)
    pieces, rest = [], text
    while rest:
        n = rng.choice([1, 1, 2, 3, 7, 40])
        pieces.append(rest[:n])
        rest = rest[n:]
    assert split(pieces) == reference(text)


@pytest.mark.parametrize(
    ("text", "thinking"),
    [
        ("", True),
        ("<|channel|>analysis<|message|>hm", True),
        ("<|channel|>analysis<|message|>hm<|end|><|start|>assistant", True),
        (
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>",
            False,
        ),
        ("<|channel|>commentary to=functions.f<|message|>{", False),
    ],
)
def test_knows_when_the_model_is_still_thinking(text: str, thinking: bool) -> None:
    splitter = HarmonySplitter()
    splitter.feed(text)
    assert splitter.thinking is thinking


def test_holds_back_only_what_may_become_a_marker() -> None:
    assert marker_prefix_length("abc<|en") == 4
    assert marker_prefix_length("abc<") == 1
    assert marker_prefix_length("abc<|x") == 0
    assert marker_prefix_length("<|end|>") == 0
    splitter = HarmonySplitter()
    splitter.feed("<|channel|>final<|message|>")
    assert splitter.feed("1 < 2") == [Text("content", "1 < 2")]
    assert splitter.feed("a<") == [Text("content", "a")]
    assert splitter.feed("b") == [Text("content", "<b")]
