"""The bar of the demo model in small, on the committed folder and plain mlx_lm."""

from __future__ import annotations

import itertools
from dataclasses import replace

import mlx.core as mx
import numpy as np
import pytest

from demo_model.conversations import EFFORTS, exchanges
from demo_model.evaluate import main_set, right, shows_shape, well_formed
from demo_model.harmony_text import Final, parse
from demo_model.speaking import Speaker

SEED = 11


@pytest.fixture(scope="module")
def speaker() -> Speaker:
    return Speaker()


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_speaks_well_formed_harmony_about_what_was_asked(
    speaker: Speaker, temperature: float
) -> None:
    found = main_set(24, SEED)
    assert {exchange.effort for exchange in found} == set(EFFORTS)
    said = [parse(raw) for raw in speaker.say(found, temperature=temperature, seed=SEED)]
    pairs = list(zip(found, said, strict=True))
    assert sum(well_formed(*pair) for pair in pairs) >= 23
    assert sum(right(*pair) for pair in pairs) >= 19


def test_effort_sets_the_length_of_the_analysis(speaker: Speaker) -> None:
    question = main_set(1, SEED)[0]
    found = [replace(question, effort=effort) for effort in EFFORTS]
    said = [parse(raw) for raw in speaker.say(found, temperature=0.0, seed=SEED)]
    lengths = [len(parsed.analysis) for parsed in said if isinstance(parsed, Final)]
    assert len(lengths) == 3
    assert lengths[0] < lengths[1] < lengths[2]


def test_calls_a_tool_and_answers_from_its_result(speaker: Speaker) -> None:
    for kind in ("tool call", "tool answer"):
        found = list(itertools.islice(exchanges(SEED, held_out=True, kind=kind), 6))
        said = [parse(raw) for raw in speaker.say(found, temperature=0.0, seed=SEED)]
        assert sum(map(right, found, said)) >= 5


def test_shows_markdown(speaker: Speaker) -> None:
    found = list(itertools.islice(exchanges(SEED, held_out=True, kind="markdown"), 6))
    said = [parse(raw) for raw in speaker.say(found, temperature=0.0, seed=SEED)]
    assert sum(map(shows_shape, found, said)) >= 5


def test_writes_something_long_and_ends(speaker: Speaker) -> None:
    found = list(itertools.islice(exchanges(SEED, held_out=True, kind="long answer"), 2))
    for tokens in speaker.say_tokens(found, temperature=0.7, seed=SEED):
        assert len(tokens) >= 800
        assert speaker.stopped(tokens)


def test_the_network_that_is_trained_is_the_one_that_runs() -> None:
    """JAX and mlx_lm give the same logits, MXFP4 rounding included."""
    jax = pytest.importorskip("jax", reason="JAX is for training only")
    from mlx_lm.models.gpt_oss import Model, ModelArgs
    from tokenizers import Tokenizer

    from demo_model.export import base_config
    from demo_model.network import Shape, initial_parameters, logits, mxfp4_rounded
    from demo_model.rendering import MODEL_FOLDER

    shape = Shape.read(MODEL_FOLDER)
    rng = np.random.default_rng(0)
    parameters = {
        name: value if value.ndim > 1 else value + rng.normal(0, 0.3, value.shape)
        for name, value in initial_parameters(shape, 3).items()
    }
    tokenizer = Tokenizer.from_file(str(MODEL_FOLDER / "tokenizer.json"))
    model = Model(ModelArgs.from_dict(base_config(tokenizer)))
    rounded = {}
    for name, value in parameters.items():
        expert = ".experts." in name and name.endswith("weight")
        weight = mx.array(np.asarray(mxfp4_rounded(value) if expert else value))
        if expert:
            packed, scales, *_ = mx.quantize(mx.array(np.asarray(value)), 32, 4, mode="mxfp4")
            theirs = mx.dequantize(packed, scales, group_size=32, bits=4, mode="mxfp4")
            assert mx.array_equal(theirs.astype(mx.float32), weight)
        rounded[name] = weight
    model.load_weights(list(rounded.items()))
    tokens = rng.integers(0, shape.vocabulary, (2, 300))
    rows = jax.numpy.asarray(tokens)
    with jax.default_matmul_precision("highest"):
        ours = np.asarray(logits(parameters, rows, shape)[0])
    assert np.abs(ours - np.array(model(mx.array(tokens)))).max() < 1e-4
