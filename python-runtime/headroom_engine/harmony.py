"""Harmony, the format of gpt-oss: text with markers, split into channels.

    [<|start|>assistant][ to=REC] <|channel|>NAME[ to=REC] [<|constrain|>TYPE]
    <|message|>BODY<|end|>

The generated text begins right after ``<|start|>assistant``. Lenient, because models slip: a body
without a header is the answer, so is an unknown channel; a header that never reaches
``<|message|>`` gives its first word as the channel and the rest as the body.

        ┌────────────── <|start|> ──────────────┐
        ▼                                       │
     Before ── <|channel|> ──► Header ── <|message|> ──► Body
        │  ▲                     │ too long, or ended      ▲ │
        │  └──────── <|end|> ────┼─────────────────────────┼─┘
        └── any other text ──────┴──── as body ────────────┘
"""

from __future__ import annotations

import re
from typing import Final, Literal

from .deltas import COMMENTARY, CONTENT, REASONING, Delta, Text, ToolArguments, ToolStart

MARKERS: Final = (
    "<|startoftext|>",
    "<|endoftext|>",
    "<|return|>",
    "<|constrain|>",
    "<|channel|>",
    "<|start|>",
    "<|end|>",
    "<|message|>",
    "<|call|>",
)
ENDS: Final = frozenset(("<|end|>", "<|return|>", "<|call|>", "<|endoftext|>"))
LONGEST_HEADER: Final = 256
ANSWER_HEADER: Final = "<|channel|>final<|message|>"
# Names a message may be addressed to that are no tools.
_PEOPLE: Final = frozenset(("assistant", "user", "all", "system", "developer", ""))
_RECIPIENT: Final = re.compile(r"(?:^|\s)to=(\S+)")


def marker_prefix_length(text: str) -> int:
    """Length of the longest end of ``text`` that may still grow into a marker."""
    start = text.rfind("<")
    # A marker has one "<", at its beginning, so only the last one can be unfinished.
    if start < 0:
        return 0
    tail = text[start:]
    return len(tail) if any(m.startswith(tail) and m != tail for m in MARKERS) else 0


class HarmonySplitter:
    def __init__(self, answer_header: str = ANSWER_HEADER) -> None:
        self._held = ""
        self._state: Literal["before", "header", "body"] = "before"
        # After <|start|> any word may name the role; at the very beginning it has been given.
        self._role_open = False
        self._pending = ""
        self._recipient = ""
        self._kind: str = CONTENT
        self._tool = -1
        self._tools = 0
        self._answered = False
        self._begun = False
        self._answer_header = answer_header

    @property
    def thinking(self) -> bool:
        if self._state == "body":
            return self._kind == REASONING
        return not self._answered

    @property
    def answering(self) -> bool:
        return self._state == "body" and self._kind == CONTENT and self._tool < 0

    def end_of_thinking(self) -> str | None:
        if not self.thinking:
            return None
        if self._state == "body":
            return f"<|end|><|start|>assistant{self._answer_header}"
        if self._state == "header" or self._held:
            return None
        if not self._role_open:
            if self._pending:
                return None
            return (
                f"<|start|>assistant{self._answer_header}" if self._begun else self._answer_header
            )
        return f"assistant{self._answer_header}" if not self._pending else None

    def resume(self, reasoning: str, content: str) -> str:
        text = f"<|channel|>analysis<|message|>{reasoning}" if reasoning else ""
        if content:
            start = "<|end|><|start|>assistant" if reasoning else ""
            text += f"{start}{ANSWER_HEADER}{content}"
        self.feed(text)
        # It may look like the beginning of a marker, but it has been said.
        self._held = ""
        return text

    def feed(self, text: str) -> list[Delta]:
        self._begun = self._begun or text != ""
        out: list[Delta] = []
        text = self._held + text
        self._held = ""
        position = 0
        while True:
            start = text.find("<|", position)
            marker = None
            if start >= 0:
                marker = next((m for m in MARKERS if text.startswith(m, start)), None)
                if marker is None:
                    # Not a marker (yet): go on behind it, unless it is the unfinished end.
                    if marker_prefix_length(text[start:]) == len(text) - start:
                        self._text(text[position:start], out)
                        self._held = text[start:]
                        return out
                    self._text(text[position : start + 2], out)
                    position = start + 2
                    continue
                self._text(text[position:start], out)
                self._marker(marker, out)
                position = start + len(marker)
                continue
            rest = text[position:]
            keep = len(rest) - marker_prefix_length(rest)
            self._text(rest[:keep], out)
            self._held = rest[keep:]
            return out

    def finish(self) -> list[Delta]:
        out: list[Delta] = []
        held, self._held = self._held, ""
        self._text(held, out)
        if self._state == "header":
            self._header_without_message(out)
        elif self._state == "before":
            self._drop_or_answer(out)
        return out

    def _text(self, text: str, out: list[Delta]) -> None:
        if not text:
            return
        if self._state == "header":
            # Cut exactly behind the limit: what is decided there must not hang on the pieces.
            room = LONGEST_HEADER + 1 - len(self._pending)
            self._pending += text[:room]
            if len(self._pending) <= LONGEST_HEADER:
                return
            self._header_without_message(out)
            text = text[room:]
        elif self._state == "before":
            self._pending += text
            if self._may_open_a_message():
                return
            text, self._pending = self._pending, ""
            self._open("", out)
        if text:
            self._body(text, out)

    def _may_open_a_message(self) -> bool:
        """Whether the text before a header can still be a role or a recipient."""
        if len(self._pending) > LONGEST_HEADER:
            return False
        if self._role_open:
            return True
        text = self._pending.lstrip()
        return "to=".startswith(text) or text.startswith("to=") or "assistant".startswith(text)

    def _marker(self, marker: str, out: list[Delta]) -> None:
        if self._state == "before":
            self._marker_before(marker, out)
        elif self._state == "header":
            self._marker_in_header(marker, out)
        elif marker in ENDS:
            self._close()
        elif marker == "<|start|>":
            self._close(role_open=True)
        elif marker == "<|channel|>":
            # The end marker was forgotten.
            self._close()
            self._state = "header"
        # <|message|>, <|constrain|> and <|startoftext|> mean nothing inside a body.

    def _marker_before(self, marker: str, out: list[Delta]) -> None:
        if marker == "<|channel|>":
            self._take_recipient()
            self._pending = ""
            self._state = "header"
        elif marker == "<|message|>":
            # A message without a channel: the answer, or a call if it is addressed to a tool.
            self._take_recipient()
            self._open("", out)
        elif marker == "<|start|>":
            self._drop_or_answer(out)
            self._close(role_open=True)
        elif marker in ENDS:
            self._drop_or_answer(out)
            self._close()

    def _marker_in_header(self, marker: str, out: list[Delta]) -> None:
        if marker == "<|message|>":
            self._take_recipient()
            self._open(_first_word(self._pending), out)
        elif marker == "<|constrain|>":
            # The type follows as one more word.
            self._pending += " "
        elif marker == "<|channel|>":
            self._take_recipient()
            self._pending = ""
        elif marker == "<|start|>":
            self._header_without_message(out)
            self._close(role_open=True)
        elif marker in ENDS:
            self._header_without_message(out)
            self._close()

    def _take_recipient(self) -> None:
        if found := _RECIPIENT.search(self._pending):
            self._recipient = found[1]

    def _header_without_message(self, out: list[Delta]) -> None:
        channel, body = _known_channel(self._pending.lstrip())
        self._open_with(channel, body, out)

    def _drop_or_answer(self, out: list[Delta]) -> None:
        """The text before a header came to nothing: blank or a role, or an answer after all."""
        text, self._pending = self._pending, ""
        self._open_with("", text.lstrip().removeprefix("assistant"), out)

    def _open_with(self, channel: str, text: str, out: list[Delta]) -> None:
        body = text.lstrip()
        while found := _RECIPIENT.match(body):
            self._recipient = found[1]
            body = body[found.end() :].lstrip()
        if body:
            self._open(channel, out)
            self._body(body, out)

    def _open(self, channel: str, out: list[Delta]) -> None:
        self._state = "body"
        self._pending = ""
        self._tool = -1
        if self._recipient not in _PEOPLE:
            self._tool = self._tools
            self._tools += 1
            self._answered = True
            self._kind = CONTENT
            out.append(ToolStart(self._tool, self._recipient.removeprefix("functions.")))
        elif channel == "analysis":
            self._kind = REASONING
        elif channel == "commentary":
            self._kind = COMMENTARY
        else:
            self._kind = CONTENT
        if self._kind != REASONING:
            self._answered = True

    def _body(self, text: str, out: list[Delta]) -> None:
        if self._tool >= 0:
            out.append(ToolArguments(self._tool, text))
        else:
            out.append(Text(self._kind, text))

    def _close(self, role_open: bool = False) -> None:
        self._state = "before"
        self._role_open = role_open
        self._pending = ""
        self._recipient = ""


def _known_channel(header: str) -> tuple[str, str]:
    for channel in ("analysis", "commentary", "final"):
        if header.startswith(channel):
            return channel, header[len(channel) :]
    return "", header


def _first_word(text: str) -> str:
    words = text.split(None, 1)
    return words[0] if words else ""
