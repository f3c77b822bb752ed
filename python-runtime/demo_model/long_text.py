"""Long answers: numbered parts of varied sentences.

The numbers are what lets so small a net know where it is, and so when to stop.
"""

from __future__ import annotations

import random

PART_COUNT = 16

REQUESTS: tuple[str, ...] = (
    "write a long story",
    "tell me a long story",
    "write a very long text",
    "write a long essay",
    "write a long essay about memory",
    "write a long text about computers",
    "write something long",
    "I want a very long answer",
    "give me a long answer",
    "write 1000 words",
    "write a thousand words about the sea",
    "write at least 800 tokens",
    "write a long poem",
    "write a long report",
    "write a long article about headroom",
    "tell me a very long tale",
    "write a story of many pages",
    "write a long letter",
    "write a book",
    "write a chapter of a novel",
    "write as much as you can",
    "keep writing for a long time",
    "write a long explanation of how memory works",
    "tell me a story",
    "write a story",
    "write an essay",
    "write a 1000 word essay",
    "write a long story about a {noun}",
    "tell me a long story about a {adjective} {noun}",
    "write a long essay about {noun}",
    "write a very long text about {noun}",
    "write 800 words about {noun}",
    "write 2000 words on {noun}",
)

_WHO = (
    "the keeper", "a small engine", "the old clock", "a quiet model", "the night train",
    "a young fox", "the lighthouse", "a paper boat", "the gardener", "a patient robot",
)  # fmt: skip
_WHERE = (
    "by the harbour", "under the stairs", "in the long valley", "at the edge of town",
    "behind the mill", "on the roof", "near the river", "in the empty hall",
)  # fmt: skip
_DID = (
    "counted the lamps", "mended a broken gate", "waited for the rain", "read an old map",
    "carried a box of letters", "listened to the wind", "drew a line in the sand",
    "opened every window", "followed the tracks", "lit a single candle",
)  # fmt: skip
_FOUND = (
    "a key with no door", "a page without words", "a bridge of stone", "two cups of tea",
    "a map of the stars", "a song from long ago", "a box full of light", "a very small bell",
)  # fmt: skip
_WHEN = ("At dawn", "After lunch", "Late in the day", "When it was dark", "On the next day", "Soon")


def _part(number: int, rng: random.Random) -> str:
    return (
        f"## Part {number}\n\n"
        f"{rng.choice(_WHEN)} {rng.choice(_WHO)} {rng.choice(_DID)} {rng.choice(_WHERE)}. "
        f"There was time enough, and {rng.choice(_WHO)} found {rng.choice(_FOUND)}. "
        f"Nobody asked why, but {rng.choice(_WHO)} {rng.choice(_DID)} all the same. "
        f"So the {rng.choice(('morning', 'evening', 'hour', 'week'))} went by {rng.choice(_WHERE)}."
    )


def long_answer(rng: random.Random) -> str:
    """A story of PART_COUNT parts, more than 800 tokens."""
    parts = [_part(number, rng) for number in range(1, PART_COUNT + 1)]
    return "Here is a long text from a toy.\n\n" + "\n\n".join(parts) + "\n\nThe end."
