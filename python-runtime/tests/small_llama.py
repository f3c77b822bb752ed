"""A Llama of a few kilobytes, with random weights and tags as Qwen has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TAGS = ("<think>", "</think>", "<tool_call>", "</tool_call>")
# The words in the comment are what mlx_lm recognises the format of calls by.
TEMPLATE = """{#- <tool_call> tool_call.name #}
{%- for m in messages %}<|im_start|>{{ m.role }} {{ strftime_now('%Y') }}
{{ m.content }}<|im_end|>
{% endfor %}<|im_start|>assistant
"""


def make_llama(path: Path) -> None:
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_lm.models.llama import Model, ModelArgs
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in SPECIALS])
    tokenizer.add_tokens([AddedToken(t, special=False) for t in TAGS])
    tokenizer.save(str(path / "tokenizer.json"))
    (path / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>"})
    )
    (path / "chat_template.jinja").write_text(TEMPLATE)
    config: dict[str, Any] = {
        "model_type": "llama",
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "intermediate_size": 64,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "rms_norm_eps": 1e-5,
        "vocab_size": 256 + len(SPECIALS) + len(TAGS),
        "max_position_embeddings": 2048,
        "eos_token_id": 258,
    }
    mx.random.seed(0)
    model = Model(ModelArgs.from_dict(config))
    flat: Any = tree_flatten(model.parameters())
    mx.save_safetensors(str(path / "model.safetensors"), dict(flat))
    (path / "config.json").write_text(json.dumps(config))
