"""A causal language model that somebody else trained, of a folder on the disk, learned on or changed in low rank.

The body is transformers' (GPT-2, Llama, Qwen and what else writes on token by token), with the vocabulary of its own
tokenizer. Behind its R rows stand ours, for the marks that it does not know: E[x] = E_base[x] for x < R, and else
E_own[x - R]; logits = (W_base h, W_own h). At first our rows are the mean of its own (Hewitt 2021), so that all else
stays as it was.

What is given is a vector c of our own towers, through a matrix that starts at zero: h = E[x] + c, as gpt.py does it.
Numbers, pictures and the meanings of texts are given in the same way, and what is missing as a blank; every window of a
long text has read it, and no place of the context is spent on it; leaving it out, which guidance needs, is a mask.
Words of what is given cannot be copied out of c: with `written=1` the objective writes it before the text instead, in
the base's own tokens, where attention can.

Shapes: B batch, L positions, K vocabulary, R rows of the base, H width.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from anew.core.batch import Encoded
from anew.core.errors import UsageError
from anew.core.learner import Config
from anew.core.network import Based
from anew.core.space import Space
from anew.networks._hub import merged, quietly, trained, untrained, with_adapters
from anew.networks._towers import Context

RATE, WIDEST = 0.064, 1e-3  # of the base: RATE / H, and no more than that: 8e-5 at the width of GPT-2
CHANGES = 10.0  # how much faster low-rank changes learn (Schulman et al. 2025)
OWN = 3e-3  # of what is ours
HIDDEN = {"output_hidden_states": True}  # what a call is asked for besides logits


@dataclass
class State:
    """What is given (B, H), and keys and values of what was read."""

    said: Tensor
    cache: Any


class Pretrained(nn.Module, Based):
    """A Hugging Face model of your disk, learned on or by LoRA."""

    def __init__(
        self,
        size: int,
        *,
        given: Mapping[str, Space],
        context: int = 256,
        architecture: Config | None = None,
        **_: Any,
    ) -> None:
        super().__init__()
        if architecture is None:
            raise UsageError(
                "The network pretrained starts from a model on your disk", do="Name its folder: --base FOLDER (base=)"
            )
        self.body: Any = untrained(architecture)
        self.adapted = False
        self.rows, width = self._embed.weight.shape
        assert size >= self.rows, "every row of the base is a token"
        self.context = min(context, getattr(self.body.config, "max_position_embeddings", None) or context)
        self.read = Context(given, width, timed=False) if given else None
        self.say = nn.Linear(width, width, bias=False) if given else None
        if self.say is not None:
            nn.init.zeros_(self.say.weight)
        self.marks = nn.Parameter(torch.zeros(size - self.rows, width))
        self.heads = nn.Parameter(torch.zeros(size - self.rows, self._head.weight.shape[1]))
        self._level()

    @property
    def _embed(self) -> Any:
        return self.body.get_input_embeddings()

    @property
    def _head(self) -> Any:
        return self.body.get_output_embeddings()

    @torch.no_grad()
    def _level(self) -> None:
        """Marks that the base does not know are as its tokens are on average."""
        self.marks.copy_(self._embed.weight.mean(0).expand_as(self.marks))
        self.heads.copy_(self._head.weight.mean(0).expand_as(self.heads))

    # ---------------------------------------------------------------- learning

    def start(self, folder: str, lora: int) -> None:
        self.body = trained(folder)
        self._level()
        self.adapted = lora > 0
        if self.adapted:
            self.body = with_adapters(self.body, lora)

    def merge(self) -> None:
        if self.adapted:
            self.body, self.adapted = merged(self.body), False

    def rates(self) -> list[dict[str, Any]]:
        theirs = [weight for weight in self.body.parameters() if weight.requires_grad]
        own = [weight for name, weight in self.named_parameters() if not name.startswith("body.")]
        rate = min(RATE / self.marks.shape[1], WIDEST) * (CHANGES if self.adapted else 1.0)
        groups = [{"params": theirs, "lr": rate}, {"params": own, "lr": OWN}]
        return [group for group in groups if group["params"]]

    # ---------------------------------------------------------------- answers

    def forward(self, x: Tensor, given: Mapping[str, Encoded], dice: Tensor | None = None) -> Tensor:
        said = self.body(inputs_embeds=self._read(x, self._said(len(x), given)), use_cache=False, **HIDDEN)
        return self._logits(said)

    def _said(self, rows: int, given: Mapping[str, Encoded]) -> Tensor:
        if self.read is None or self.say is None:
            return self.marks.new_zeros(rows, self.marks.shape[1])
        said: Tensor = self.say(self.read(rows, given, None))
        return said

    def _read(self, x: Tensor, said: Tensor) -> Tensor:
        theirs: Tensor = self._embed(x.clamp(max=self.rows - 1)) + said[:, None]
        if not len(self.marks):
            return theirs
        ours = self.marks[(x - self.rows).clamp(min=0)] + said[:, None]
        return torch.where((x < self.rows)[..., None], theirs, ours.to(theirs.dtype))

    def _logits(self, said: Any) -> Tensor:
        ours = said.hidden_states[-1][:, -said.logits.shape[1] :] @ self.heads.T
        return torch.cat([said.logits, ours.to(said.logits.dtype)], -1)

    def begin(self, rows: int, given: Mapping[str, Encoded]) -> State:
        with torch.no_grad():
            return State(self._said(rows, given), self._empty())

    def _empty(self) -> Any:
        with quietly():
            from transformers import DynamicCache

            return DynamicCache(config=self.body.config)

    @torch.no_grad()
    def step(self, x: Tensor, state: Any) -> Tensor:
        assert isinstance(state, State)
        last = {"logits_to_keep": 1} if "logits_to_keep" in inspect.signature(self.body.forward).parameters else {}
        h = self._read(x, state.said)
        said = self.body(inputs_embeds=h, past_key_values=state.cache, use_cache=True, **HIDDEN, **last)
        return self._logits(said)[:, -1]

    def rewind(self, state: Any) -> State:
        return State(state.said, self._empty())

    def keep(self, state: Any, rows: npt.NDArray[np.bool_]) -> State:
        some = torch.from_numpy(np.flatnonzero(rows))
        state.cache.batch_select_indices(some)
        return State(state.said[some], state.cache)
