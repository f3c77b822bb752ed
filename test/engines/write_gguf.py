"""The demo model as a GGUF file: gpt-oss's own architecture in a few megabytes, for llama.cpp and Ollama.

`write_gguf.py MODEL_FOLDER FILE`. Attention and embeddings become F32; the experts stay MXFP4, whose 32 values a block
are laid out in halves here (element i beside element i + 16) and one after the other in MLX.
"""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

import numpy as np

ALIGNMENT = 32
F32, MXFP4 = 0, 39
MOSTLY_MXFP4 = 38
U32, FLOAT, BOOL, STRING, ARRAY, I32 = 4, 6, 7, 8, 9, 5
NORMAL_TOKEN, CONTROL_TOKEN = 1, 3

LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "post_attention_norm",
    "mlp.router": "ffn_gate_inp",
    "mlp.experts.gate_proj": "ffn_gate_exps",
    "mlp.experts.up_proj": "ffn_up_exps",
    "mlp.experts.down_proj": "ffn_down_exps",
}


def text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def field(key: str, kind: int, value: object) -> bytes:
    return text(key) + struct.pack("<I", kind) + scalar(kind, value)


def scalar(kind: int, value: object) -> bytes:
    if kind == STRING:
        return text(str(value))
    return struct.pack({U32: "<I", I32: "<i", FLOAT: "<f", BOOL: "<?"}[kind], value)


def fields(key: str, kind: int, values: list) -> bytes:
    head = text(key) + struct.pack("<IIQ", ARRAY, kind, len(values))
    return head + b"".join(scalar(kind, each) for each in values)


def read_tensors(file: Path) -> dict[str, np.ndarray]:
    with file.open("rb") as opened:
        (length,) = struct.unpack("<Q", opened.read(8))
        header = json.loads(opened.read(length))
        data = opened.read()
    kinds = {"F32": np.float32, "U32": np.uint32, "U8": np.uint8}
    tensors = {}
    for name, about in header.items():
        if name == "__metadata__":
            continue
        start, end = about["data_offsets"]
        tensors[name] = np.frombuffer(data[start:end], kinds[about["dtype"]]).reshape(about["shape"])
    return tensors


def dequantized(packed: np.ndarray, scales: np.ndarray, biases: np.ndarray) -> np.ndarray:
    """MLX's affine 8-bit form: four values in a word, one scale and one bias a group."""
    values = packed.view(np.uint8).astype(np.float32).reshape(*scales.shape, -1)
    return (values * scales[..., None] + biases[..., None]).reshape(packed.shape[0], -1)


def mxfp4_blocks(packed: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """One byte of scale and sixteen of nibbles for every 32 values."""
    octets = packed.view(np.uint8).reshape(*scales.shape, 16)
    values = np.stack([octets & 0x0F, octets >> 4], axis=-1).reshape(*scales.shape, 32)
    nibbles = values[..., :16] | (values[..., 16:] << 4)
    return np.concatenate([scales[..., None], nibbles], axis=-1).astype(np.uint8)


def converted(tensors: dict[str, np.ndarray], layers: int) -> list[tuple[str, int, tuple[int, ...], bytes]]:
    found: list[tuple[str, int, tuple[int, ...], bytes]] = []

    def plain(name: str, values: np.ndarray) -> None:
        found.append((name, F32, values.shape[::-1], np.ascontiguousarray(values, np.float32).tobytes()))

    def weight(name: str, source: str) -> None:
        if f"{source}.biases" in tensors:
            plain(
                f"{name}.weight",
                dequantized(tensors[f"{source}.weight"], tensors[f"{source}.scales"], tensors[f"{source}.biases"]),
            )
        elif f"{source}.scales" in tensors:
            scales = tensors[f"{source}.scales"]
            blocks = mxfp4_blocks(tensors[f"{source}.weight"], scales)
            experts, rows, groups = scales.shape
            found.append((f"{name}.weight", MXFP4, (groups * 32, rows, experts), blocks.tobytes()))
        else:
            plain(f"{name}.weight", tensors[f"{source}.weight"])
        if f"{source}.bias" in tensors:
            plain(f"{name}.bias", tensors[f"{source}.bias"])

    weight("token_embd", "model.embed_tokens")
    for layer in range(layers):
        for source, name in LAYER_NAMES.items():
            weight(f"blk.{layer}.{name}", f"model.layers.{layer}.{source}")
        plain(f"blk.{layer}.attn_sinks.weight", tensors[f"model.layers.{layer}.self_attn.sinks"])
    weight("output_norm", "model.norm")
    weight("output", "lm_head")
    return found


def metadata(folder: Path, config: dict) -> list[bytes]:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    size = config["vocab_size"]
    tokens = [f"[PAD{index}]" for index in range(size)]
    kinds = [NORMAL_TOKEN] * size
    for token, index in tokenizer["model"]["vocab"].items():
        tokens[index] = token
    for added in tokenizer["added_tokens"]:
        tokens[added["id"]] = added["content"]
        kinds[added["id"]] = CONTROL_TOKEN
    merges = [each if isinstance(each, str) else " ".join(each) for each in tokenizer["model"]["merges"]]
    of = {added["content"]: added["id"] for added in tokenizer["added_tokens"]}
    rope = config["rope_scaling"]
    a = "gpt-oss"
    return [
        field("general.architecture", STRING, a),
        field("general.name", STRING, "headroom-demo"),
        field("general.file_type", U32, MOSTLY_MXFP4),
        field("general.quantization_version", U32, 2),
        field(f"{a}.block_count", U32, config["num_hidden_layers"]),
        field(f"{a}.context_length", U32, config["max_position_embeddings"]),
        field(f"{a}.embedding_length", U32, config["hidden_size"]),
        field(f"{a}.feed_forward_length", U32, config["intermediate_size"]),
        field(f"{a}.expert_feed_forward_length", U32, config["intermediate_size"]),
        field(f"{a}.attention.head_count", U32, config["num_attention_heads"]),
        field(f"{a}.attention.head_count_kv", U32, config["num_key_value_heads"]),
        field(f"{a}.attention.key_length", U32, config["head_dim"]),
        field(f"{a}.attention.value_length", U32, config["head_dim"]),
        field(f"{a}.attention.layer_norm_rms_epsilon", FLOAT, config["rms_norm_eps"]),
        field(f"{a}.attention.sliding_window", U32, config["sliding_window"]),
        field(f"{a}.rope.freq_base", FLOAT, config["rope_theta"]),
        field(f"{a}.rope.dimension_count", U32, config["head_dim"]),
        field(f"{a}.rope.scaling.type", STRING, "yarn"),
        field(f"{a}.rope.scaling.factor", FLOAT, rope["factor"]),
        field(f"{a}.rope.scaling.original_context_length", U32, rope["original_max_position_embeddings"]),
        field(f"{a}.expert_count", U32, config["num_local_experts"]),
        field(f"{a}.expert_used_count", U32, config["num_experts_per_tok"]),
        field("tokenizer.ggml.model", STRING, "gpt2"),
        field("tokenizer.ggml.pre", STRING, "gpt-4o"),
        fields("tokenizer.ggml.tokens", STRING, tokens),
        fields("tokenizer.ggml.token_type", I32, kinds),
        fields("tokenizer.ggml.merges", STRING, merges),
        field("tokenizer.ggml.bos_token_id", U32, of["<|startoftext|>"]),
        field("tokenizer.ggml.eos_token_id", U32, of["<|return|>"]),
        field("tokenizer.ggml.padding_token_id", U32, of["<|endoftext|>"]),
        field("tokenizer.chat_template", STRING, (folder / "chat_template.jinja").read_text()),
    ]


def padded(length: int) -> int:
    return -(-length // ALIGNMENT) * ALIGNMENT


def write(folder: Path, target: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    tensors = converted(read_tensors(folder / "model.safetensors"), config["num_hidden_layers"])
    about = metadata(folder, config)
    head = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(about)) + b"".join(about))
    offset = 0
    for name, kind, shape, data in tensors:
        head += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
        offset += padded(len(data))
    with target.open("wb") as out:
        out.write(head.ljust(padded(len(head)), b"\0"))
        for *_, data in tensors:
            out.write(data.ljust(padded(len(data)), b"\0"))


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
