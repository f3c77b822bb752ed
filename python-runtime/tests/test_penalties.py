"""What a request may do to the choice of tokens, seen in what is chosen."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

from headroom_engine.penalties import REPETITION_WINDOW, Penalties
from headroom_engine.request import SamplingDefaults, read_sampling
from headroom_engine.tokenizer import LeanTokenizer

from .running_engine import Client
from .test_forms import FORM, check_place

WIDTH = 8
MARK = 7


def penalties(**wishes: float) -> Penalties:
    return Penalties(read_sampling(dict(wishes), SamplingDefaults(), WIDTH), [MARK])


def after(made: Penalties, said: list[int], logits: list[float]) -> list[float]:
    """Token by token, as ``generate_step`` calls it, behind one token of the prompt."""
    made.begin(1)
    for n in range(len(said) + 1):
        out = made(mx.array([3, *said[:n]]), mx.array([logits]))
    return [round(value, 4) for value in np.array(out)[0].tolist()]


def test_openai_s_formula() -> None:
    said = [1, 2, 1, 1, MARK, MARK]
    zeros = [0.0] * WIDTH
    got = after(penalties(frequency_penalty=0.5, presence_penalty=0.25), said, zeros)
    # Not the prompt's token 3, and not the mark.
    assert got == [0, -1.75, -0.75, 0, 0, 0, 0, 0]
    assert after(penalties(frequency_penalty=-1), said, zeros)[1] == 3


def test_repetition_divides_what_is_likely_and_multiplies_what_is_not() -> None:
    logits = [2.0, -2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 2.0]
    got = after(penalties(repetition_penalty=2), [0, 1, 0, MARK], logits)
    assert got == [1, -4, 2, 2, 1, 1, 1, 2]
    late = after(penalties(repetition_penalty=2), [0] + [1] * REPETITION_WINDOW, logits)
    assert late[:2] == [2, -4]


def test_they_count_on_where_tokens_were_put_in() -> None:
    made = penalties(frequency_penalty=1)
    zeros = [0.0] * WIDTH
    after(made, [1, 1], zeros)
    made.begin(2)  # The two that were put in.
    made(mx.array([4, 5]), mx.array([zeros]))
    out = made(mx.array([4, 5, 1]), mx.array([zeros]))
    assert np.array(out)[0].tolist() == [0, -3, 0, 0, 0, 0, 0, 0]


def words(reply: Any) -> Counter[str]:
    message = reply["choices"][0]["message"]
    return Counter(f"{message.get('reasoning')} {message['content']}".split())


@pytest.mark.parametrize("temperature", [0, 1])
def test_frequency_makes_words_rarer_or_more_frequent(
    client: Client, endless: dict[str, Any], temperature: float
) -> None:
    options = {**endless, "max_tokens": 200, "temperature": temperature, "seed": 1}
    plain, rarer, more = (
        words(client.chat("Tell me a long story", **options, frequency_penalty=by))
        for by in (0, 2, -2)
    )
    assert max(rarer.values()) < max(plain.values()) < max(more.values())
    assert len(rarer) > len(plain) > len(more)


@pytest.mark.parametrize("penalty", [{"presence_penalty": 2}, {"repetition_penalty": 2}])
def test_others_bring_more_words(
    client: Client, endless: dict[str, Any], penalty: dict[str, Any]
) -> None:
    options = {**endless, "max_tokens": 200}
    plain = words(client.chat("Tell me a long story", **options))
    assert len(words(client.chat("Tell me a long story", **options, **penalty))) > len(plain)


def test_the_channels_stay_whole(client: Client) -> None:
    strongest = {"frequency_penalty": 2, "presence_penalty": 2, "repetition_penalty": 2}
    for seed in range(3):
        message = client.chat("hello", **strongest, temperature=1, seed=seed)["choices"][0][
            "message"
        ]
        assert message["reasoning"]
        assert message["content"]
        assert "<|" not in str(message)


def test_a_bias_forbids_and_forces(client: Client, tokenizer: LeanTokenizer) -> None:
    plain = client.chat("hello")["choices"][0]["message"]["content"]
    first = plain.split()[0]
    banned = {str(token): -100 for text in (first, f" {first}") for token in tokenizer.encode(text)}
    said = client.chat("hello", logit_bias=banned)["choices"][0]["message"]["content"]
    assert said
    assert first not in said
    (only,) = tokenizer.encode(" a")
    forced = client.chat("hello", logit_bias={str(only): 100}, max_tokens=20)["choices"][0]
    assert (forced["finish_reason"], forced["message"]["content"]) == ("length", " a" * 20)


def test_beside_a_form_and_chances(client: Client, tokenizer: LeanTokenizer) -> None:
    quote = {str(token): -100 for token in tokenizer.encode('"')}
    options = {"frequency_penalty": 2, "presence_penalty": -1, "logit_bias": quote}
    reply = client.chat(
        "hello", response_format=FORM, logprobs=True, top_logprobs=3, max_tokens=400, **options
    )["choices"][0]
    check_place(reply["message"]["content"])
    told = reply["logprobs"]["content"]
    assert told
    for one in told:
        assert -9999 <= one["logprob"] <= 0
        assert len(one["top_logprobs"]) == 3
    json.dumps(told, allow_nan=False)


def test_every_control_token_can_be_forced_without_harm(
    client: Client, tokenizer: LeanTokenizer
) -> None:
    marks = [tokenizer.encode(text)[0] for text in ("<|start|>", "<|channel|>", "<|message|>")]
    for mark in [*marks, *sorted(tokenizer.eos_tokens)]:
        client.chat("hello", logit_bias={str(mark): 100}, max_tokens=10)
    assert client.metrics()["healthy"]
