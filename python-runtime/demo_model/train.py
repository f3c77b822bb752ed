"""Trains the demo model on a CPU or a GPU with JAX.

    pip install jax tokenizers jinja2          # jax[cuda13] for a GPU; no part of the runtime lock
    python -m demo_model.train --out weights.npz
    python -m demo_model.export weights.npz    # quantises into the model folder, with MLX

One seed gives one result on one machine and one version of JAX. Eleven minutes on
one H100; `--steps 200 --samples 5000 --batch-divisor 16` tries it on a laptop.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from demo_model.network import Parameters, Shape, initial_parameters, logits
from demo_model.rendering import MODEL_FOLDER

# Rows are padded to the next of these lengths; a batch holds about as many tokens of each.
BUCKETS: tuple[tuple[int, int], ...] = ((224, 200), (448, 100), (1408, 24), (2816, 10))
# A long answer has twenty times the tokens of a short one and would drown it in the mean.
LONG_ANSWER_WEIGHT = 0.25
BALANCE_WEIGHT = 0.01


@dataclass(frozen=True)
class Rows:
    """Rows of one bucket: tokens, where the completion begins and ends, their weight."""

    tokens: np.ndarray
    start: np.ndarray
    end: np.ndarray
    weight: np.ndarray


def _encoded(
    seed: int, count: int, folder: Path, held_out: bool
) -> list[tuple[list[int], int, float]]:
    from tokenizers import Tokenizer

    from demo_model.conversations import exchanges
    from demo_model.rendering import renderer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    render = renderer(folder)
    rows = []
    for exchange in itertools.islice(exchanges(seed, held_out=held_out), count):
        prompt = tokenizer.encode(render(exchange)).ids
        completion = tokenizer.encode(exchange.completion()).ids
        weight = LONG_ANSWER_WEIGHT if exchange.kind == "long answer" else 1.0
        rows.append((prompt + completion, len(prompt), weight))
    return rows


def make_rows(seed: int, count: int, folder: Path, held_out: bool) -> list[Rows]:
    """Exchanges as token rows, one entry for each bucket. Uses all cores."""
    chunk = 1000
    jobs = [
        (seed * 1_000_003 + i, min(chunk, count - i * chunk)) for i in range(-(-count // chunk))
    ]
    with multiprocessing.get_context("spawn").Pool() as pool:
        work = pool.starmap(
            partial(_encoded_job, folder=folder, held_out=held_out), jobs, chunksize=1
        )
    rows = list(itertools.chain.from_iterable(work))
    buckets: list[list[tuple[list[int], int, float]]] = [[] for _ in BUCKETS]
    for row in rows:
        fitting = [i for i, (length, _) in enumerate(BUCKETS) if len(row[0]) <= length]
        if fitting:
            buckets[fitting[0]].append(row)
    result = []
    for (length, _), members in zip(BUCKETS, buckets, strict=True):
        tokens = np.zeros((len(members), length), np.int16)
        for i, (ids, _, _) in enumerate(members):
            tokens[i, : len(ids)] = ids
        result.append(
            Rows(
                tokens,
                np.array([start for _, start, _ in members], np.int32),
                np.array([len(ids) for ids, _, _ in members], np.int32),
                np.array([weight for _, _, weight in members], np.float32),
            )
        )
    return result


def _encoded_job(
    seed: int, count: int, folder: Path, held_out: bool
) -> list[tuple[list[int], int, float]]:
    return _encoded(seed, count, folder, held_out)


def batches(rows: list[Rows], seed: int, divisor: int) -> Iterator[tuple[int, np.ndarray]]:
    """Endless epochs of (bucket, row numbers), each row once an epoch."""
    rng = np.random.default_rng(seed)
    while True:
        epoch = []
        for bucket, ((_, size), members) in enumerate(zip(BUCKETS, rows, strict=True)):
            order = rng.permutation(len(members.start))
            size = max(1, size // divisor)
            whole = len(order) // size * size
            epoch += [(bucket, part) for part in order[:whole].reshape(-1, size)]
        if not epoch:
            raise SystemExit("Too few samples for a single batch. Give more with --samples.")
        rng.shuffle(epoch)
        yield from epoch


def loss(
    p: Parameters,
    tokens: jax.Array,
    start: jax.Array,
    end: jax.Array,
    weight: jax.Array,
    shape: Shape,
) -> tuple[jax.Array, jax.Array]:
    """Mean cross-entropy over the completions, with the balance term, and without it."""
    tokens = tokens.astype(jnp.int32)
    scores, imbalance = logits(p, tokens[:, :-1], shape, coarse=jax.default_backend() == "gpu")
    goal = tokens[:, 1:]
    place = jnp.arange(1, tokens.shape[1])[None]
    counted = ((place >= start[:, None]) & (place < end[:, None])) * weight[:, None]
    log_probability = jax.nn.log_softmax(scores)
    picked = jnp.take_along_axis(log_probability, goal[..., None], axis=-1)[..., 0]
    mean = -(picked * counted).sum() / counted.sum()
    return mean + BALANCE_WEIGHT * imbalance, mean


def adam_step(
    p: Parameters, m: Parameters, v: Parameters, g: Parameters, rate: jax.Array, step: jax.Array
) -> tuple[Parameters, Parameters, Parameters]:
    """One step of AdamW with the gradient clipped to norm 1."""
    norm = jnp.sqrt(sum(jnp.sum(x * x) for x in g.values()))
    clip = jnp.minimum(1.0, 1.0 / (norm + 1e-6))
    b1, b2 = 0.9, 0.98
    new_p, new_m, new_v = {}, {}, {}
    for name, x in p.items():
        gradient = g[name] * clip
        new_m[name] = b1 * m[name] + (1 - b1) * gradient
        new_v[name] = b2 * v[name] + (1 - b2) * gradient * gradient
        update = new_m[name] / (1 - b1**step) / (jnp.sqrt(new_v[name] / (1 - b2**step)) + 1e-8)
        decay = 0.05 if x.ndim > 1 and name.endswith("weight") else 0.0
        new_p[name] = x - rate * (update + decay * x)
    return new_p, new_m, new_v


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--folder", type=Path, default=MODEL_FOLDER)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=400_000)
    parser.add_argument("--steps", type=int, default=16_000)
    parser.add_argument("--batch-divisor", type=int, default=1, help="smaller batches, for a CPU")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument(
        "--seconds", type=float, help="shrink --steps so that training ends by then"
    )
    a = parser.parse_args()

    begun = time.time()
    shape = Shape.read(a.folder)
    rows = make_rows(a.seed, a.samples, a.folder, held_out=False)
    checks = make_rows(a.seed + 1, 4000, a.folder, held_out=True)
    counts = [len(r.start) for r in rows]
    print(f"{jax.devices()[0]}; rows {counts} in {time.time() - begun:.0f} s", flush=True)

    on_device = [jax.tree.map(jnp.asarray, (r.tokens, r.start, r.end, r.weight)) for r in rows]
    p = initial_parameters(shape, a.seed)
    m = {name: jnp.zeros_like(x) for name, x in p.items()}
    v = {name: jnp.zeros_like(x) for name, x in p.items()}
    print(f"{sum(x.size for x in p.values()) / 1e6:.2f} M parameters", flush=True)

    @partial(jax.jit, donate_argnums=(0, 1, 2))
    def train_step(
        p: Parameters, m: Parameters, v: Parameters,
        data: tuple[jax.Array, ...], index: jax.Array, rate: jax.Array, step: jax.Array,
    ) -> tuple[Parameters, Parameters, Parameters, jax.Array]:  # fmt: skip
        batch = [x[index] for x in data]
        (_, mean), g = jax.value_and_grad(loss, has_aux=True)(p, *batch, shape)
        return *adam_step(p, m, v, g, rate, step), mean

    held_out_loss = jax.jit(partial(loss, shape=shape))

    def check() -> str:
        means = []
        for (_, size), r in zip(BUCKETS, checks, strict=True):
            size = max(1, size // a.batch_divisor)
            if len(r.start) >= size:
                batch = (r.tokens[:size], r.start[:size], r.end[:size], r.weight[:size])
                means.append(f"{float(held_out_loss(p, *batch)[1]):.4f}")
        return " ".join(means)

    steps, recent, started = a.steps, [], 0.0
    for step, (bucket, index) in enumerate(batches(rows, a.seed, a.batch_divisor), start=1):
        if step == 601:  # by now every bucket is compiled
            p["lm_head.weight"].block_until_ready()
            started = time.time()
        if step == 1001 and a.seconds:
            p["lm_head.weight"].block_until_ready()
            each = (time.time() - started) / 400
            steps = min(steps, int(1000 + (a.seconds - (time.time() - begun)) / each * 0.97))
            print(f"{each * 1000:.1f} ms a step, {steps} steps", flush=True)
        warm = min(1.0, step / 300)
        rate = a.rate * warm * (0.5 * (1 + np.cos(np.pi * min(step / steps, 1.0))) * 0.995 + 0.005)
        p, m, v, mean = train_step(
            p, m, v, on_device[bucket], jnp.asarray(index), jnp.float32(rate), jnp.float32(step)
        )
        recent.append(mean)
        if step % 500 == 0 or step >= steps:
            average = float(np.mean([float(x) for x in recent]))
            recent = []
            print(
                f"step {step} loss {average:.4f} held out {check()} {time.time() - begun:.0f} s",
                flush=True,
            )
        if step >= steps:
            break
    arrays: dict[str, Any] = {name: np.asarray(x) for name, x in p.items()}
    np.savez(a.out, **arrays)


if __name__ == "__main__":
    main()
