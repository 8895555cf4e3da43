"""Texts that start from a model on the user's disk: what is read of a Hugging Face directory, and what is refused.

The folder goes one way: into the plan go its name and its `config.json`, from which the network has its shape; into the
codec of the text its `tokenizer.json`, before the codec is fitted; into the network its weights, before the training. A
saved model holds all three, and never asks for the folder again. Nothing is downloaded, and nothing is unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from anew.core.codec import Codec
from anew.core.errors import DataError, ResourceError, UsageError
from anew.core.network import NETWORKS, Based
from anew.planned import FactorPlan

NETWORK = "pretrained"
RANK = 8  # of low-rank changes, when no other is named
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.msgpack", "*.h5")  # weights that are no safetensors
WRITERS = ("ForCausalLM", "LMHeadModel")  # how the names of models that write on end
Options = Mapping[str, Any]


def asked(network: str | None, options: Options, kind: str) -> tuple[str | None, Options]:
    """The network and the options of who learns a field of such a kind, in the words of a plan."""
    based = "base" in options
    if not based and options.get("lora"):
        raise UsageError("Low-rank changes need something to change", do="Name a folder as well: --base FOLDER (base=)")
    if not based:
        return network, {name: value for name, value in options.items() if name != "lora"}
    if kind != "text":
        raise UsageError(
            "A base writes texts, and no text is learned",
            found=kind,
            do="Leave out base, or name a column as text in the schema",
        )
    if network is not None and not issubclass(NETWORKS[network], Based):
        raise UsageError(f"The network {network} starts from nothing", do=f"Leave out network, or say {NETWORK}")
    rest, rank = {name: value for name, value in options.items() if name != "lora"}, options.get("lora")
    changes = {"lora": RANK if rank is True else rank} if rank else {}
    return network or NETWORK, {**rest, "base": str(options["base"]), **changes}


def described(options: Options) -> Options:
    """With the architecture of the base, where there is one."""
    if "base" not in options:
        return options
    folder = found(options["base"], "lora" in options)
    return {**options, "architecture": configuration(folder)}


def adopted(plans: Iterable[FactorPlan], parts: Mapping[str, Codec[Any]]) -> None:
    """Gives the codecs of texts that start from a base the vocabulary of that base."""
    for plan in plans:
        if "base" in plan.options:
            parts[plan.learn[0]].adopt(words(Path(plan.options["base"])))


def found(base: str, lora: bool) -> Path:
    """The folder, with what is needed to read it installed."""
    folder = Path(base).expanduser()
    if not folder.is_dir():
        raise DataError(
            f"There is no folder {base!r}, and nothing is downloaded",
            do="Bring the model to this machine first, such as by `hf download NAME --local-dir FOLDER` where there is "
            "a network, and name that folder",
        )
    for package in ("transformers", *["peft"] * lora):
        if find_spec(package) is None:
            raise ResourceError(
                f"A base needs the package {package}, which is not installed", do="pip install 'anew[hub]'"
            )
    return folder


def configuration(folder: Path) -> dict[str, Any]:
    """The content of config.json, of a model that writes on and whose weights are safe to read."""
    if (folder / "adapter_config.json").is_file():
        raise DataError(
            f"{str(folder)!r} holds low-rank changes of another model, not a model",
            do="Merge them into theirs and save that (peft: merge_and_unload, save_pretrained), then name its folder",
        )
    config = _content(folder, "config.json")
    if "model_type" not in config:
        raise DataError(f"{str(folder)!r} is not a model of transformers", found="a config.json without model_type")
    names = config.get("architectures") or []
    if config.get("is_encoder_decoder") or (names and not any(name.endswith(WRITERS) for name in names)):
        raise DataError(
            f"The base {str(folder)!r} does not write on, token after token",
            found=names or config["model_type"],
            do="Take a causal language model, such as GPT-2, Llama, Mistral or Qwen; one that only reads cannot write",
        )
    if "quantization_config" in config:
        raise DataError(
            f"The weights of the base {str(folder)!r} are rounded to few bits, and cannot be learned on",
            do="Take the same model as it was before",
        )
    _check_weights(folder)
    return config


def _check_weights(folder: Path) -> None:
    if any((folder / name).is_file() for name in WEIGHTS):
        return
    pickles = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
    if pickles:
        raise DataError(
            f"The base {str(folder)!r} has no weights that are safe to read: unpickling a file runs what is in it",
            found=pickles[:3],
            do="Take the model.safetensors of the same model, or, if you trust where it comes from, load it with "
            "transformers in an environment of its own and save_pretrained it, which writes safetensors",
        )
    raise DataError(
        f"The base {str(folder)!r} has no weights",
        found=sorted(path.name for path in folder.iterdir())[:5],
        do="Copy the folder again with its model.safetensors",
    )


def words(folder: Path) -> dict[str, Any]:
    """What a codec needs to know: the tokenizer, the rows of the embedding, and the marks around a text."""
    from anew.networks._hub import configured

    config, tokenizer = configured(_content(folder, "config.json")), _content(folder, "tokenizer.json")
    marks = {token["id"] for token in tokenizer.get("added_tokens", ()) if token.get("special")}
    start, end = (_mark(getattr(config, f"{name}_token_id", None), marks) for name in ("bos", "eos"))
    return {"tokenizer": tokenizer, "rows": config.vocab_size, "start": start, "end": end}


def _mark(token: Any, marks: set[int]) -> int | None:
    """A token that the tokenizer knows as a mark: the first, where the model names several."""
    first = token[0] if isinstance(token, list) and token else token
    return first if first in marks else None


def _content(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    if not path.is_file():
        raise DataError(
            f"{str(folder)!r} has no {name}",
            found=sorted(part.name for part in folder.iterdir())[:5],
            do=NEEDED[name],
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{str(path)!r} cannot be read as JSON: {error}", do="Copy it again") from None
    if not isinstance(content, dict):
        raise DataError(f"{str(path)!r} is not what it should be", found=type(content).__name__, do="Copy it again")
    return content


NEEDED = {
    "config.json": "Name a folder as transformers' save_pretrained writes it",
    "tokenizer.json": "The model is read with its own tokens: save its fast tokenizer into the folder (transformers: "
    "AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)), or take a base that has one",
}
