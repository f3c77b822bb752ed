"""Quantises trained weights into the model folder, in the layout of gpt-oss-20b-MXFP4-Q8.

    python -m demo_model.export --config-only   # before training: config.json and the like
    python -m demo_model.export weights.npz     # after it: model.safetensors too

Experts become MXFP4 (4 bit, groups of 32), everything else affine 8 bit (groups of
64). What stays unquantised is float32 and not bfloat16: MLX's CPU kernels are
several times faster with it, and the folder is made for machines without Metal.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from demo_model.rendering import MODEL_FOLDER
from demo_model.tokens import VOCABULARY_SIZE

LAYERS, HIDDEN, INTERMEDIATE, EXPERTS = 4, 192, 64, 16


def base_config(tokenizer: Tokenizer) -> dict[str, Any]:
    return {
        "architectures": ["GptOssForCausalLM"],
        "model_type": "gpt_oss",
        "num_hidden_layers": LAYERS,
        "num_local_experts": EXPERTS,
        "num_experts_per_tok": 2,
        "experts_per_token": 2,
        "vocab_size": VOCABULARY_SIZE,
        "rms_norm_eps": 1e-5,
        "hidden_size": HIDDEN,
        "intermediate_size": INTERMEDIATE,
        "head_dim": 32,
        "num_attention_heads": 6,
        "num_key_value_heads": 2,
        "attention_bias": True,
        "sliding_window": 128,
        "layer_types": ["sliding_attention", "full_attention"] * (LAYERS // 2),
        "rope_theta": 150000,
        "rope_scaling": {
            "rope_type": "yarn",
            "factor": 2.0,
            "beta_fast": 32.0,
            "beta_slow": 1.0,
            "original_max_position_embeddings": 4096,
            "truncate": False,
        },
        "initial_context_length": 4096,
        "max_position_embeddings": 8192,
        "swiglu_limit": 7.0,
        "tie_word_embeddings": False,
        "use_cache": True,
        "eos_token_id": tokenizer.token_to_id("<|return|>"),
        "pad_token_id": tokenizer.token_to_id("<|endoftext|>"),
        "torch_dtype": "float32",
    }


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", "utf-8")


def write_config(folder: Path, quantization: dict[str, Any] | None = None) -> dict[str, Any]:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    config = base_config(tokenizer)
    if quantization:
        config["quantization"] = config["quantization_config"] = quantization
    _write_json(folder / "config.json", config)
    stops = [tokenizer.token_to_id(name) for name in ("<|return|>", "<|endoftext|>", "<|call|>")]
    _write_json(
        folder / "generation_config.json",
        {
            "bos_token_id": tokenizer.token_to_id("<|startoftext|>"),
            "do_sample": True,
            "temperature": 0.7,
            "top_p": 0.95,
            "eos_token_id": stops,
            "pad_token_id": tokenizer.token_to_id("<|endoftext|>"),
        },
    )
    return config


def export(weights: Path, folder: Path) -> int:
    """Writes the model and returns the bytes of its weights."""
    import mlx.core as mx
    from mlx.nn.layers.base import Module
    from mlx.nn.layers.quantized import quantize
    from mlx.utils import tree_flatten
    from mlx_lm.models.gpt_oss import Model, ModelArgs

    model = Model(ModelArgs.from_dict(write_config(folder)))
    loaded = mx.load(str(weights))
    assert isinstance(loaded, dict)
    model.load_weights(list(loaded.items()), strict=True)
    quantization: dict[str, Any] = {"group_size": 32, "bits": 4, "mode": "mxfp4"}

    def choose(path: str, module: Module) -> bool | dict[str, Any]:
        if not hasattr(module, "to_quantized"):
            return False
        if ".experts." in path:
            return True
        settings: dict[str, Any] = {"group_size": 64, "bits": 8}
        quantization[path] = settings
        return settings | {"mode": "affine"}

    quantize(model, group_size=32, bits=4, mode="mxfp4", class_predicate=choose)
    parameters: dict[str, mx.array] = dict(tree_flatten(model.parameters()))
    mx.save_safetensors(str(folder / "model.safetensors"), parameters, metadata={"format": "mlx"})
    total = sum(value.nbytes for value in parameters.values())
    _write_json(
        folder / "model.safetensors.index.json",
        {
            "metadata": {"total_size": total},
            "weight_map": dict.fromkeys(sorted(parameters), "model.safetensors"),
        },
    )
    write_config(folder, quantization)
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path, nargs="?")
    parser.add_argument("--config-only", action="store_true")
    parser.add_argument("--folder", type=Path, default=MODEL_FOLDER)
    a = parser.parse_args()
    if a.config_only:
        write_config(a.folder)
        return
    if a.weights is None:
        parser.error("give the trained weights, or --config-only")
    print(f"{export(a.weights, a.folder) / 1e6:.2f} MB of weights in {a.folder}")


if __name__ == "__main__":
    main()
