"""Request bodies, checked once: what leaves here is right in type and range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime, time
from typing import Any, Final, Literal

from .errors import bad_request

EFFORTS: Final = ("low", "medium", "high")
SMALLEST_STEP: Final = 32
LARGEST_STEP: Final = 4096
MOST_STOP_WORDS: Final = 16
LONGEST_CACHE_KEY: Final = 200
MOST_TOP_LOGPROBS: Final = 20
LARGEST_BIAS: Final = 100

Body = dict[str, Any]


@dataclass(frozen=True)
class Sampling:
    temperature: float
    top_p: float
    top_k: int
    min_p: float
    seed: int | None
    repetition_penalty: float
    presence_penalty: float
    frequency_penalty: float
    logit_bias: dict[int, float] | None


@dataclass(frozen=True)
class Limits:
    max_tokens: int
    stop: tuple[str, ...]


@dataclass(frozen=True)
class SamplingDefaults:
    """What the model's own generation_config.json recommends."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 0.0


def read_sampling_defaults(config: Body) -> SamplingDefaults:
    """Values out of range are passed over: a file of the model must not stop the engine."""
    plain = SamplingDefaults()

    def number(name: str, default: float, low: float, high: float) -> float:
        value = config.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return default
        return value if low <= value <= high else default

    return SamplingDefaults(
        temperature=number("temperature", plain.temperature, 0, 10),
        top_p=number("top_p", plain.top_p, 0, 1),
        top_k=int(number("top_k", plain.top_k, 0, 2**31)),
        min_p=number("min_p", plain.min_p, 0, 1),
        repetition_penalty=number("repetition_penalty", plain.repetition_penalty, 0, 10),
    )


def read_sampling(body: Body, defaults: SamplingDefaults, vocabulary_size: int) -> Sampling:
    return Sampling(
        temperature=_number(body, "temperature", defaults.temperature, 0, 10),
        top_p=_number(body, "top_p", defaults.top_p, 0, 1),
        top_k=_integer(body, "top_k", defaults.top_k, 0, 2**31),
        min_p=_number(body, "min_p", defaults.min_p, 0, 1),
        seed=None if body.get("seed") is None else _integer(body, "seed", 0, -(2**63), 2**63),
        repetition_penalty=_number(body, "repetition_penalty", defaults.repetition_penalty, 0, 10),
        presence_penalty=_number(body, "presence_penalty", 0, -2, 2),
        frequency_penalty=_number(body, "frequency_penalty", 0, -2, 2),
        logit_bias=_logit_bias(body, vocabulary_size),
    )


def read_limits(body: Body, max_tokens_default: int) -> Limits:
    name = (
        "max_completion_tokens" if body.get("max_completion_tokens") is not None else "max_tokens"
    )
    return Limits(_integer(body, name, max_tokens_default, 1, 2**31), _stop_words(body))


def read_effort(body: Body) -> str | None:
    effort = body.get("reasoning_effort")
    if effort is not None and effort not in EFFORTS:
        raise bad_request(f"reasoning_effort must be one of {', '.join(EFFORTS)}")
    return effort


@dataclass(frozen=True)
class Beginning:
    """What an answer that broke off has said already."""

    reasoning: str
    content: str


def read_beginning(body: Body) -> Beginning | None:
    """``continue: {reasoning, content}``; None where there is nothing to go on from."""
    given = body.get("continue")
    if given is None:
        return None
    if not isinstance(given, dict):
        raise bad_request("continue must be an object with reasoning and content")
    texts = [given.get(name) or "" for name in ("reasoning", "content")]
    if not all(isinstance(text, str) for text in texts):
        raise bad_request("continue must be an object with reasoning and content")
    return Beginning(*texts) if any(texts) else None


def read_thinking_budget(body: Body) -> int | None:
    """Tokens of reasoning after which the answer has to begin."""
    if body.get("thinking_budget") is None:
        return None
    return _integer(body, "thinking_budget", 0, 0, 2**31)


def read_keeps_cache(body: Body) -> bool:
    """``cache: "none"``: a side request, which is to leave the conversations' cache alone."""
    cache = body.get("cache", "keep")
    if cache not in ("keep", "none"):
        raise bad_request("cache must be keep or none")
    return bool(cache == "keep")


def read_cache_key(body: Body, name: str = "cache_key") -> str | None:
    """The conversation a prompt belongs to, for its cache."""
    key = body.get(name)
    if key is not None and (not isinstance(key, str) or not 0 < len(key) <= LONGEST_CACHE_KEY):
        raise bad_request(f"{name} must be text of at most {LONGEST_CACHE_KEY} characters")
    return key


def read_prefill_step(body: Body) -> int | None:
    """Tokens read at once; the engine's own setting when left out."""
    if body.get("prefill_step") is None:
        return None
    return _integer(body, "prefill_step", 0, SMALLEST_STEP, LARGEST_STEP + 1)


@dataclass(frozen=True)
class AnswerForm:
    """``response_format``: JSON by this schema."""

    name: str | None
    schema: Body


def read_answer_form(body: Body) -> AnswerForm | None:
    given = body.get("response_format")
    if given is None:
        return None
    kind = given.get("type") if isinstance(given, dict) else None
    if kind == "text":
        return None
    if kind == "json_object":
        return AnswerForm(None, {"type": "object"})
    if kind != "json_schema":
        raise bad_request("response_format.type must be text, json_object or json_schema")
    form = given.get("json_schema")
    schema = form.get("schema") if isinstance(form, dict) else None
    name = form.get("name") if isinstance(form, dict) else None
    if not isinstance(schema, dict):
        raise bad_request("response_format.json_schema.schema must be an object")
    return AnswerForm(name if isinstance(name, str) else None, schema)


@dataclass(frozen=True)
class ToolChoice:
    """``name`` is None where any tool will do."""

    kind: Literal["auto", "none", "must"]
    name: str | None = None


def read_tool_choice(body: Body) -> ToolChoice:
    given = body.get("tool_choice")
    if given is None or given == "auto":
        return ToolChoice("auto")
    if given == "none":
        return ToolChoice("none")
    if given == "required":
        return ToolChoice("must")
    function = given.get("function") if isinstance(given, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(name, str):
        raise bad_request("tool_choice must be auto, none, required or name a function")
    return ToolChoice("must", name)


def read_top_logprobs(body: Body) -> int | None:
    """How many likely tokens are told beside each token of the answer; None for none at all."""
    most = _integer(body, "top_logprobs", 0, 0, MOST_TOP_LOGPROBS + 1)
    if not read_flag(body, "logprobs"):
        if most > 0:
            raise bad_request("top_logprobs needs logprobs: true")
        return None
    return most


def read_name(body: Body, name: str) -> str:
    value = read_cache_key(body, name)
    if value is None:
        raise bad_request(f"{name} is missing")
    return value


def read_date(body: Body) -> datetime:
    """The day the conversation takes place on. Given by the client, it outlives midnight."""
    text = body.get("date")
    if text is None:
        return datetime.now()
    try:
        return datetime.combine(Date.fromisoformat(text), time())
    except (TypeError, ValueError) as error:
        raise bad_request("date must be YYYY-MM-DD") from error


def read_flag(body: Body, name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise bad_request(f"{name} must be true or false")
    return bool(value)


def wants_usage(body: Body) -> bool:
    options = body.get("stream_options")
    if options is None:
        return False
    if not isinstance(options, dict):
        raise bad_request("stream_options must be an object")
    return read_flag(options, "include_usage")


def _number(body: Body, name: str, default: float, low: float, high: float) -> float:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise bad_request(f"{name} must be a number")
    if not low <= value <= high:
        raise bad_request(f"{name} must be from {low:g} to {high:g}")
    return float(value)


def _integer(body: Body, name: str, default: int, low: int, high: int) -> int:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad_request(f"{name} must be a whole number")
    if not low <= value < high:
        raise bad_request(f"{name} must be at least {low}" if value < low else f"{name} is too big")
    return value


def _stop_words(body: Body) -> tuple[str, ...]:
    stop = body.get("stop")
    words = [stop] if isinstance(stop, str) else stop or []
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise bad_request("stop must be text or a list of texts")
    if len(words) > MOST_STOP_WORDS:
        raise bad_request(f"stop may hold {MOST_STOP_WORDS} texts at most")
    return tuple(word for word in words if word)


def _logit_bias(body: Body, vocabulary_size: int) -> dict[int, float] | None:
    bias = body.get("logit_bias")
    if not bias:
        return None
    if not isinstance(bias, dict):
        raise bad_request("logit_bias must be an object of token ids and numbers")
    out = {}
    for key, value in bias.items():
        # int() refuses thousands of digits in its own way.
        known = key.isascii() and key.isdecimal() and len(key) < 10 and int(key) < vocabulary_size
        if not known:
            raise bad_request(f"logit_bias: there is no token {key[:20]}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise bad_request("logit_bias must be an object of token ids and numbers")
        if not -LARGEST_BIAS <= value <= LARGEST_BIAS:
            raise bad_request(f"logit_bias: {key} must be from -{LARGEST_BIAS} to {LARGEST_BIAS}")
        out[int(key)] = float(value)
    return out
