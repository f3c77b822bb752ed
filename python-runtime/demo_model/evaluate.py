"""Measures the demo model on prompts it was not trained on, through plain mlx_lm.

    python -m demo_model.evaluate                 # five to eight minutes on two cores
    python -m demo_model.evaluate --quick         # a tenth of it, writes nothing

Every last user message is held out from training (`conversations.is_held_out`).
The figures go to evaluation.json in the model folder.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from demo_model.conversations import (
    EFFORTS,
    Exchange,
    ToolCall,
    exchanges,
    is_held_out,
    other_words_exchange,
)
from demo_model.harmony_text import Call, Final, Malformed, Parsed, parse
from demo_model.other_words import OTHER_WORDS
from demo_model.rendering import MODEL_FOLDER
from demo_model.speaking import Speaker

SEED = 7
LONG_ANSWER_TOKENS = 800


@dataclass
class Check:
    """One bar: how many of how many, and the share that is asked for."""

    name: str
    passed: int
    total: int
    wanted_share: float

    @property
    def holds(self) -> bool:
        return self.total > 0 and self.passed >= self.wanted_share * self.total

    def line(self) -> str:
        mark = "ok  " if self.holds else "MISS"
        share = 100 * self.passed / max(self.total, 1)
        return (
            f"{mark} {self.name}: {self.passed}/{self.total} ({share:.1f} %, "
            f"wanted {100 * self.wanted_share:.0f} %)"
        )


def wants_call(exchange: Exchange) -> bool:
    return isinstance(exchange.reply, ToolCall)


def well_formed(exchange: Exchange, parsed: Parsed) -> bool:
    """Analysis, then a call exactly where one is due and a final answer elsewhere, then a stop."""
    return isinstance(parsed, Call if wants_call(exchange) else Final)


def right(exchange: Exchange, parsed: Parsed) -> bool:
    """The answer is about what was asked; a call names the tool and passes the city on."""
    if isinstance(exchange.reply, ToolCall):
        return (
            isinstance(parsed, Call)
            and parsed.name == exchange.reply.name
            and parsed.arguments == exchange.reply.arguments
        )
    return isinstance(parsed, Final) and exchange.is_right(parsed.text)


_SHAPES: dict[str, Callable[[str], bool]] = {
    "list": lambda text: text.count("\n- ") >= 2,
    "numbered": lambda text: "1. " in text and "\n3. " in text,
    "table": lambda text: "| --- |" in text and text.count("\n|") >= 3,
    "code": lambda text: text.count("```") == 2,
    "formula": lambda text: text.count("$$") == 2,
    "markdown": lambda text: "## " in text and "| --- |" in text and "```" in text,
}


def shows_shape(exchange: Exchange, parsed: Parsed) -> bool:
    shape = exchange.kind.removeprefix("markdown ")
    return isinstance(parsed, Final) and _SHAPES[shape](parsed.text)


def taken(count: int, kind: str | None = None, seed: int = SEED) -> list[Exchange]:
    found = list(itertools.islice(exchanges(seed, held_out=True, kind=kind), count))
    assert all(is_held_out(exchange.last_user_text) for exchange in found)
    return found


def at_efforts(found: list[Exchange]) -> list[Exchange]:
    """The same exchanges at low, medium and high effort in turn."""
    return [replace(exchange, effort=EFFORTS[i % 3]) for i, exchange in enumerate(found)]


def main_set(count: int, seed: int = SEED) -> list[Exchange]:
    """What the bar is about: last messages of 1 to 200 words, chats of up to six turns."""
    stream = (
        exchange
        for exchange in exchanges(seed, held_out=True)
        if exchange.kind not in ("long answer", "very long prompt")
        and 1 <= len(exchange.last_user_text.split()) <= 200
        and exchange.turn_count <= 6
    )
    return at_efforts(list(itertools.islice(stream, count)))


class Evaluation:
    def __init__(self, folder: Path, scale: float, show_misses: bool) -> None:
        self._speaker = Speaker(folder)
        self._scale = scale
        self._show_misses = show_misses
        self.checks: list[Check] = []
        self.analysis_words: dict[str, float] = {}

    def _count(self, full: int) -> int:
        return max(3, int(full * self._scale))

    def _said(self, found: list[Exchange], temperature: float) -> list[Parsed]:
        return [parse(raw) for raw in self._speaker.say(found, temperature=temperature, seed=SEED)]

    def _check(
        self,
        name: str,
        found: list[Exchange],
        said: list[Parsed],
        passes: Callable[[Exchange, Parsed], bool],
        wanted: float,
    ) -> None:
        results = [passes(exchange, parsed) for exchange, parsed in zip(found, said, strict=True)]
        check = Check(name, sum(results), len(results), wanted)
        self.checks.append(check)
        print(check.line(), flush=True)
        if self._show_misses:
            for exchange, parsed, passed in zip(found, said, results, strict=True):
                if not passed:
                    print(f"     {exchange.kind} | {exchange.last_user_text[-160:]!r}")
                    print(f"       wanted {exchange.reply!r:.100}")
                    print(f"       said   {parsed!r:.300}")

    def run(self) -> None:
        found = main_set(self._count(300))
        for temperature, wanted in ((0.0, 0.98), (0.7, 0.98), (1.0, 0.98)):
            label = "greedy" if temperature == 0 else f"temperature {temperature}"
            said = self._said(found, temperature)
            self._check(f"well-formed harmony, {label}", found, said, well_formed, wanted)
            self._check(f"about what was asked, {label}", found, said, right, 0.9)
            if temperature == 0:
                self._by_effort(found, said)

        turns = [exchange for exchange in taken(self._count(1500)) if exchange.turn_count == 6]
        self._both("chats of six turns", turns[: self._count(60)], 0.98, 0.85)
        self._both("prompts of 100 to 200 words", self._long_prompts(self._count(60)), 0.98, 0.8)

        calls = taken(self._count(60), "tool call")
        self._check("calls the tool with the city", calls, self._said(calls, 0.0), right, 0.9)
        answers = taken(self._count(40), "tool answer")
        self._check("answers from the tool's result", answers, self._said(answers, 0.0), right, 0.9)
        shapes = taken(self._count(60), "markdown")
        self._check(
            "shows the Markdown asked for", shapes, self._said(shapes, 0.0), shows_shape, 0.9
        )
        self._long_answers(self._count(12))
        others = [other_words_exchange(question, topic) for question, topic in OTHER_WORDS]
        self._check("questions in other words", others, self._said(others, 0.0), right, 0.75)

    def _both(self, name: str, found: list[Exchange], formed: float, about: float) -> None:
        said = self._said(found, 0.0)
        self._check(f"{name}, well formed", found, said, well_formed, formed)
        self._check(f"{name}, about what was asked", found, said, right, about)

    @staticmethod
    def _long_prompts(count: int) -> list[Exchange]:
        stream = (
            exchange
            for exchange in itertools.chain.from_iterable(
                zip(
                    exchanges(SEED, held_out=True, kind="long prompt"),
                    exchanges(SEED, held_out=True, kind="unrelated"),
                    strict=False,
                )
            )
            if 100 <= len(exchange.last_user_text.split()) <= 200
        )
        return list(itertools.islice(stream, count))

    def _by_effort(self, found: list[Exchange], said: list[Parsed]) -> None:
        for effort in EFFORTS:
            words = [
                len(parsed.analysis.split())
                for exchange, parsed in zip(found, said, strict=True)
                if exchange.effort == effort and not isinstance(parsed, Malformed)
            ]
            self.analysis_words[effort] = round(statistics.mean(words), 1)
        print(f"     words of analysis: {self.analysis_words}", flush=True)
        rising = list(self.analysis_words.values())
        self.checks.append(
            Check("analysis grows with effort", int(rising == sorted(set(rising))), 1, 1.0)
        )

    def _long_answers(self, count: int) -> None:
        found = taken(count, "long answer")
        for temperature in (0.0, 1.0):
            said = self._speaker.say_tokens(found, temperature=temperature, seed=SEED)
            passed = sum(
                self._speaker.stopped(tokens) and len(tokens) >= LONG_ANSWER_TOKENS
                for tokens in said
            )
            check = Check(
                f"long answers of {LONG_ANSWER_TOKENS} tokens that end, temperature {temperature}",
                passed, len(said), 0.9,
            )  # fmt: skip
            self.checks.append(check)
            print(check.line(), flush=True)
        lengths = sorted(len(tokens) for tokens in said)
        print(f"     tokens: {lengths}", flush=True)

    def report(self) -> dict[str, Any]:
        return {
            "seed": SEED,
            "analysis_words": self.analysis_words,
            "checks": [
                {"name": c.name, "passed": c.passed, "total": c.total, "wanted": c.wanted_share}
                for c in self.checks
            ],
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=MODEL_FOLDER)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--show-misses", action="store_true")
    a = parser.parse_args()
    begun = time.time()
    evaluation = Evaluation(a.folder, 0.1 if a.quick else 1.0, a.show_misses)
    evaluation.run()
    missed = Counter(check.holds for check in evaluation.checks)[False]
    print(f"{len(evaluation.checks)} checks, {missed} missed, {time.time() - begun:.0f} s")
    if not a.quick:
        text = json.dumps(evaluation.report(), indent=1) + "\n"
        (a.folder / "evaluation.json").write_text(text, "utf-8")
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
