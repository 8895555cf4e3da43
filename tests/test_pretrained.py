"""Texts that start from a model on the disk: full or low-rank training, merging, saving; no network, no pickle."""

from __future__ import annotations

import json
import re
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent))
import anew
import made_bases
import stories
from anew.checkpoint import Checkpoint
from anew.cli.app import app
from anew.codecs._adopted import Adopted
from anew.core.batch import Encoded
from anew.core.errors import AnewError, DataError, ResourceError, UsageError
from anew.core.ragged import Ragged
from anew.core.sequences import Sequences
from anew.core.space import Tokens
from anew.networks._hub import quietly
from anew.networks.pretrained import Pretrained
from anew.objectives.next_token import NextToken
from anew.planned import FactorPlan
from anew.starting import configuration, words
from anew.train import Schedule, train
from anew.windows import Stream

STEPS = 30
KINDS = ("gpt2", "llama", "qwen3")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """STEPS steps of few tokens, whatever the machine."""
    monkeypatch.setattr("anew.train.seconds_a_step", lambda *_: 1 / STEPS)
    monkeypatch.setattr("anew.objectives.next_token.TOKENS", 512)


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bases")
    return {kind: made_bases.base(folder / kind, kind) for kind in KINDS}


@pytest.fixture
def copied(bases: dict[str, Path], tmp_path: Path) -> Path:
    """A base of one's own, to break."""
    return shutil.copytree(bases["llama"], tmp_path / "base")


def rows(n: int = 120) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    things, kinds = ["lamp", "rug", "pot"], ["light", "cloth", "clay"]
    picked = rng.integers(3, size=n)
    text = [f"a {things[i]} of oak, number {rng.integers(900)}, for the lazy fox {rng.integers(90)}" for i in picked]
    return pl.DataFrame({"text": text, "kind": [kinds[i] for i in picked]})


class Losses:
    """What is told of a training."""

    def __init__(self) -> None:
        self.bits: list[float] = []

    def __call__(self, what: str, share: float) -> None:
        if found := re.search(r"([\d.]+) bits per byte, [\d.]+ nats per character", what):
            self.bits.append(float(found[1]))


# ---------------------------------------------------------------- from fit to load


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("kind", "lora"), [*((kind, True) for kind in KINDS), ("llama", False)])
def test_the_loss_falls_and_the_saved_model_needs_no_base(
    kind: str, lora: bool, bases: dict[str, Path], tmp_path: Path
) -> None:
    base, told = shutil.copytree(bases[kind], tmp_path / "base"), Losses()
    how = {"learn": "text", "given": "kind", "context": 32, "time": 1, "progress": told}
    model = anew.fit(rows(), base=base, lora=lora, **how)
    assert np.mean(told.bits[-5:]) < np.mean(told.bits[:5]) - 0.3
    assert model.plan.create[0].options.get("lora") == (8 if lora else None)
    model.save(tmp_path / "model")
    shutil.rmtree(base)
    again = anew.load(tmp_path / "model")
    assert np.array_equal(again.log_prob(rows(8)), model.log_prob(rows(8)))
    greedy = {"given": {"kind": ["clay"]}, "temperature": 0.0, "tokens": 20, "guidance": 2.0}
    assert list(again.sample(**greedy)["text"]) == list(model.sample(**greedy)["text"])
    held = model.sample(3, given={"kind": ["clay"] * 3}, regex="a (pot|rug) of [a-z]{3,5}")["text"]
    assert all(re.fullmatch("a (pot|rug) of [a-z]{3,5}", text) for text in held)
    saved = json.loads((tmp_path / "model" / "config.json").read_text())
    assert saved["factors"][0]["plan"]["options"]["architecture"]["model_type"] == kind
    assert saved["codec"]["parts"]["text"]["base"]["tokenizer"]["model"]["type"] == "BPE"


@pytest.mark.usefixtures("quick")
def test_gaps_are_filled_and_counts_join_in(bases: dict[str, Path]) -> None:
    model = anew.fit(rows(), learn="text", base=bases["gpt2"], context=32, time=1, infill=0.5, mix=1)
    whole = model.complete(pl.DataFrame({"text": ["a pot [...] fox 7"]}), gap="[...]")["text"][0]
    assert whole.startswith("a pot ")
    assert whole.endswith(" fox 7")


def test_the_command_says_what_it_starts_from(bases: dict[str, Path], tmp_path: Path) -> None:
    rows().write_csv(tmp_path / "rows.csv")
    line = ["fit", str(tmp_path / "rows.csv"), "--learn", "text", "--base", str(bases["gpt2"]), "--lora", "--dry-run"]
    said = CliRunner().invoke(app, line)
    assert "next_token with pretrained" in said.stdout
    assert "lora=8" in said.stdout
    assert "architecture" not in said.stdout
    assert "lora=3" in CliRunner().invoke(app, [*line, "--option", "lora=3"]).stdout


# ---------------------------------------------------------------- the network


def network(base: Path, lora: int = 0, marks: int = 2, **more: Any) -> Pretrained:
    torch.manual_seed(0)
    size = words(base)["rows"] + marks
    made = Pretrained(size, given={"table": Tokens((3,))}, context=32, architecture=configuration(base), **more)
    made.start(str(base), lora)
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_merging_changes_no_answer(kind: str, bases: dict[str, Path]) -> None:
    changed = network(bases[kind], lora=4)
    given = {"table": Encoded(torch.tensor([[0], [2]]), torch.ones(2, 1, dtype=torch.bool))}
    x = torch.randint(changed.rows + 2, (2, 12))
    with torch.no_grad():
        plain = changed(x, given)
        assert torch.allclose(plain, network(bases[kind])(x, given), atol=1e-5), "at first nothing is changed"
        for name, weight in changed.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.05)
        before = changed(x, given)
        changed.merge()
        assert not torch.allclose(before, plain, atol=1e-2), "low-rank changes change nothing"
        assert torch.allclose(changed(x, given), before, atol=1e-4)
    assert list(changed.state_dict()) == list(network(bases[kind]).state_dict())


@pytest.mark.parametrize("kind", KINDS)
def test_greedy_writing_is_that_of_transformers(kind: str, bases: dict[str, Path]) -> None:
    said = words(bases[kind])
    space = Sequences((said["rows"] + 1,), end=said["end"], opening=(said["start"],), most=20)
    learner = NextToken(
        space, {}, network="pretrained", base=str(bases[kind]), architecture=configuration(bases[kind]), context=64
    )
    learner.begin()
    row = learner.drawing(temperature=0.0, tokens=20, prompt=(7, 8)).sample(1, np.random.default_rng(0))[0]
    start = torch.tensor([[said["start"], 7, 8]])
    with quietly():
        theirs = learner.net.body.generate(  # type: ignore[attr-defined]
            start, attention_mask=torch.ones_like(start), max_new_tokens=20, do_sample=False, pad_token_id=0
        )
    assert row.tolist() == theirs[0, 1:].tolist()


def test_low_rank_learning_moves_and_keeps_no_weight_of_the_base(bases: dict[str, Path]) -> None:
    made = network(bases["llama"], lora=4)
    learned = {id(weight) for group in made.rates() for weight in group["params"]}
    fixed = [name for name, weight in made.named_parameters() if id(weight) not in learned]
    assert fixed
    assert all(name.startswith("body.") and "lora" not in name for name in fixed)
    assert all(weight.requires_grad == (name not in fixed) for name, weight in made.named_parameters())


def test_a_resumed_training_is_the_one_that_was_not_stopped(bases: dict[str, Path], tmp_path: Path) -> None:
    def learner() -> NextToken:
        made = NextToken(
            Sequences((317,), end=0, opening=(0,)),
            {},
            network="pretrained",
            base=str(bases["gpt2"]),
            lora=2,
            architecture=configuration(bases["gpt2"]),
            context=16,
        )
        made.begin()
        return made

    x = Ragged.of(np.random.default_rng(0).integers(1, 60, (40, 12)))
    source, schedule = Stream(x, Sequences((317,), end=0, opening=(0,)), 16), Schedule(12, batch=4, validate_every=6)
    whole, first, second = learner(), learner(), learner()
    list(train(whole, source, schedule))
    checkpoint, plan = Checkpoint(tmp_path, 0, "tag"), FactorPlan(learn=("t",), objective="next_token")
    for event in train(first, source, schedule):
        if event.step == 7:
            checkpoint.write(event.state, plan)
            break
    found = checkpoint.read()
    assert found is not None
    assert all("lora" in name or not name.startswith("body.") for name in found[0].weights), "no weight of the base"
    list(train(second, source, schedule, found[0]))
    for one in (whole, second):
        one.finish()
    assert np.array_equal(whole.log_prob(x), second.log_prob(x))


def test_weights_with_two_names_are_saved_once(bases: dict[str, Path]) -> None:
    def made() -> NextToken:
        return NextToken(
            Sequences((317,), end=0), {}, network="pretrained", architecture=configuration(bases["gpt2"]), context=16
        )

    first, second = made(), made()
    first.net.start(str(bases["gpt2"]), 0)  # type: ignore[attr-defined]
    _, arrays = first.state()
    assert "body.transformer.wte.weight" in arrays
    assert "body.lm_head.weight" not in arrays
    second.restore({}, arrays)
    x = Ragged.of([[1, 2, 3], [4, 5]])
    assert np.array_equal(first.log_prob(x), second.log_prob(x))


# ---------------------------------------------------------------- what is refused


def fit(base: object, **more: Any) -> Any:
    return anew.fit(rows(20), learn="text", base=base, context=16, time=1, **more)


def without_config(base: Path) -> None:
    (base / "config.json").unlink()


def pickled(base: Path) -> None:
    (base / "model.safetensors").rename(base / "pytorch_model.bin")


def no_weights(base: Path) -> None:
    (base / "model.safetensors").unlink()


def adapters(base: Path) -> None:
    (base / "adapter_config.json").write_text('{"base_model_name_or_path": "gpt2"}')


def no_tokenizer(base: Path) -> None:
    (base / "tokenizer.json").unlink()


def cut_short(base: Path) -> None:
    path = base / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def config(**parts: Any) -> Callable[[Path], object]:
    return lambda base: made_bases.changed(base, "config.json", **parts)


REFUSED: list[tuple[Callable[[Path], object], str]] = [
    (without_config, "has no config.json"),
    (pickled, "unpickling a file runs what is in it.*pytorch_model.bin.*save_pretrained"),
    (no_weights, "has no weights"),
    (adapters, "low-rank changes of another model.*merge_and_unload"),
    (no_tokenizer, "has no tokenizer.json"),
    (cut_short, "weights of the base .* cannot be read"),
    (config(num_hidden_layers=3), "do not fit its config.json"),
    (config(architectures=["BertForMaskedLM"], model_type="bert"), "does not write on.*BertForMaskedLM"),
    (config(architectures=["T5Model"], is_encoder_decoder=True), "does not write on"),
    (config(architectures=None, model_type="vit"), "does not write on"),
    (config(model_type="mine"), "architecture that the installed transformers does not have.*'mine'"),
    (config(quantization_config={"bits": 4}), "rounded to few bits"),
    (config(vocab_size=100), "more tokens than the model has rows"),
    (lambda base: (base / "config.json").write_text("{"), "cannot be read as JSON"),
    (lambda base: (base / "config.json").write_text("[]"), "is not what it should be"),
    (lambda base: (base / "config.json").write_text("{}"), "not a model of transformers"),
]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("spoil", "why"), REFUSED)
def test_a_folder_that_cannot_be_started_from(spoil: Callable[[Path], object], why: str, copied: Path) -> None:
    spoil(copied)
    with pytest.raises(DataError, match=re.compile(why, re.DOTALL)):
        fit(copied)


@pytest.mark.parametrize("name", ["gpt2", "Qwen/Qwen3-0.6B"])
def test_nothing_is_downloaded(name: str) -> None:
    with pytest.raises(DataError, match="nothing is downloaded"):
        fit(name)


@pytest.mark.parametrize(("lacking", "lora"), [("transformers", False), ("peft", True)])
def test_a_missing_extra_is_named(lacking: str, lora: bool, copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anew.starting.find_spec", lambda name: None if name == lacking else object())
    with pytest.raises(ResourceError, match=rf"{lacking}.*anew\[hub\]"):
        fit(copied, lora=lora)


def test_what_cannot_be_meant(bases: dict[str, Path]) -> None:
    asked: list[tuple[dict[str, Any], str]] = [
        ({"network": "gpt"}, "starts from nothing"),
        ({"lora": "x"}, "'lora' of next_token is a positive int"),
        ({"width": 3.5}, "'width'"),
    ]
    for options, why in asked:
        with pytest.raises(UsageError, match=why):
            fit(bases["gpt2"], **options)
    for options, why in [({"lora": True}, "need something to change"), ({"network": "pretrained"}, "--base FOLDER")]:
        with pytest.raises(AnewError, match=why):
            anew.fit(rows(20), learn="text", time=1, **options)
    with pytest.raises(UsageError, match="no text is learned"):
        anew.fit(rows(20), learn="kind", base=bases["gpt2"])


# ---------------------------------------------------------------- a model that somebody really trained


@pytest.fixture(scope="module")
def llama(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """stories260k as a directory; skipped where the shared data are not."""
    return stories.write(shared / "data" / "models" / "stories260k", tmp_path_factory.mktemp("stories"))


TALE = "Once upon a time, there was a little girl named Lily. She had a big, juicy toy car that she loved to play with."


def test_stories_gives_the_logits_of_a_plain_pass(shared: Path, llama: Path) -> None:
    source = shared / "data" / "models" / "stories260k"
    sizes, found = (json.loads((source / name).read_text()) for name in ("config.json", "tokenizer.json"))
    vocabulary = Adopted(**words(llama))
    for text in (TALE, " A  dog's\n\tnap; Ünï 日本 "):
        assert next(vocabulary.encode([text])).tolist() == stories.cut(text, found)
    tokens = np.array([vocabulary.start, *stories.cut(" " + TALE, found)])
    plain = stories.logits(tokens, dict(np.load(source / "weights.npz")), sizes)
    made = Pretrained(vocabulary.size, given={}, context=512, architecture=configuration(llama))
    made.start(str(llama), 0)
    with torch.no_grad():
        ours = made(torch.from_numpy(tokens)[None], {})[0, :, : len(plain[0])].numpy()
    assert np.allclose(ours, plain, atol=1e-3)
    nats = plain - np.logaddexp.reduce(plain, 1)[:, None]
    assert nats[np.arange(len(tokens) - 1), tokens[1:]].mean() > -1.2, "it knows such tales"


@pytest.mark.usefixtures("quick")
def test_stories_learns_on(llama: Path, tmp_path: Path) -> None:
    told, tales = Losses(), pl.DataFrame({"text": [row.replace("a ", "a little ") for row in rows()["text"]]})
    model = anew.fit(tales, learn="text", base=llama, lora=True, context=32, time=1, progress=told)
    assert np.mean(told.bits[-5:]) < np.mean(told.bits[:5]) - 0.3
    model.save(tmp_path / "model")
    assert np.array_equal(anew.load(tmp_path / "model").log_prob(tales[:5]), model.log_prob(tales[:5]))
