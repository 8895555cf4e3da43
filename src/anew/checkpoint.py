"""Checkpoints of a training: the state as tensors and JSON in one file, written at once, bound to one plan.

The tag is a hash of the plan and of the data. It stays in the checkpoint, which goes when the model is done: a hash
of private data in a released model would confirm guesses of a record.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import torch
from torch import Tensor

from anew.plan import FactorPlan
from anew.store import CHECKPOINT, guarded, write_bytes
from anew.train import State


def tag_of(plan: FactorPlan, seed: int, frame: pl.DataFrame) -> str:
    """What a checkpoint must have been made for, to be continued."""
    words = plan.model_dump_json(exclude={"steps": True, "front": {"steps"}})
    digest = hashlib.sha256(words.encode() + str(seed).encode())
    digest.update(frame.hash_rows(seed=0).to_numpy().tobytes())
    return digest.hexdigest()


class Checkpoint:
    """The checkpoint file of one factor inside a model folder."""

    def __init__(self, folder: Path, index: int | str, tag: str) -> None:
        self.path = Path(folder) / CHECKPOINT / f"factor{index}.safetensors"
        self.tag = tag

    def write(self, state: State, plan: FactorPlan) -> None:
        from safetensors.torch import save

        tensors: dict[str, Tensor] = {}
        groups = []
        for kind in ("weights", "average", "best"):
            tensors |= {f"{kind}/{name}": value for name, value in getattr(state, kind).items()}
        for i, optimiser in enumerate(state.optimisers):
            groups.append(optimiser["param_groups"])
            for key, parts in optimiser["state"].items():
                tensors |= {f"optimiser{i}/{key}/{name}": torch.as_tensor(value) for name, value in parts.items()}
        words = {
            "step": state.step,
            "best_loss": state.best_loss,
            "waited": state.waited,
            "groups": groups,
            "tag": self.tag,
            "plan": plan.model_dump(mode="json"),
        }
        plain = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
        with guarded(f"the checkpoint {str(self.path)!r}"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(self.path, save(plain, {"state": json.dumps(words)}))

    def read(self) -> tuple[State, FactorPlan] | None:
        """The state and the plan with its steps; None when there is none for this plan and these data."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.path, framework="pt") as file:
                words = json.loads(file.metadata()["state"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, KeyError, ValueError):
            return None
        if words["tag"] != self.tag:
            return None
        optimisers = [
            {"param_groups": groups, "state": _nested(tensors, f"optimiser{i}/")}
            for i, groups in enumerate(words["groups"])
        ]
        state = State(
            words["step"],
            _flat(tensors, "weights/"),
            _flat(tensors, "average/"),
            _flat(tensors, "best/"),
            words["best_loss"],
            words["waited"],
            optimisers,
        )
        return state, FactorPlan.model_validate(words["plan"])

    def remove(self) -> None:
        shutil.rmtree(self.path.parent, ignore_errors=True)


def _flat(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _nested(tensors: dict[str, Tensor], prefix: str) -> dict[int, dict[str, Any]]:
    state: dict[int, dict[str, Any]] = {}
    for name, value in _flat(tensors, prefix).items():
        key, part = name.split("/", 1)
        state.setdefault(int(key), {})[part] = value
    return state
