"""What a split answer consists of, whatever format the model writes in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Text:
    """A piece of ``reasoning``, of ``commentary`` for the user, or of the answer (``content``)."""

    kind: str
    text: str


@dataclass(frozen=True)
class ToolStart:
    index: int
    name: str


@dataclass(frozen=True)
class ToolArguments:
    index: int
    text: str


Delta = Text | ToolStart | ToolArguments

REASONING = "reasoning"
COMMENTARY = "commentary"
CONTENT = "content"


class Splitter(Protocol):
    """Turns generated text into deltas. The same text gives the same answer however it is cut."""

    def feed(self, text: str) -> list[Delta]: ...

    def finish(self) -> list[Delta]:
        """The end of the text: what was held back is given out."""
        ...

    @property
    def thinking(self) -> bool:
        """Whether the text so far ends while the model is still thinking."""
        ...

    @property
    def answering(self) -> bool:
        """Whether text written here is the answer itself."""
        ...

    def end_of_thinking(self) -> str | None:
        """What the model would have to write here to end its thinking and begin the answer. None
        when it is not thinking, or in the middle of a marker: then ask again a token later."""
        ...

    def resume(self, reasoning: str, content: str) -> str:
        """Takes up an answer that broke off: the text that stands between the prompt and what is
        generated next. Nothing of it comes out again."""
        ...
