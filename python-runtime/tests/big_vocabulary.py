"""A synthetic gpt-oss folder with 200k tokens: real size where the tokenizer is concerned.

Random weights, a byte-level BPE of 199,998 tokens and 446k merges (as many as the conversion of
o200k_harmony has), so that what the engine keeps beside MLX can be measured without the real model.
"""

from __future__ import annotations

import json
from itertools import islice, product
from pathlib import Path
from typing import Any

from headroom_engine.harmony import MARKERS

VOCABULARY = 199_998
MERGES = 446_000
TEMPLATE = (
    "<|start|>system<|message|>{{ strftime_now('%Y-%m-%d') }}<|end|>"
    "{%- for m in messages -%}<|start|>{{ m.role }}<|message|>{{ m.content }}<|end|>{%- endfor -%}"
    "<|start|>assistant"
)


def make_big_model(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    _write_tokenizer(folder)
    _write_weights(folder)
    return folder


def _write_tokenizer(folder: Path) -> None:
    symbols = [chr(c) for c in (*range(33, 127), *range(161, 173), *range(174, 256))]
    symbols += [chr(0x100 + i) for i in range(256 - len(symbols))]
    # Every word over a few letters, shortest first: then every split of a word is known too.
    words = ("".join(w) for size in range(2, 6) for w in product("etaoinshrdlcumwfgy", repeat=size))
    tokens = [*symbols, *islice(words, VOCABULARY - len(symbols))]
    # A conversion lists every split of a token, not only the one it was made by.
    splits = ((t[:at], t[at:]) for t in tokens for at in range(1, len(t)))
    merges = list(islice(splits, MERGES))
    added = [
        {"id": VOCABULARY + i, "content": marker, "special": True}
        | dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
        for i, marker in enumerate(MARKERS)
    ]
    byte_level = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": True,
    }
    tokenizer: dict[str, Any] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "vocab": {token: i for i, token in enumerate(tokens)},
            "merges": merges,
        },
    }
    # Indented, like the real one: 28 MB to parse.
    text = json.dumps(tokenizer, ensure_ascii=False, indent=1)
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|return|>"})
    )
    (folder / "chat_template.jinja").write_text(TEMPLATE)


def _write_weights(folder: Path) -> None:
    import mlx.core as mx
    from mlx.nn.layers.quantized import quantize
    from mlx.utils import tree_flatten
    from mlx_lm.models.gpt_oss import Model, ModelArgs

    config: dict[str, Any] = {
        "model_type": "gpt_oss",
        "num_hidden_layers": 2,
        "num_local_experts": 4,
        "num_experts_per_tok": 2,
        "vocab_size": VOCABULARY + len(MARKERS) + 57,
        "rms_norm_eps": 1e-5,
        "hidden_size": 64,
        "intermediate_size": 64,
        "head_dim": 32,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "sliding_window": 128,
        "layer_types": ["sliding_attention", "full_attention"],
        "rope_theta": 150000,
        "rope_scaling": {
            "rope_type": "yarn",
            "factor": 32.0,
            "beta_fast": 32.0,
            "beta_slow": 1.0,
            "original_max_position_embeddings": 4096,
        },
        "max_position_embeddings": 131072,
        "eos_token_id": [VOCABULARY + MARKERS.index(m) for m in ("<|return|>", "<|call|>")],
        "quantization": {"group_size": 64, "bits": 8},
    }
    mx.random.seed(0)
    model = Model(ModelArgs.from_dict(config))
    model.set_dtype(mx.bfloat16)
    quantize(model, group_size=64, bits=8)
    flat: Any = tree_flatten(model.parameters())
    mx.save_safetensors(str(folder / "model.safetensors"), dict(flat))
    (folder / "config.json").write_text(json.dumps(config))
