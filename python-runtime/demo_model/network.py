"""gpt-oss in JAX, for training: the same function as mlx_lm.models.gpt_oss.

Parameters are one flat dict under the names of the MLX model. The experts pass
through a straight-through MXFP4 rounding that equals MLX's, so that the net is
trained as it will run. All experts are computed and the unchosen ones weighted
with nought: for experts this small that is faster than gathering.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Parameters = dict[str, jax.Array]
_MXFP4_LEVELS = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0], np.float32)
_MXFP4_GROUP = 32


@dataclass(frozen=True)
class Shape:
    """The sizes of a gpt-oss model, read from its config.json."""

    layers: int
    hidden: int
    intermediate: int
    experts: int
    experts_per_token: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    window: int
    rms_norm_eps: float
    rope_theta: float
    rope_factor: float
    beta_fast: float
    beta_slow: float
    rope_original_length: int

    @staticmethod
    def read(folder: Path) -> Shape:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text("utf-8"))
        rope = config["rope_scaling"]
        return Shape(
            layers=config["num_hidden_layers"],
            hidden=config["hidden_size"],
            intermediate=config["intermediate_size"],
            experts=config["num_local_experts"],
            experts_per_token=config["num_experts_per_tok"],
            heads=config["num_attention_heads"],
            kv_heads=config["num_key_value_heads"],
            head_dim=config["head_dim"],
            vocabulary=config["vocab_size"],
            window=config["sliding_window"],
            rms_norm_eps=config["rms_norm_eps"],
            rope_theta=config["rope_theta"],
            rope_factor=rope["factor"],
            beta_fast=rope["beta_fast"],
            beta_slow=rope["beta_slow"],
            rope_original_length=rope["original_max_position_embeddings"],
        )


def initial_parameters(shape: Shape, seed: int) -> Parameters:
    rng = np.random.default_rng(seed)
    parameters: dict[str, np.ndarray] = {}

    def matrix(name: str, *sizes: int, scale: float = 1.0) -> None:
        std = scale / math.sqrt(sizes[-1])
        parameters[f"{name}.weight"] = rng.normal(0, std, sizes).astype(np.float32)

    def bias(name: str, *sizes: int) -> None:
        parameters[f"{name}.bias"] = np.zeros(sizes, np.float32)

    residual_scale = 1 / math.sqrt(2 * shape.layers)
    query, key = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    matrix("model.embed_tokens", shape.vocabulary, shape.hidden, scale=2.0)
    for i in range(shape.layers):
        layer = f"model.layers.{i}"
        for name, size in (("q_proj", query), ("k_proj", key), ("v_proj", key)):
            matrix(f"{layer}.self_attn.{name}", size, shape.hidden)
            bias(f"{layer}.self_attn.{name}", size)
        matrix(f"{layer}.self_attn.o_proj", shape.hidden, query, scale=residual_scale)
        bias(f"{layer}.self_attn.o_proj", shape.hidden)
        parameters[f"{layer}.self_attn.sinks"] = np.zeros(shape.heads, np.float32)
        matrix(f"{layer}.mlp.router", shape.experts, shape.hidden)
        bias(f"{layer}.mlp.router", shape.experts)
        for name in ("gate_proj", "up_proj"):
            matrix(f"{layer}.mlp.experts.{name}", shape.experts, shape.intermediate, shape.hidden)
            bias(f"{layer}.mlp.experts.{name}", shape.experts, shape.intermediate)
        matrix(
            f"{layer}.mlp.experts.down_proj",
            shape.experts, shape.hidden, shape.intermediate, scale=residual_scale,
        )  # fmt: skip
        bias(f"{layer}.mlp.experts.down_proj", shape.experts, shape.hidden)
        for name in ("input_layernorm", "post_attention_layernorm"):
            parameters[f"{layer}.{name}.weight"] = np.ones(shape.hidden, np.float32)
    parameters["model.norm.weight"] = np.ones(shape.hidden, np.float32)
    matrix("lm_head", shape.vocabulary, shape.hidden, scale=0.5)
    return {name: jnp.asarray(value) for name, value in parameters.items()}


def mxfp4_rounded(weight: jax.Array) -> jax.Array:
    """What mx.dequantize(mx.quantize(weight, mode="mxfp4")) gives: e2m1 values,
    one power of two for 32 of them, ties to the smaller level."""
    groups = weight.reshape(*weight.shape[:-1], -1, _MXFP4_GROUP)
    largest = jnp.max(jnp.abs(groups), axis=-1, keepdims=True)
    scale = jnp.exp2(jnp.ceil(jnp.log2(jnp.maximum(largest, 1e-20) / _MXFP4_LEVELS[-1])))
    middles = jnp.asarray((_MXFP4_LEVELS[1:] + _MXFP4_LEVELS[:-1]) / 2)
    steps = jnp.asarray(np.diff(_MXFP4_LEVELS))
    size = jnp.abs(groups) / scale
    level = sum(jnp.where(size > middles[i], steps[i], 0.0) for i in range(len(_MXFP4_LEVELS) - 1))
    return (jnp.sign(groups) * level * scale).reshape(weight.shape)


def _straight_through(weight: jax.Array) -> jax.Array:
    return weight + jax.lax.stop_gradient(mxfp4_rounded(weight) - weight)


def _rms_norm(x: jax.Array, weight: jax.Array, eps: float) -> jax.Array:
    return x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + eps) * weight


def yarn(shape: Shape) -> tuple[np.ndarray, float]:
    """Wavelengths and query/key scale of YaRN, as mlx_lm's YarnRoPE computes them."""
    dims, base = shape.head_dim, shape.rope_theta

    def correction(rotations: float) -> float:
        ratio = shape.rope_original_length / (rotations * 2 * math.pi)
        return dims * math.log(ratio) / (2 * math.log(base))

    low = max(math.floor(correction(shape.beta_fast)), 0)
    high: float = min(math.ceil(correction(shape.beta_slow)), dims - 1)
    if low == high:
        high += 0.001
    extrapolated = base ** (np.arange(0, dims, 2, dtype=np.float32) / dims)
    interpolated = shape.rope_factor * extrapolated
    ramp = np.clip((np.arange(dims // 2, dtype=np.float32) - low) / (high - low), 0, 1)
    keep = 1.0 - ramp
    wavelengths = interpolated * extrapolated / (interpolated * keep + extrapolated * (1 - keep))
    scale = 0.1 * math.log(shape.rope_factor) + 1.0 if shape.rope_factor > 1 else 1.0
    return wavelengths.astype(np.float32), scale


def _rotated(x: jax.Array, wavelengths: np.ndarray, scale: float) -> jax.Array:
    """x: batch, length, heads, head_dim."""
    angle = jnp.arange(x.shape[1], dtype=jnp.float32)[:, None] / wavelengths
    cos, sin = jnp.cos(angle)[:, None], jnp.sin(angle)[:, None]
    first, second = jnp.split(x * scale, 2, axis=-1)
    return jnp.concatenate((first * cos - second * sin, first * sin + second * cos), axis=-1)


def _product(pattern: str, x: jax.Array, y: jax.Array, coarse: bool) -> jax.Array:
    """An einsum, in bfloat16 where `coarse`: twice as fast, since memory is what limits it."""
    if coarse:
        x, y = x.astype(jnp.bfloat16), y.astype(jnp.bfloat16)
    return jnp.einsum(pattern, x, y)


def _attention(
    p: Parameters, layer: str, x: jax.Array, shape: Shape, sliding: bool, coarse: bool
) -> jax.Array:
    batch, length, _ = x.shape

    def project(name: str, heads: int) -> jax.Array:
        y = _product("bld,od->blo", x, p[f"{layer}.self_attn.{name}.weight"], coarse)
        y = y + p[f"{layer}.self_attn.{name}.bias"]
        return y.reshape(batch, length, heads, shape.head_dim)

    wavelengths, scale = yarn(shape)
    q = _rotated(project("q_proj", shape.heads), wavelengths, scale)
    k = _rotated(project("k_proj", shape.kv_heads), wavelengths, scale)
    v = project("v_proj", shape.kv_heads)
    q = q.reshape(batch, length, shape.kv_heads, -1, shape.head_dim)
    scores = _product("bqhgd,bkhd->bhgqk", q, k, coarse).astype(jnp.float32)
    scores = scores / math.sqrt(shape.head_dim)
    distance = jnp.arange(length)[:, None] - jnp.arange(length)[None, :]
    seen = (distance >= 0) & (distance < shape.window) if sliding else distance >= 0
    scores = jnp.where(seen, scores, -1e30)
    sinks = p[f"{layer}.self_attn.sinks"].reshape(shape.kv_heads, -1)[None, :, :, None, None]
    top = jax.lax.stop_gradient(jnp.maximum(scores.max(-1, keepdims=True), sinks))
    exponents = jnp.exp(scores - top)
    weights = exponents / (exponents.sum(-1, keepdims=True) + jnp.exp(sinks - top))
    y = _product("bhgqk,bkhd->bqhgd", weights, v, coarse).reshape(batch, length, -1)
    y = _product("bld,od->blo", y, p[f"{layer}.self_attn.o_proj.weight"], coarse)
    return y + p[f"{layer}.self_attn.o_proj.bias"]


def _experts(
    p: Parameters, layer: str, x: jax.Array, shape: Shape, coarse: bool
) -> tuple[jax.Array, jax.Array]:
    """The mixture's output, and how unevenly it used its experts (1 is even)."""
    name = f"{layer}.mlp.experts"
    scores = x @ p[f"{layer}.mlp.router.weight"].T + p[f"{layer}.mlp.router.bias"]
    best, chosen = jax.lax.top_k(scores, shape.experts_per_token)
    picked = jax.nn.one_hot(chosen, shape.experts, dtype=x.dtype)
    share = jnp.einsum("blk,blke->ble", jax.nn.softmax(best, axis=-1), picked)

    def project(part: str) -> jax.Array:
        weight = _straight_through(p[f"{name}.{part}.weight"])
        y = _product("bld,efd->blef", x, weight, coarse)
        return y + p[f"{name}.{part}.bias"].astype(y.dtype)

    gate = jnp.minimum(project("gate_proj"), 7.0)
    up = jnp.clip(project("up_proj"), -7.0, 7.0)
    inner = (up + 1.0) * gate * jax.nn.sigmoid(1.702 * gate) * share[..., None].astype(gate.dtype)
    down = _straight_through(p[f"{name}.down_proj.weight"])
    y = (
        _product("blef,edf->bld", inner, down, coarse).astype(jnp.float32)
        + share @ p[f"{name}.down_proj.bias"]
    )
    used = picked.sum(2).mean((0, 1)) / shape.experts_per_token
    wanted = jax.nn.softmax(scores, axis=-1).mean((0, 1))
    return y, shape.experts * jnp.sum(used * wanted)


def logits(
    p: Parameters, tokens: jax.Array, shape: Shape, *, coarse: bool = False
) -> tuple[jax.Array, jax.Array]:
    """Next-token logits for a batch of token rows, and the imbalance of the experts.

    `coarse` takes the products in bfloat16, for training on a GPU.
    """
    x = p["model.embed_tokens.weight"][tokens]
    imbalance = jnp.zeros(())
    for i in range(shape.layers):
        layer = f"model.layers.{i}"
        y = _rms_norm(x, p[f"{layer}.input_layernorm.weight"], shape.rms_norm_eps)
        x = x + _attention(p, layer, y, shape, i % 2 == 0, coarse)
        y = _rms_norm(x, p[f"{layer}.post_attention_layernorm.weight"], shape.rms_norm_eps)
        y, uneven = _experts(p, layer, y, shape, coarse)
        x = x + y
        imbalance = imbalance + uneven / shape.layers
    return _rms_norm(x, p["model.norm.weight"], shape.rms_norm_eps) @ p[
        "lm_head.weight"
    ].T, imbalance
