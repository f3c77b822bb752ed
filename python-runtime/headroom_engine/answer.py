"""One answer while it grows: tokens in, deltas out, until an end token or a stop text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from .deltas import CONTENT, REASONING, Delta, Splitter, Text, ToolStart
from .tokenizer import Detokenizer

FinishReason = Literal["stop", "length", "tool_calls"]


class PlainSplitter:
    """A raw completion: everything is the answer."""

    thinking = False
    answering = True

    def end_of_thinking(self) -> str | None:
        return None

    def resume(self, reasoning: str, content: str) -> str:
        return content

    def feed(self, text: str) -> list[Delta]:
        return [Text(CONTENT, text)] if text else []

    def finish(self) -> list[Delta]:
        return []


class StopTexts:
    """Looks for stop texts in the answer, and holds back what may become one."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._held = ""

    def feed(self, text: str) -> tuple[str, str | None]:
        """The text that can be shown, and the stop text that ended it."""
        text = self._held + text
        self._held = ""
        found = [(place, word) for word in self._words if (place := text.find(word)) >= 0]
        if found:
            # The first that is complete, however the text was cut into pieces; of several the
            # longest.
            place, word = min(found, key=lambda one: (one[0] + len(one[1]), one[0]))
            return text[:place], word
        keep = len(text) - self._open_end(text)
        self._held = text[keep:]
        return text[:keep], None

    def finish(self) -> str:
        text, self._held = self._held, ""
        return text

    def _open_end(self, text: str) -> int:
        longest = max((len(word) - 1 for word in self._words), default=0)
        for size in range(min(longest, len(text)), 0, -1):
            if any(word.startswith(text[-size:]) for word in self._words):
                return size
        return 0


class Answer:
    def __init__(
        self,
        detokenizer: Detokenizer,
        splitter: Splitter,
        eos_tokens: frozenset[int],
        stop: Sequence[str],
    ) -> None:
        self._detokenizer = detokenizer
        self._splitter = splitter
        self._eos_tokens = eos_tokens
        self._stop = StopTexts(stop)
        self._called = False
        self.stop_text: str | None = None
        self.tokens = 0
        self.reasoning_tokens = 0
        self.ended = False

    def add(self, token: int) -> list[Delta]:
        """``ended`` is true afterwards if the answer is complete with this token."""
        self.tokens += 1
        if token in self._eos_tokens:
            self.ended = True
            return []
        if self._splitter.thinking:
            self.reasoning_tokens += 1
        return self._stopped(self._splitter.feed(self._detokenizer.add(token)))

    @property
    def answering(self) -> bool:
        """See ``Splitter``."""
        return self._splitter.answering

    def is_end(self, token: int) -> bool:
        return token in self._eos_tokens

    def end_of_thinking(self) -> str | None:
        """See ``Splitter``."""
        return self._splitter.end_of_thinking()

    def finish(self) -> list[Delta]:
        """What was held back. Nothing may be added afterwards."""
        out: list[Delta] = []
        if self.stop_text is None:
            out = self._stopped(self._splitter.feed(self._detokenizer.finish()))
        if self.stop_text is None:
            out += self._stopped(self._splitter.finish())
        if self.stop_text is None and (held := self._stop.finish()):
            out.append(Text(CONTENT, held))
        return out

    @property
    def finish_reason(self) -> FinishReason:
        if not self.ended:
            return "length"
        return "tool_calls" if self._called and self.stop_text is None else "stop"

    @property
    def length_in(self) -> str | None:
        return REASONING if not self.ended and self._splitter.thinking else None

    def _stopped(self, deltas: list[Delta]) -> list[Delta]:
        """Stop texts count in the answer only: one inside the reasoning would end it unsaid."""
        out: list[Delta] = []
        for delta in deltas:
            match delta:
                case Text("content", text):
                    shown, self.stop_text = self._stop.feed(text)
                    if shown:
                        out.append(Text(CONTENT, shown))
                    if self.stop_text is not None:
                        self.ended = True
                        return out
                case _:
                    if held := self._stop.finish():
                        out.append(Text(CONTENT, held))
                    self._called = self._called or isinstance(delta, ToolStart)
                    out.append(delta)
        return out
