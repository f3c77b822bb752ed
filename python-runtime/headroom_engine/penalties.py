"""Makes what an answer has said already less likely, or more, as the request wishes."""

from __future__ import annotations

from collections.abc import Sequence

import mlx.core as mx

from .request import Sampling

# As llama.cpp and Ollama have it, so that a value means the same whichever engine answers.
REPETITION_WINDOW = 64


class Penalties:
    """Logits processor of ``generate_step`` for one answer.

    With ``n`` the times a token was generated in this answer, in its reasoning too, OpenAI's
    formula takes ``n * frequency + (presence if n > 0 else 0)`` from the token's logit (API
    reference, "Frequency and presence penalties"). ``repetition`` divides what is likely and
    multiplies what is not (https://arxiv.org/abs/1909.05858), for the last tokens only.

    Not mlx_lm's own: those count the last 20 tokens, the prompt's end among them, and begin anew
    where tokens are put in. And they hit ``marks``, a format's control tokens: those have to come
    again and again, and an answer without them has no channels.
    """

    def __init__(self, sampling: Sampling, marks: Sequence[int]) -> None:
        self._presence = sampling.presence_penalty
        self._frequency = sampling.frequency_penalty
        self._repetition = sampling.repetition_penalty
        self._marks = marks
        self._seen = 0
        self._recent: mx.array | None = None
        self._counts: mx.array | None = None
        self._is_text: mx.array | None = None

    @staticmethod
    def wanted(sampling: Sampling) -> bool:
        return (
            sampling.presence_penalty != 0
            or sampling.frequency_penalty != 0
            or sampling.repetition_penalty not in (0, 1)
        )

    def begin(self, ahead: int) -> None:
        """``generate_step`` begins, behind so many tokens that nobody sampled."""
        self._seen = ahead

    def __call__(self, tokens: mx.array, logits: mx.array) -> mx.array:
        # Nothing is looked at here, only added to what is computed: looking would wait for it.
        new = tokens[self._seen :]
        self._seen = tokens.shape[0]
        width = logits.shape[-1]
        if self._counts is None or self._is_text is None or self._recent is None:
            self._counts = mx.zeros(width)
            self._is_text = mx.ones(width, mx.bool_)
            if self._marks:
                self._is_text[mx.array(list(self._marks))] = False
            self._recent = mx.array([], new.dtype)
        if new.shape[0] > 0:
            self._counts = self._counts.at[new].add(1)
            self._recent = mx.concatenate([self._recent, new])[-REPETITION_WINDOW:]
        less = logits
        if self._repetition not in (0, 1) and self._recent.shape[0] > 0:
            of_recent = less[:, self._recent]
            less = mx.array(less)
            less[:, self._recent] = mx.where(
                of_recent < 0, of_recent * self._repetition, of_recent / self._repetition
            )
        less = less - self._frequency * self._counts - self._presence * (self._counts > 0)
        return mx.where(self._is_text, less, logits)
