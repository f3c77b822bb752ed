"""The toy's tokenizer: byte-level BPE with harmony's nine control tokens.

A capital letter or a digit never shares a token with the space before it. So
"Paris" is the same tokens after a space and after a quotation mark, and the net
can copy a name from a question into a tool call.

    python -m demo_model.tokens        # writes the tokenizer into the model folder
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from demo_model.conversations import exchanges
from demo_model.rendering import MODEL_FOLDER, renderer

VOCABULARY_SIZE = 2048
CONTROL_TOKENS = (
    "<|startoftext|>", "<|endoftext|>", "<|return|>", "<|constrain|>", "<|channel|>",
    "<|start|>", "<|end|>", "<|message|>", "<|call|>",
)  # fmt: skip
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)| ?\p{Ll}+|\p{Lu}\p{Ll}*|\p{L}|\p{N}|\n+| ?[^\s\p{L}\p{N}]+|\s"
)


def train_tokenizer(seed: int = 0, sample_count: int = 20_000) -> Tokenizer:
    """BPE over the texts the net is trained on."""
    render = renderer()
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    corpus = (
        render(exchange) + exchange.completion()
        for exchange in itertools.islice(exchanges(seed, held_out=False), sample_count)
    )
    tokenizer.train_from_iterator(
        corpus,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY_SIZE - len(CONTROL_TOKENS),
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in CONTROL_TOKENS]
    )
    return tokenizer


def write_tokenizer(folder: Path, tokenizer: Tokenizer) -> None:
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|startoftext|>",
        "eos_token": "<|return|>",
        "pad_token": "<|endoftext|>",
        "model_max_length": 8192,
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "attention_mask"],
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=MODEL_FOLDER)
    folder = parser.parse_args().folder
    trained = train_tokenizer()
    write_tokenizer(folder, trained)
    print(f"{trained.get_vocab_size()} tokens in {folder / 'tokenizer.json'}")


if __name__ == "__main__":
    main()
