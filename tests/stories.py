"""stories260k as a Hugging Face directory: `python tests/stories.py FOLDER` writes it.

The model (Llama 2, by karpathy) comes as arrays: `wq` and `wk` have the rows of a rotary pair beside each other, which
transformers wants as two halves; its tokens have scores of merging, from which the merges of a `tokenizer.json` follow.
"""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
SOURCE = Path(__file__).parents[2] / "shared" / "data" / "models" / "stories260k"
MARKS = 3  # <unk>, <s>, </s>
PLAIN = 259  # the marks and the bytes, before the pieces
EPS = 1e-5
NAMES = {
    "attention_norm": "input_layernorm",
    "wq": "self_attn.q_proj",
    "wk": "self_attn.k_proj",
    "wv": "self_attn.v_proj",
    "wo": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "w1": "mlp.gate_proj",
    "w2": "mlp.down_proj",
    "w3": "mlp.up_proj",
}


def write(source: Path, folder: Path) -> Path:
    """The directory: config.json, model.safetensors, tokenizer.json."""
    from safetensors.numpy import save_file

    sizes: dict[str, Any] = json.loads((source / "config.json").read_text())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config(sizes), indent=1))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer(json.loads((source / "tokenizer.json").read_text()))))
    save_file(weights(dict(np.load(source / "weights.npz")), sizes), folder / "model.safetensors", {"format": "pt"})
    return folder


def config(sizes: dict[str, Any]) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": sizes["dim"],
        "intermediate_size": sizes["hidden_dim"],
        "num_hidden_layers": sizes["n_layers"],
        "num_attention_heads": sizes["n_heads"],
        "num_key_value_heads": sizes["n_kv_heads"],
        "vocab_size": sizes["vocab_size"],
        "max_position_embeddings": sizes["max_seq_len"],
        "rms_norm_eps": sizes["norm_eps"],
        "rope_theta": 10000.0,
        "hidden_act": "silu",
        "tie_word_embeddings": True,
        "bos_token_id": sizes["bos"],
        "eos_token_id": sizes["eos"],
    }


def weights(arrays: dict[str, F32], sizes: dict[str, Any]) -> dict[str, F32]:
    """By their names in transformers."""
    found = {"model.embed_tokens.weight": arrays["tok_embeddings"], "model.norm.weight": arrays["norm"]}
    heads = {"wq": sizes["n_heads"], "wk": sizes["n_kv_heads"]}
    for name, theirs in NAMES.items():
        for layer, weight in enumerate(arrays[name]):
            halves = _halves(weight, heads[name]) if name in heads else weight
            found[f"model.layers.{layer}.{theirs}.weight"] = np.ascontiguousarray(halves)
    return found


def _halves(weight: F32, heads: int) -> F32:
    """Rows (a b a b ...) of each head as (a a ... b b ...)."""
    return weight.reshape(heads, -1, 2, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def tokenizer(found: dict[str, Any]) -> dict[str, Any]:
    """Two neighbours become the piece of the best score: the merges in the order of the scores of what they make."""
    names = [token if i < PLAIN else token.replace(" ", "\u2581") for i, token in enumerate(found["tokens"])]
    known = {name: i for i, name in enumerate(names)}
    ranked = sorted(range(PLAIN, len(names)), key=lambda i: -found["scores"][i])
    cuts = [(names[i][:cut], names[i][cut:]) for i in ranked for cut in range(1, len(names[i]))]
    marks = [{"id": i, "content": names[i], "special": True} for i in range(MARKS)]
    usual = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{**mark, **usual} for mark in marks],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"}, replace]},
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "BPE",
            "unk_token": "<unk>",
            "fuse_unk": True,
            "byte_fallback": True,
            "vocab": known,
            "merges": [[a, b] for a, b in cuts if a in known and b in known],
        },
    }


def cut(text: str, found: dict[str, Any]) -> list[int]:
    """The tokens of a text as llama2.c finds them: again and again the neighbours that make the piece of best score."""
    known = {token: i for i, token in enumerate(found["tokens"]) if i >= PLAIN}
    row = [token for letter in text for token in ([known[letter]] if letter in known else _bytes(letter))]
    while True:
        pairs = [known.get(found["tokens"][a] + found["tokens"][b], -1) for a, b in pairwise(row)]
        best = max(range(len(pairs)), key=lambda i: found["scores"][pairs[i]] if pairs[i] >= 0 else -1e9, default=-1)
        if best < 0 or pairs[best] < 0:
            return row
        row[best : best + 2] = [pairs[best]]


def _bytes(letter: str) -> list[int]:
    return [MARKS + byte for byte in letter.encode()]


def logits(tokens: npt.NDArray[np.int64], w: dict[str, F32], sizes: dict[str, Any]) -> F32:
    """(L, K): the plain pass of Llama 2 over tokens (L,), with rotary pairs beside each other, in numpy alone."""
    h, long = w["tok_embeddings"][tokens], len(tokens)
    size, groups = sizes["dim"] // sizes["n_heads"], sizes["n_heads"] // sizes["n_kv_heads"]
    turns = (w["freq_cos"][:long] + 1j * w["freq_sin"][:long])[:, None]  # (L, 1, D / 2)
    past = np.tri(long, dtype=bool)
    for i in range(sizes["n_layers"]):
        x = _normed(h, w["attention_norm"][i])
        q, k, v = ((x @ w[name][i].T).reshape(long, -1, size) for name in ("wq", "wk", "wv"))
        q, k = (_turned(part, turns) for part in (q, k))
        k, v = (np.repeat(part, groups, 1) for part in (k, v))
        scores = np.where(past, np.einsum("lhd,mhd->hlm", q, k) / np.sqrt(size), -np.inf)
        share = np.exp(scores - scores.max(-1, keepdims=True))
        told = np.einsum("hlm,mhd->lhd", share / share.sum(-1, keepdims=True), v)
        h = h + told.reshape(long, -1) @ w["wo"][i].T
        x = _normed(h, w["ffn_norm"][i])
        gate = x @ w["w1"][i].T
        h = h + (gate / (1 + np.exp(-gate)) * (x @ w["w3"][i].T)) @ w["w2"][i].T
    return np.asarray(_normed(h, w["norm"]) @ w["tok_embeddings"].T, np.float32)


def _normed(h: F32, scale: F32) -> F32:
    return np.asarray(h / np.sqrt((h**2).mean(-1, keepdims=True) + EPS) * scale, np.float32)


def _turned(x: F32, turns: npt.NDArray[np.complexfloating[Any, Any]]) -> F32:
    pairs = (x[..., ::2] + 1j * x[..., 1::2]) * turns
    return np.stack([pairs.real, pairs.imag], -1).reshape(x.shape).astype(np.float32)


if __name__ == "__main__":
    write(SOURCE, Path(sys.argv[1]))
