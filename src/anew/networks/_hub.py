"""Models of Hugging Face's transformers, built and read without a network, a pickle, foreign code or a word.

Only files of a folder on the disk are read, weights only as safetensors, and always as 32-bit numbers.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn

from anew.core.errors import DataError, ResourceError
from anew.core.learner import Config

OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY")


@contextmanager
def quietly() -> Iterator[None]:
    """Nothing is asked of a network, nothing is printed; what users set for themselves is as before afterwards."""
    for name in OFFLINE:
        os.environ.setdefault(name, "1")
    try:
        from transformers.utils import logging
    except ImportError:
        raise ResourceError(
            "A model to start from is read by transformers, which is not installed", do="pip install 'anew[hub]'"
        ) from None
    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def configured(architecture: Config) -> Any:
    """The content of a `config.json`, with what it leaves at its usual value."""
    with quietly():
        from transformers import CONFIG_MAPPING

        kind = architecture.get("model_type")
        if kind not in CONFIG_MAPPING:
            raise DataError(
                "The base is of an architecture that the installed transformers does not have",
                found=kind,
                do="Code that comes with a model is not executed: update transformers, or take another base",
            )
        return CONFIG_MAPPING[kind].from_dict(dict(architecture))


def untrained(architecture: Config) -> nn.Module:
    """A model of that `config.json`, with random weights."""
    config = configured(architecture)
    with quietly():
        from transformers import AutoModelForCausalLM

        try:
            made: Any = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        except ValueError as error:
            raise _no_writer(config.model_type) from error
        if getattr(type(made), "_is_stateful", False):
            raise _no_writer(config.model_type)
        return _still(made)


def trained(folder: str) -> nn.Module:
    """The model of a folder, with its weights."""
    with quietly():
        from transformers import AutoModelForCausalLM

        try:
            made, said = AutoModelForCausalLM.from_pretrained(
                folder,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                dtype=torch.float32,
                output_loading_info=True,
            )
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            reason = str(error).strip().splitlines()[0]
            raise DataError(
                f"The weights of the base {folder!r} cannot be read: {reason}", do="Copy the folder again, whole"
            ) from None
    if lacking := sorted({*said["missing_keys"], *(key[0] for key in said["mismatched_keys"])}):
        raise DataError(
            f"The weights of the base {folder!r} do not fit its config.json",
            found=f"{len(lacking)} that are missing or of another shape, such as {lacking[0]}",
            do="Copy the folder again, whole",
        )
    return _still(made)


def _still(model: Any) -> nn.Module:
    """Without dropout: what a step does hangs on its seed alone."""
    made: nn.Module = model.float().eval()
    return made


def _no_writer(kind: object) -> DataError:
    return DataError(
        "The base does not write on, token after token, from keys and values that it keeps",
        found=kind,
        do="Take a causal language model, such as GPT-2, Llama, Mistral or Qwen",
    )


def with_adapters(model: nn.Module, rank: int) -> nn.Module:
    """The model with its weights fixed and low-rank changes B A, of rank `rank`, beside each linear map of its layers.

    Hu et al. 2021, arXiv 2106.09685; B starts at zero, so that nothing changes at first. The scale is one whatever the
    rank, and all linear maps have some: fewer learn less (Dettmers et al. 2023, arXiv 2305.14314, section 4).
    """
    with quietly():
        try:
            from peft import LoraConfig, get_peft_model
        except ImportError:
            raise ResourceError(
                "Low-rank changes are made by peft, which is not installed", do="pip install 'anew[hub]'"
            ) from None
        from transformers.pytorch_utils import Conv1D

        turned = any(isinstance(part, Conv1D) for part in model.modules())
        how = LoraConfig(r=rank, lora_alpha=rank, target_modules="all-linear", lora_dropout=0.0, fan_in_fan_out=turned)
        changed: nn.Module = get_peft_model(model, how)
        return changed.eval()


def merged(model: Any) -> nn.Module:
    """The model that has them added to its weights."""
    with quietly():
        whole: nn.Module = model.merge_and_unload()
    return whole.requires_grad_(True)
