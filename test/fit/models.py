"""Models with random weights, to compare predictions with: real layouts, small enough anywhere.

``weights``: some hundred megabytes each, only ever loaded. ``cache``: the layers, KV heads and head
size of a real model, everything else narrow, so that prompts can be read on a CPU.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from headroom_engine.harmony import MARKERS

# Of each tensor that is never loaded; all dtypes here have two bytes.
EXTRA_BYTES = 16 * 2**20
# A byte is a token: a prompt can be given any length.
VOCABULARY = 512
TEMPLATE = (
    "{%- for m in messages -%}<|start|>{{ m.role }}<|message|>{{ m.content }}<|end|>{%- endfor -%}"
    "<|start|>assistant"
)

Quantization = Literal["none", "q4", "q8", "mxfp4-q4", "mxfp4-q8"]


@dataclass(frozen=True)
class Plan:
    name: str
    config: dict[str, Any]
    quantization: Quantization
    dtype: str = "bfloat16"
    shards: int = 1
    # Tensors that are in the file and never loaded.
    extra: tuple[str, ...] = ()


COMMON: dict[str, Any] = {
    "rms_norm_eps": 1e-5,
    "max_position_embeddings": 32768,
    "rope_theta": 10000.0,
    "eos_token_id": 258,
}


def gpt_oss(layers: int, hidden: int, experts: int, vocabulary: int, heads: int) -> dict[str, Any]:
    return {
        **COMMON,
        "model_type": "gpt_oss",
        "num_hidden_layers": layers,
        "num_local_experts": experts,
        "num_experts_per_tok": 2,
        "vocab_size": vocabulary,
        "hidden_size": hidden,
        "intermediate_size": hidden,
        "head_dim": 64,
        "num_attention_heads": heads,
        "num_key_value_heads": 8,
        "sliding_window": 128,
        "layer_types": ["sliding_attention", "full_attention"] * (layers // 2),
        "rope_scaling": {
            "rope_type": "yarn",
            "factor": 32.0,
            "beta_fast": 32.0,
            "beta_slow": 1.0,
            "original_max_position_embeddings": 4096,
        },
    }


def dense(
    kind: str, layers: int, hidden: int, middle: int, vocabulary: int, kv_heads: int, heads: int
) -> dict[str, Any]:
    return {
        **COMMON,
        "model_type": kind,
        "num_hidden_layers": layers,
        "vocab_size": vocabulary,
        "hidden_size": hidden,
        "intermediate_size": middle,
        "head_dim": 128,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "tie_word_embeddings": False,
    }


def experts(layers: int, hidden: int, middle: int, count: int, vocabulary: int) -> dict[str, Any]:
    return {
        **dense("qwen3_moe", layers, hidden, middle, vocabulary, 4, 8),
        "num_experts": count,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": middle,
        "decoder_sparse_step": 1,
        "mlp_only_layers": [],
        "norm_topk_prob": True,
    }


def gemma3(layers: int, hidden: int, middle: int, heads: int) -> dict[str, Any]:
    return {
        **COMMON,
        "hidden_size": hidden,
        "intermediate_size": middle,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "sliding_window": 1024,
        "sliding_window_pattern": 6,
    }


def gemma3_text(layers: int, hidden: int, middle: int, vocabulary: int) -> dict[str, Any]:
    inner = gemma3(layers, hidden, middle, 8)
    return {**inner, "model_type": "gemma3_text", "vocab_size": vocabulary}


def gemma3_nested(layers: int, hidden: int, middle: int, vocabulary: int) -> dict[str, Any]:
    inner = {**gemma3(layers, hidden, middle, 8), "model_type": "gemma3_text"}
    return {"model_type": "gemma3", "text_config": inner, "vocab_size": vocabulary}


def weights(scale: int) -> list[Plan]:
    """With a scale of 4 each has 200 to 400 MB."""
    h, v = 256 * scale, 16_000 * scale
    return [
        Plan("gpt-oss, MXFP4-Q8", gpt_oss(4, h, 16, v, 16), "mxfp4-q8", shards=3),
        Plan("gpt-oss, MXFP4-Q4", gpt_oss(4, h, 16, v, 16), "mxfp4-q4"),
        Plan("qwen3, 4-bit", dense("qwen3", 6, 2 * h, 4 * h, v, 8, 16), "q4"),
        Plan("qwen3, bf16", dense("qwen3", 2, h, 2 * h, v, 8, 16), "none", shards=2),
        Plan("qwen3_moe, 4-bit", experts(6, h, h // 2, 32, v), "q4"),
        Plan("llama, 8-bit", dense("llama", 6, h, 4 * h, v, 8, 8), "q8"),
        Plan("llama, f16", dense("llama", 2, h, 2 * h, v, 8, 8), "none", dtype="float16"),
        Plan("gemma3_text, 4-bit", gemma3_text(8, h, 4 * h, v), "q4"),
        Plan(
            "gemma3 with a vision part, 8-bit",
            gemma3_nested(8, h, 4 * h, v),
            "q8",
            extra=("vision_tower.a", "multi_modal_projector.b"),
        ),
    ]


def caches() -> list[Plan]:
    """The layer pattern, KV heads and head size of real ones."""
    return [
        Plan("gpt-oss-20b", gpt_oss(24, 64, 4, VOCABULARY, 8), "mxfp4-q8"),
        Plan("Qwen3 14B", dense("qwen3", 40, 64, 64, VOCABULARY, 8, 8), "none"),
        Plan("Qwen3 30B-A3B", experts(48, 64, 64, 4, VOCABULARY), "q4"),
        Plan("Llama 3.1 8B", dense("llama", 32, 128, 128, VOCABULARY, 8, 8), "none"),
        Plan("Gemma 3 4B", gemma3_nested(34, 128, 128, VOCABULARY), "none"),
    ]


def make(plan: Plan, folder: Path, *, computed: bool) -> Path:
    """``computed``: weights that numbers can be computed with, and not merely bits."""
    import mlx.core as mx
    from mlx import nn
    from mlx.utils import tree_flatten

    folder.mkdir(parents=True)
    mx.random.seed(0)
    module = importlib.import_module(f"mlx_lm.models.{plan.config['model_type']}")
    config = json.loads(json.dumps(plan.config))
    model = module.Model(module.ModelArgs.from_dict(json.loads(json.dumps(plan.config))))
    dtype = getattr(mx, plan.dtype)
    model.set_dtype(dtype)
    if plan.quantization != "none":
        config["quantization"] = _quantize(nn, model, plan.quantization)
    flat: Any = tree_flatten(model.parameters())
    arrays = [(name, array if computed else _bits(mx, array)) for name, array in flat]
    arrays += [(name, mx.zeros((EXTRA_BYTES // 2,), dtype=dtype)) for name in plan.extra]
    _save(mx, folder, arrays, plan.shards)
    config["torch_dtype"] = plan.dtype
    (folder / "config.json").write_text(json.dumps(config))
    _write_tokenizer(folder)
    return folder


def _quantize(nn: Any, model: Any, kind: Quantization) -> dict[str, Any]:  # noqa: ANN401
    bits = 8 if kind.endswith("8") else 4
    rest = {"group_size": 64, "bits": bits}
    named: dict[str, Any] = {}

    def predicate(path: str, layer: Any) -> Any:  # noqa: ANN401
        if not hasattr(layer, "to_quantized"):
            return False
        if not kind.startswith("mxfp4"):
            return rest
        if ".experts." in path:
            return {"group_size": 32, "bits": 4, "mode": "mxfp4"}
        named[path] = rest
        return {**rest, "mode": "affine"}

    nn.quantize(model, class_predicate=predicate)
    first = {"group_size": 32, "bits": 4, "mode": "mxfp4"} if kind.startswith("mxfp4") else rest
    return {**first, **named}


def _bits(mx: Any, array: Any) -> Any:  # noqa: ANN401
    if mx.issubdtype(array.dtype, mx.floating):
        return mx.random.normal(array.shape).astype(array.dtype)
    return mx.random.randint(0, 200, array.shape).astype(array.dtype)


def _save(mx: Any, folder: Path, arrays: list[tuple[str, Any]], shards: int) -> None:  # noqa: ANN401
    if shards == 1:
        mx.save_safetensors(str(folder / "model.safetensors"), dict(arrays))
        return
    weight_map = {}
    for shard in range(shards):
        name = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
        mine = dict(arrays[shard::shards])
        mx.save_safetensors(str(folder / name), mine)
        weight_map |= dict.fromkeys(mine, name)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))


def _write_tokenizer(folder: Path) -> None:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(marker, special=True) for marker in MARKERS])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|return|>"})
    )
    (folder / "chat_template.jinja").write_text(TEMPLATE)
