"""Answers of a given form: JSON by a schema, or a call that must be made.

llguidance says for each token which ones may follow; the others are made impossible before one is
chosen. The grammar covers the whole answer, so the model thinks freely, and what it answers, or
calls, has the form. Imported with the first request that asks for it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any, Final, Protocol

import mlx.core as mx

from .errors import ApiError, bad_request, one_line
from .free_memory import return_free_memory

# JSON may be laid out, but nobody needs a page of blanks.
_LAYOUT: Final = {"whitespace_pattern": r"[ \n\t]{0,20}"}
_TEXT: Final = r"TEXT: /(.|\n)*/"
# What the model is brought to when it has to stop thinking and make a call.
CALL_HEADER: Final = "<|channel|>commentary to=functions."

Schema = dict[str, Any]


def answer_grammar(schema: Schema, *, harmony: bool, thinking: tuple[str, str] | None) -> str:
    """Thinking, then JSON by the schema."""
    answer = f"answer: %json {_json(schema)}"
    if harmony:
        return "\n".join(
            [
                'start: analysis* <|channel|> "final" <|message|> answer',
                *_analysis(),
                answer,
            ]
        )
    if thinking is None:
        return f"start: answer\n{answer}"
    begin = json.dumps(thinking[0])
    # Lazy: the first closing tag ends the thinking.
    pattern = thinking[1].replace("|", r"\|").replace("/", r"\/")
    return "\n".join(
        [
            "start: thought? answer",
            f"thought: {begin} thinking /[ \\n]{{0,4}}/",
            rf"thinking[lazy]: /(.|\n)*{pattern}/",
            answer,
        ]
    )


def call_grammar(tools: list[Any], name: str | None) -> str:
    """Thinking, then a call of this tool, or of any. Harmony only: there a call has one form."""
    calls: list[str] = []
    rules: list[str] = []
    for i, tool in enumerate(tools):
        function = tool["function"]
        if name is not None and function["name"] != name:
            continue
        calls.append(f"call{i}")
        head = json.dumps(f"commentary to=functions.{function['name']} ", ensure_ascii=False)
        rules.append(f'call{i}: {head} <|constrain|> "json" <|message|> arguments{i}')
        schema = function.get("parameters") or {"type": "object"}
        rules.append(f"arguments{i}: %json {_json(schema)}")
    if not calls:
        raise bad_request(f"tool_choice: there is no tool {name!r:.80}")
    start = f"start: analysis* <|channel|> ({' | '.join(calls)})"
    return "\n".join([start, *_analysis(), *rules])


def _analysis() -> list[str]:
    return [
        'analysis: <|channel|> "analysis" <|message|> TEXT <|end|> <|start|> "assistant"',
        _TEXT,
    ]


def _json(schema: Schema) -> str:
    # A lone surrogate has no UTF-8; escaped it is only a text that cannot come.
    return json.dumps({"x-guidance": _LAYOUT, **schema}, ensure_ascii=True)


class Constraint:
    """One answer's grammar, as a logits processor of ``generate_step``."""

    def __init__(self, matcher: Any, ends: frozenset[int]) -> None:  # noqa: ANN401  untyped
        self._matcher = matcher
        self._ends = ends
        self._seen = 0
        self._ended = False

    @property
    def error(self) -> str | None:
        """Why it cannot go on, such as a schema that is too complex after all."""
        return str(self._matcher.get_error()) if self._matcher.is_error() else None

    def put_in(self, tokens: list[int]) -> None:
        """Tokens nobody sampled are part of the answer too."""
        self._take(tokens)

    def begin(self, ahead: int) -> None:
        """``generate_step`` begins, behind so many tokens that are known here."""
        self._seen = ahead

    def __call__(self, tokens: mx.array, logits: mx.array) -> mx.array:
        new: Any = tokens[self._seen :].tolist()
        self._seen += len(new)
        self._take(new)
        if self._ended or self._matcher.is_error():
            return logits
        bias: Any = memoryview(self._matcher.compute_logit_bias())
        allowed = mx.array(bias)
        if self._matcher.is_error():
            return logits
        width = logits.shape[-1]
        if allowed.shape[0] < width:
            # The vocabulary is padded: nothing stands for those.
            allowed = mx.pad(allowed, (0, width - allowed.shape[0]))
        return mx.where(allowed[:width] > 0, logits, -mx.inf)

    def _take(self, tokens: list[int]) -> None:
        for token in tokens:
            if self._ended or self._matcher.is_error():
                return
            if token in self._ends and self._matcher.is_accepting():
                self._ended = True
                return
            self._matcher.consume_token(token)


class Vocabulary(Protocol):
    vocabulary_size: int
    eos_tokens: frozenset[int]

    def token_bytes(self, token: int) -> bytes: ...

    def control_tokens(self) -> list[int]: ...

    def encode_more(self, text: str) -> list[int]: ...


class _Told:
    """The vocabulary as llguidance asks for it. Told by us: reading the tokenizer's file a second
    time would cost 60 MiB more, for 200k tokens."""

    bos_token_id = None

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.eos_token_id = min(vocabulary.eos_tokens)
        self.special_token_ids = vocabulary.control_tokens()
        self.tokens = [vocabulary.token_bytes(n) for n in range(vocabulary.vocabulary_size)]
        self._encode = vocabulary.encode_more

    def __call__(self, text: bytes | str) -> list[int]:
        return self._encode(text if isinstance(text, str) else text.decode("utf-8", "replace"))


class Grammars:
    """Makes constraints for one tokenizer. What that takes is made once, when first asked."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._tokenizer: Any = None
        self._making = threading.Lock()

    def constraint(self, field: str, grammar: Callable[[], str]) -> Constraint:
        """``field`` of the request is what a refusal names."""
        try:
            from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper
        except ImportError as error:
            message = "answers of a given form need llguidance, which is not installed"
            raise ApiError(400, "unsupported", message) from error
        ends = self._vocabulary.eos_tokens
        with self._making:
            if self._tokenizer is None:
                told = _Told(self._vocabulary)
                try:
                    # Without slices a mask takes a millisecond instead of a tenth, and the
                    # tokenizer 30 MiB instead of 67.
                    self._tokenizer = LLTokenizer(
                        TokenizerWrapper(told), eos_token=sorted(ends), slices=[]
                    )
                except Exception as error:  # Whatever Rust says of a vocabulary it does not like.
                    message = f"this model's tokenizer cannot be constrained: {error}"
                    raise ApiError(400, "unsupported", one_line(message, 200)) from error
                told.tokens = []
                return_free_memory()
        matcher = LLMatcher(self._tokenizer, grammar(), log_level=0)
        if matcher.is_error():
            message = f"{field}: the schema cannot be used: {matcher.get_error()}"
            raise bad_request(one_line(message, 300))
        return Constraint(matcher, ends)
