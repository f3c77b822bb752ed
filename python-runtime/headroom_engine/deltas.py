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
