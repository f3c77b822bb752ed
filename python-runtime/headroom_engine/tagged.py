"""Models other than gpt-oss: thinking and calls in tags, split by mlx_lm's own text machine."""

from __future__ import annotations

import json
from typing import Any

from .deltas import CONTENT, REASONING, Delta, Text, ToolArguments, ToolStart


class TaggedSplitter:
    def __init__(self, wrapper: Any, tools: list[Any] | None) -> None:  # noqa: ANN401  untyped
        from mlx_lm.generate import TextStateMachine, make_text_state_machine

        self._machine = TextStateMachine
        self._state = make_text_state_machine(wrapper).make_state(
            wrapper.response_initial_state or "normal"
        )
        self._think_tags: tuple[str, str] | None = (
            (wrapper.think_start, wrapper.think_end) if wrapper.has_thinking else None
        )
        self._begun = False
        self._parse = wrapper.tool_parser
        self._tools_given = tools
        self._calls = 0
        self._call_text = ""

    @property
    def thinking(self) -> bool:
        return bool(self._state[0] == REASONING)

    @property
    def answering(self) -> bool:
        return bool(self._state[0] == "normal")

    def end_of_thinking(self) -> str | None:
        if self._think_tags is None:
            return None
        start, end = self._think_tags
        if self.thinking:
            return f"\n{end}\n\n"
        return None if self._begun else f"{start}\n\n{end}\n\n"

    def resume(self, reasoning: str, content: str) -> str:
        if self._think_tags is None or not (reasoning or self.thinking):
            text = content
        else:
            start, end = self._think_tags
            text = reasoning if self.thinking else f"{start}\n{reasoning}"
            if content:
                text += f"\n{end}\n\n{content}"
        self.feed(text)
        state, _, _ = self._machine.flush(self._state)
        self._state = state
        return text

    def feed(self, text: str) -> list[Delta]:
        self._begun = self._begun or text != ""
        self._state, segments = self._machine.split(self._state, text)
        out: list[Delta] = []
        for i, (state, piece) in enumerate(segments):
            if state == "tool":
                self._call_text += piece
                if i < len(segments) - 1:  # left again: the call is complete
                    out += self._call()
            elif piece:
                out.append(Text(REASONING if state == REASONING else CONTENT, piece))
        return out

    def finish(self) -> list[Delta]:
        self._state, held, state = self._machine.flush(self._state)
        if state == "tool":
            self._call_text += held
            return self._call()
        return [Text(REASONING if state == REASONING else CONTENT, held)] if held else []

    def _call(self) -> list[Delta]:
        text, self._call_text = self._call_text, ""
        if not text.strip():
            return []
        try:
            parsed = self._parse(text, self._tools_given)
        except Exception:
            # Cut off or malformed: the user sees what was written rather than nothing.
            return [Text(CONTENT, text)]
        out: list[Delta] = []
        for call in parsed if isinstance(parsed, list) else [parsed]:
            out.append(ToolStart(self._calls, call["name"]))
            arguments = json.dumps(call["arguments"], ensure_ascii=False)
            out.append(ToolArguments(self._calls, arguments))
            self._calls += 1
        return out
