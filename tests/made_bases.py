"""Tiny models with random weights as Hugging Face directories, with a byte-level tokenizer learned from a few words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

TEXTS = ["the quick brown fox jumps over the lazy dog", "a lamp of oak for the hall", "a rug of wool for the den"] * 4
SIZES: dict[str, dict[str, Any]] = {
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64},
    "llama": {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 64,
    },
}
SIZES["qwen3"] = {**SIZES["llama"], "head_dim": 8, "tie_word_embeddings": True}
END = "<|endoftext|>"


def tokenizer(marks: tuple[str, ...] = (END,), pieces: int = 60) -> Tokenizer:
    made: Any = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    size = len(marks) + 256 + pieces
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=alphabet, special_tokens=list(marks), show_progress=False
    )
    made.train_from_iterator(TEXTS, trainer)
    return made


def base(folder: Path, kind: str = "gpt2", rows: int | None = None, **config: Any) -> Path:
    """A model of that kind in a folder, as `save_pretrained` writes it; `rows` of its embedding, all of its tokens."""
    import torch

    from anew.networks._hub import quietly

    words = tokenizer()
    size = words.get_vocab_size() if rows is None else rows
    with quietly(), torch.random.fork_rng():
        from transformers import AutoConfig, AutoModelForCausalLM

        torch.manual_seed(0)
        end = words.token_to_id(END)
        made = AutoConfig.for_model(
            kind, vocab_size=size, bos_token_id=end, eos_token_id=end, **{**SIZES[kind], **config}
        )
        model: Any = AutoModelForCausalLM.from_config(made)
        for weight in model.parameters():  # as large as a trained one's, so that answers differ
            if weight.ndim > 1:
                torch.nn.init.normal_(weight, std=0.15)
        model.save_pretrained(folder)
    words.save(str(folder / "tokenizer.json"))
    return folder


def changed(folder: Path, name: str, **parts: Any) -> Path:
    """The folder with parts of a JSON file replaced."""
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **parts}))
    return folder
