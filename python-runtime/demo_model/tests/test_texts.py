"""The texts the demo model is made from: disjoint sets, one template, strict reading."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from demo_model.conversations import Exchange, Message, ToolCall, exchanges, is_held_out
from demo_model.harmony_text import Call, Final, Malformed, parse
from demo_model.knowledge import TOPICS
from demo_model.other_words import OTHER_WORDS
from demo_model.rendering import MODEL_FOLDER, renderer
from demo_model.tokens import CONTROL_TOKENS
from demo_model.wording import vary


def _some(count: int, *, held_out: bool, seed: int = 1) -> list[Exchange]:
    return list(itertools.islice(exchanges(seed, held_out=held_out), count))


def test_training_and_evaluation_never_share_a_last_message() -> None:
    trained = {exchange.last_user_text.lower() for exchange in _some(2000, held_out=False)}
    evaluated = {exchange.last_user_text.lower() for exchange in _some(400, held_out=True)}
    assert trained
    assert not trained & evaluated


def test_questions_in_other_words_are_held_out_however_they_are_spelt() -> None:
    for question, _ in OTHER_WORDS:
        assert is_held_out(question)
        assert is_held_out(question.upper() + "!")


def test_plain_questions_are_always_trained_on() -> None:
    assert not any(is_held_out(question) for topic in TOPICS for question in topic.questions)


def test_every_kind_occurs_at_every_effort() -> None:
    found = _some(4000, held_out=False)
    kinds = {exchange.kind.split(",")[0].split()[0] for exchange in found}
    assert {"unrelated", "markdown", "tool", "long", "more", "date", "wired-limit"} <= kinds
    assert {exchange.effort for exchange in found} == {"low", "medium", "high"}
    assert max(exchange.turn_count for exchange in found) >= 6


def test_the_same_seed_makes_the_same_texts() -> None:
    assert _some(50, held_out=False) == _some(50, held_out=False)
    assert _some(50, held_out=False) != _some(50, held_out=False, seed=2)


def test_completions_are_what_the_reader_calls_well_formed() -> None:
    for exchange in _some(500, held_out=False):
        parsed = parse(exchange.completion())
        if isinstance(exchange.reply, ToolCall):
            assert parsed == Call(exchange.analysis, exchange.reply.name, exchange.reply.arguments)
        else:
            assert parsed == Final(exchange.analysis, exchange.reply)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "Hello<|return|>",
        "<|channel|>final<|message|>no analysis<|return|>",
        "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>open",
        "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|><|return|>",
        "<|channel|>analysis<|message|>a<|channel|>b<|end|><|start|>assistant<|channel|>final"
        "<|message|>c<|return|>",
        "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary "
        "to=functions.f <|constrain|>json<|message|>{not json}<|call|>",
        "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b<|call|>",
    ],
)
def test_the_reader_is_strict(raw: str) -> None:
    assert parse(raw) == Malformed(raw)


def test_training_renders_as_transformers_does() -> None:
    tokenizer = AutoTokenizer.from_pretrained(MODEL_FOLDER)
    render = renderer()
    for exchange in _some(60, held_out=False):
        theirs = tokenizer.apply_chat_template(
            exchange.messages,
            tools=exchange.tools,
            reasoning_effort=exchange.effort,
            add_generation_prompt=True,
            tokenize=False,
        )
        assert isinstance(theirs, str)
        # transformers takes the date from the clock, training from the exchange.
        before, after = theirs.split("\nCurrent date: ")
        ours = render(exchange)
        assert ours == f"{before}\nCurrent date: {exchange.date.isoformat()}{after[10:]}"


def test_tools_and_instructions_share_the_developer_message() -> None:
    tool = {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Get the weather",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "City name"},
                    "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
                    "days": {"type": "array", "items": {"type": "integer"}},
                },
                "required": ["city"],
            },
        },
    }
    exchange = _some(1, held_out=False)[0]
    messages: list[Message] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather in Oslo?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "1", "function": {"name": "get_weather", "arguments": {"city": "Oslo"}}}
            ],
        },
        {"role": "tool", "tool_call_id": "1", "content": "dry"},
        {"role": "assistant", "content": "Dry.", "reasoning": "never shown again"},
        {"role": "user", "content": [{"type": "text", "text": "Thanks"}]},
    ]
    text = renderer()(replace(exchange, messages=messages, tools=[tool], effort="high"))
    assert "Reasoning: high\n" in text
    assert text.endswith(
        "<|start|>developer<|message|># Instructions\n\nBe brief.\n\n# Tools\n\n## functions\n\n"
        "namespace functions {\n\n// Get the weather\ntype get_weather = (_: {\n// City name\n"
        'city: string,\nunit?: "celsius" | "fahrenheit",\ndays?: number[],\n}) => any;\n\n'
        "} // namespace functions<|end|>"
        "<|start|>user<|message|>Weather in Oslo?<|end|>"
        "<|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json"
        '<|message|>{"city": "Oslo"}<|call|>'
        "<|start|>functions.get_weather to=assistant<|channel|>commentary<|message|>dry<|end|>"
        "<|start|>assistant<|channel|>final<|message|>Dry.<|end|>"
        "<|start|>user<|message|>Thanks<|end|><|start|>assistant"
    )


def test_the_tokenizer_loses_nothing_and_copies_names_whole() -> None:
    tokenizer = Tokenizer.from_file(str(MODEL_FOLDER / "tokenizer.json"))
    rng = random.Random(3)
    texts = [exchange.last_user_text for exchange in _some(200, held_out=True)]
    texts += ["€ ñ 你好 🙂 \t\n\n x", vary("what is swap", rng), ""]
    for text in texts:
        assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text
    spaced, quoted = tokenizer.encode("in Zqorville").ids, tokenizer.encode('"Zqorville').ids
    assert spaced[-2:] == quoted[-2:]
    for name in CONTROL_TOKENS:
        assert len(tokenizer.encode(name).ids) == 1


def test_the_model_folder_is_small_and_complete() -> None:
    files = [path for path in Path(MODEL_FOLDER).iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 6_000_000
    config = json.loads((MODEL_FOLDER / "config.json").read_text("utf-8"))
    assert config["model_type"] == "gpt_oss"
    assert config["quantization"]["mode"] == "mxfp4"
    assert set(config["layer_types"]) == {"sliding_attention", "full_attention"}
    assert (
        len(json.loads((MODEL_FOLDER / "generation_config.json").read_text())["eos_token_id"]) == 3
    )
