"""Lets the model folder speak through plain mlx_lm, as the evaluation and the tests need it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import mlx.core as mx
from mlx_lm import load
from mlx_lm.generate import BatchGenerator
from mlx_lm.sample_utils import make_sampler

from demo_model.conversations import Exchange
from demo_model.rendering import MODEL_FOLDER, renderer


class Speaker:
    """One loaded model. `say` answers many exchanges at once and in their order."""

    def __init__(self, folder: Path = MODEL_FOLDER) -> None:
        self._model, self._tokenizer = load(str(folder))
        self._render = renderer(folder)
        self._stops = set(self._tokenizer.eos_token_ids)

    def stopped(self, tokens: Sequence[int]) -> bool:
        return bool(tokens) and tokens[-1] in self._stops

    def prompt(self, exchange: Exchange) -> list[int]:
        return list(self._tokenizer.encode(self._render(exchange), add_special_tokens=False))

    def say(
        self,
        exchanges: Sequence[Exchange],
        *,
        temperature: float,
        seed: int,
        max_tokens: int = 1600,
    ) -> list[str]:
        """The raw completions, with their stop token if one came."""
        return [
            self._tokenizer.decode(tokens)
            for tokens in self.say_tokens(
                exchanges, temperature=temperature, seed=seed, max_tokens=max_tokens
            )
        ]

    def say_tokens(
        self,
        exchanges: Sequence[Exchange],
        *,
        temperature: float,
        seed: int,
        max_tokens: int = 1600,
    ) -> list[list[int]]:
        mx.random.seed(seed)
        generator = BatchGenerator(
            self._model,
            stop_tokens=[[token] for token in self._stops],
            max_tokens=max_tokens,
            sampler=make_sampler(temp=temperature),
            completion_batch_size=16,
            prefill_batch_size=4,
        )
        ids = generator.insert([self.prompt(exchange) for exchange in exchanges])
        said: dict[int, list[int]] = {uid: [] for uid in ids}
        while responses := generator.next_generated():
            for response in responses:
                said[response.uid].append(response.token)
        generator.close()
        return [said[uid] for uid in ids]
