"""Text to tokens and back, for the two kinds of model folders.

Lean: gpt-oss, with ``tokenizers`` and ``jinja2`` alone, ready before the weights are loaded.
Full: every other model, with mlx_lm's own wrapper around transformers.
"""

from __future__ import annotations

import codecs
import contextlib
import functools
import json
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .chat_template import ChatTemplate, template_errors
from .constraint import CALL_HEADER, Grammars
from .conversation import Conversation, Defuser
from .deltas import Splitter
from .errors import bad_request
from .harmony import ANSWER_HEADER, MARKERS, HarmonySplitter

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class Detokenizer(Protocol):
    """Text of one answer. Gives out whole characters only."""

    def add(self, token: int) -> str: ...

    def finish(self) -> str: ...


class ChatTokenizer(Protocol):
    eos_tokens: frozenset[int]
    vocabulary_size: int
    harmony: bool
    defuser: Defuser

    def encode(self, text: str) -> list[int]:
        """A raw prompt. Control text in it counts."""
        ...

    def encode_more(self, text: str) -> list[int]:
        """Text behind other tokens. Control text in it counts."""
        ...

    def chat_prompt(
        self, conversation: Conversation, reasoning_effort: str | None, date: datetime
    ) -> list[int]:
        """The conversation with the beginning of the answer. Raises ``ApiError`` if it cannot."""
        ...

    def control_tokens(self) -> list[int]:
        """Tokens that mean something else than their text."""
        ...

    def token_bytes(self, token: int) -> bytes:
        """What the token alone stands for, maybe a part of a character."""
        ...

    def detokenizer(self) -> Detokenizer: ...

    def splitter(self, tools: list[Any] | None, *, must_call: bool = False) -> Splitter: ...

    @property
    def think_tags(self) -> tuple[str, str] | None:
        """What stands around thinking, where harmony's channels do not."""
        ...

    @property
    def grammars(self) -> Grammars: ...


class LeanTokenizer:
    harmony = True

    def __init__(self, folder: Path, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        config = _read_json(folder / "tokenizer_config.json")
        template = _template_text(folder, config)
        self._template = None if template is None else ChatTemplate(template)
        self._named_tokens = {
            name: _token_text(config.get(name)) for name in ("bos_token", "eos_token", "pad_token")
        }
        ends = (self._tokenizer.token_to_id(t) for t in ("<|return|>", "<|call|>", "<|endoftext|>"))
        self.eos_tokens = _eos_tokens(folder) | {end for end in ends if end is not None}
        self.vocabulary_size = self._tokenizer.get_vocab_size(with_added_tokens=True)
        self._added = {
            token: added.content
            for token, added in self._tokenizer.get_added_tokens_decoder().items()
        }
        self.defuser = Defuser(list(self._added.values()))

    @classmethod
    def read(cls, folder: Path) -> LeanTokenizer | None:
        """None if this is not a harmony vocabulary in the byte-level form this class decodes."""
        from tokenizers import Tokenizer, decoders

        file = folder / "tokenizer.json"
        if not file.is_file():
            return None
        tokenizer = Tokenizer.from_file(str(file))
        if not isinstance(tokenizer.decoder, decoders.ByteLevel):
            return None
        if any(tokenizer.token_to_id(marker) is None for marker in MARKERS):
            return None
        return cls(folder, tokenizer)

    def encode(self, text: str) -> list[int]:
        return self._tokenizer.encode(text).ids

    def encode_more(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def chat_prompt(
        self, conversation: Conversation, reasoning_effort: str | None, date: datetime
    ) -> list[int]:
        if self._template is None:
            raise bad_request("this model has no chat template")
        variables: dict[str, Any] = {k: v for k, v in self._named_tokens.items() if v is not None}
        if reasoning_effort is not None:
            variables["reasoning_effort"] = reasoning_effort
        text = self._template.render(conversation, date, variables)
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def control_tokens(self) -> list[int]:
        return sorted(self._added)

    def token_bytes(self, token: int) -> bytes:
        if token in self._added:
            return self._added[token].encode()
        return piece_bytes(self._tokenizer.id_to_token(token) or "")

    def detokenizer(self) -> Detokenizer:
        return ByteLevelDetokenizer(self._tokenizer, self._added)

    def splitter(self, tools: list[Any] | None, *, must_call: bool = False) -> Splitter:
        return HarmonySplitter(CALL_HEADER if must_call else ANSWER_HEADER)

    think_tags = None

    @functools.cached_property
    def grammars(self) -> Grammars:
        return Grammars(self)


class ByteLevelDetokenizer:
    """Byte-level BPE, token by token. A character cut between tokens waits for its rest.

    Not mlx_lm's, which keeps a Python string for each of 200k tokens, nor the one of
    ``tokenizers``, which raises on some byte sequences.
    """

    def __init__(self, tokenizer: Tokenizer, added: dict[int, str]) -> None:
        self._tokenizer = tokenizer
        self._added = added
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def add(self, token: int) -> str:
        if token in self._added:
            return self.finish() + self._added[token]
        piece = self._tokenizer.id_to_token(token)
        if piece is None:  # padding of the vocabulary
            return ""
        return self._decoder.decode(piece_bytes(piece))

    def finish(self) -> str:
        text = self._decoder.decode(b"", final=True)
        self._decoder.reset()
        return text


def _byte_of_symbol() -> dict[str, bytes]:
    """GPT-2's table: printable bytes stand for themselves, the others follow from U+0100 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1)]
    printable += range(ord("®"), ord("ÿ") + 1)
    others = [byte for byte in range(256) if byte not in printable]
    table = {chr(byte): bytes([byte]) for byte in printable}
    return table | {chr(0x100 + i): bytes([byte]) for i, byte in enumerate(others)}


_BYTE_OF = _byte_of_symbol()


def piece_bytes(piece: str) -> bytes:
    """Of a byte-level vocabulary's entry."""
    return b"".join(_BYTE_OF.get(c) or c.encode() for c in piece)


_NUMBERED_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


class FullTokenizer:
    def __init__(self, folder: Path) -> None:
        from jinja2.exceptions import TemplateSyntaxError
        from mlx_lm.utils import load_tokenizer

        self._wrapper = load_tokenizer(folder, eos_token_ids=sorted(_eos_tokens(folder)) or None)
        self.eos_tokens = frozenset(self._wrapper.eos_token_ids)
        self.vocabulary_size = len(self._wrapper)
        vocabulary = self._wrapper.get_vocab()
        self.harmony = all(marker in vocabulary for marker in MARKERS)
        # The symbols that stand for a space and a new line.
        self._is_byte_level = "\u0120" in vocabulary and "\u010a" in vocabulary
        added = self._wrapper.added_tokens_decoder.values()
        self.defuser = Defuser([token.content for token in added if token.special])
        # Rendered here, because transformers lets nobody set the date. What it alone can render (a
        # template in code, or with its own tags) goes through it, with today's date.
        self._template: ChatTemplate | None = None
        text = self._wrapper.chat_template
        if isinstance(text, str) and self._wrapper._chat_template is None:
            with contextlib.suppress(TemplateSyntaxError):
                self._template = ChatTemplate(text)
        self._named_tokens = {
            name: token
            for name in ("bos_token", "eos_token", "pad_token", "unk_token")
            if (token := getattr(self._wrapper, name, None)) is not None
        }

    def encode(self, text: str) -> list[int]:
        return list(self._wrapper.encode(text))

    def encode_more(self, text: str) -> list[int]:
        return list(self._wrapper.encode(text, add_special_tokens=False))

    def chat_prompt(
        self, conversation: Conversation, reasoning_effort: str | None, date: datetime
    ) -> list[int]:
        if not self._wrapper.has_chat_template:
            raise bad_request("this model has no chat template")
        extra = {} if reasoning_effort is None else {"reasoning_effort": reasoning_effort}
        if self._template is not None:
            variables = {**self._named_tokens, "enable_thinking": self._wrapper.has_thinking}
            text = self._template.render(conversation, date, {**variables, **extra})
            return list(self._wrapper.encode(text, add_special_tokens=False))
        with template_errors():
            tokens = self._wrapper.apply_chat_template(
                conversation.messages, tools=conversation.tools, add_generation_prompt=True, **extra
            )
        return list(tokens)

    def control_tokens(self) -> list[int]:
        added = self._wrapper.added_tokens_decoder.items()
        return sorted(token for token, about in added if about.special)

    def token_bytes(self, token: int) -> bytes:
        if (added := self._wrapper.added_tokens_decoder.get(token)) is not None:
            return str(added.content).encode()
        piece = self._wrapper.convert_ids_to_tokens(token) or ""
        if self._is_byte_level:
            return piece_bytes(piece)
        # SentencePiece: a byte by its number, and a block for a space.
        if byte := _NUMBERED_BYTE.fullmatch(piece):
            return bytes([int(byte[1], 16)])
        return str(piece).replace("\u2581", " ").encode()

    def detokenizer(self) -> Detokenizer:
        return _WrappedDetokenizer(self._wrapper.detokenizer)

    @property
    def think_tags(self) -> tuple[str, str] | None:
        has = self._wrapper.has_thinking
        return (self._wrapper.think_start, self._wrapper.think_end) if has else None

    @functools.cached_property
    def grammars(self) -> Grammars:
        return Grammars(self)

    def splitter(self, tools: list[Any] | None, *, must_call: bool = False) -> Splitter:
        if self.harmony:
            return HarmonySplitter(CALL_HEADER if must_call else ANSWER_HEADER)
        from .tagged import TaggedSplitter

        return TaggedSplitter(self._wrapper, tools)


class _WrappedDetokenizer:
    def __init__(self, inner: Any) -> None:  # noqa: ANN401  mlx_lm has no types
        self._inner = inner

    def add(self, token: int) -> str:
        self._inner.add_token(token)
        return str(self._inner.last_segment)

    def finish(self) -> str:
        self._inner.finalize()
        return str(self._inner.last_segment)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return value if isinstance(value, dict) else {}


def _template_text(folder: Path, config: dict[str, Any]) -> str | None:
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    template = config.get("chat_template")
    return template if isinstance(template, str) else None


def _token_text(token: object) -> str | None:
    if isinstance(token, dict):
        token = token.get("content")
    return token if isinstance(token, str) else None


def _eos_tokens(folder: Path) -> frozenset[int]:
    """generation_config.json before config.json, as mlx_lm reads them."""
    for name in ("generation_config.json", "config.json"):
        tokens = _read_json(folder / name).get("eos_token_id")
        if isinstance(tokens, int):
            return frozenset({tokens})
        if isinstance(tokens, Iterable) and not isinstance(tokens, str):
            return frozenset(int(token) for token in tokens)
    return frozenset()
