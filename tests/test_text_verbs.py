"""Texts through the verbs: fit, sample, write, complete, score, save; beside other columns and alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import anew
from anew.core.errors import CapabilityError, StoreError, UsageError
from anew.model import Model

GOOD, BAD, THINGS = ("lovely", "superb"), ("awful", "poor"), ("film", "book")


def reviews(n: int = 120) -> pl.DataFrame:
    rng = random.Random(0)
    rows = []
    for _ in range(n):
        said = rng.choice(["yes", "no"])
        words = GOOD if said == "yes" else BAD
        what = f"{rng.choice(THINGS)} {rng.randrange(1000)}"
        rows.append({"review": f"The {what} is {rng.choice(words)} to me.", "liked": said})
    return pl.DataFrame(rows)


@pytest.fixture(scope="module")
def model() -> Model:
    """Reviews given whether they were liked, by a small network: about two CPU seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("anew.train.seconds_a_step", lambda *_: 0.01)
        patch.setattr("anew.fitting.SAFETY", 1e6)
        return anew.fit(reviews(), learn="review", given="liked", time=1.8, width=48, depth=2, context=48, infill=0.3)


@pytest.fixture(scope="module")
def counted() -> Model:
    return anew.fit(reviews(), learn="review", network="ngram")


def test_what_is_given_is_obeyed_and_more_so_when_guided(model: Model) -> None:
    def good(liked: str, guidance: float) -> int:
        texts = model.sample(30, where={"liked": liked}, guidance=guidance, seed=1)["review"]
        return sum(any(word in text for word in GOOD) for text in texts)

    plain, guided = (good("yes", guidance) - good("no", guidance) for guidance in (1.0, 2.0))
    assert plain > 5
    assert guided >= plain - 3


def test_the_training_is_told_in_bits_per_byte(model: Model) -> None:
    assert any("bits per byte" in line and "nats per character" in line for line in model.provenance["training"])


def test_options_of_a_draw(model: Model) -> None:
    one = model.sample(prompt="The book 7 is", where={"liked": "no"}, temperature=0.0)["review"].to_list()
    assert len(one) == 1
    assert one[0].startswith("The book 7 is")
    assert (
        model.sample(4, prompt="The", stop=[" is"], where={"liked": "no"}, temperature=0.3)["review"]
        .str.contains(" is")
        .sum()
        == 0
    )
    short = model.sample(3, tokens=5, where={"liked": "no"})["review"]
    assert short.str.len_bytes().max() <= 5
    with pytest.raises(UsageError, match="temperature is a number"):
        model.sample(2, temperature=-1.0)
    with pytest.raises(CapabilityError, match="draws without steps"):
        model.sample(2, steps=4)


def test_writing_is_sampling_piece_by_piece(model: Model) -> None:
    parts = list(model.write(where={"liked": "yes"}, seed=3))
    assert len(parts) > 3
    assert "".join(parts) == model.sample(1, where={"liked": "yes"}, seed=3)["review"][0]


def test_gaps_are_filled_and_the_rest_is_kept(model: Model) -> None:
    rows = pl.DataFrame({"review": ["The [...] to me.", "The film", None], "liked": ["yes", "no", "yes"]})
    whole = model.complete(rows, gap="[...]", seed=1)["review"].to_list()
    assert whole[0].startswith("The ")
    assert whole[0].endswith(" to me.")
    assert "[...]" not in whole[0]
    assert whole[1] == "The film"
    assert whole[2]


def test_texts_are_scored(model: Model, counted: Model) -> None:
    real, mixed = (
        reviews(40),
        reviews(40).with_columns(liked=pl.when(pl.col("liked") == "no").then(pl.lit("yes")).otherwise(pl.lit("no"))),
    )
    assert model.log_prob(real).mean() > model.log_prob(mixed).mean() + 0.5
    shuffled = real.with_columns(review=pl.col("review").str.reverse())
    assert counted.log_prob(real.select("review")).mean() > counted.log_prob(shuffled.select("review")).mean() + 10


def test_a_saved_model_writes_the_same(model: Model, counted: Model, tmp_path: Path) -> None:
    for name, one in (("network", model), ("counts", counted)):
        one.save(tmp_path / name)
        again = anew.load(tmp_path / name)
        how = {"where": {"liked": "yes"}} if name == "network" else {}
        assert again.sample(3, seed=5, **how)["review"].to_list() == one.sample(3, seed=5, **how)["review"].to_list()


def test_a_table_with_a_text_is_learned_by_the_chain() -> None:
    plan = anew.fit(reviews(), predict="liked", dry_run=True).plan
    assert [(f.learn, f.given, f.objective) for f in plan.create] == [
        (("liked",), (), "chain"),
        (("review",), ("liked",), "next_token"),
    ]
    assert [factor.method for factor in plan.predict] == ["cross_entropy:linear"]
    two = reviews().with_columns(other=pl.col("review").str.replace("The", "A"))
    assert [f.given for f in anew.fit(two, dry_run=True).plan.create] == [(), ("liked",), ("liked", "review")]


def test_a_balanced_sample_has_its_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anew.train.seconds_a_step", lambda *_: 0.1)
    monkeypatch.setattr("anew.fitting.SAFETY", 1e6)
    whole = anew.fit(reviews(), time=1, width=16, depth=1, context=16)
    made = whole.sample(6, balance="liked", tokens=8)
    assert made["liked"].value_counts().sort("liked")["count"].to_list() == [3, 3]
    assert made.columns == ["review", "liked"]


def test_objectives_say_what_they_learn() -> None:
    with pytest.raises(UsageError, match="chain does not learn texts"):
        anew.fit(reviews(), learn="review", objective="chain")
    with pytest.raises(UsageError, match="next_token does not learn columns of a table"):
        anew.fit(reviews(), learn="liked", given="review", objective="next_token")
    with pytest.raises(UsageError, match="reads nothing that is given"):
        anew.fit(reviews(), learn="review", given="liked", network="ngram")


def play(folder: Path) -> Path:
    lines = random.Random(1)
    words = ["now", "is", "the", "winter", "of", "our", "discontent", "made", "glorious", "summer", "by", "this", "sun"]
    text = "".join(f"KING:\n{' '.join(lines.choices(words, k=9))}.\n\n" for _ in range(300))
    (folder / "play.txt").write_text(text)
    return folder / "play.txt"


def test_the_command_line(tmp_path: Path, anew_command: Callable[..., object]) -> None:
    play(tmp_path)
    done = anew_command("run", "play.txt", "--network", "ngram", "-o", "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "synthetic.txt").read_text().count("KING:") > 50
    assert "Real, held out" in (tmp_path / "out" / "report.html").read_text()
    said = anew_command("sample", "out/model", "--prompt", "KING:", "--tokens", "30", "--temperature", "0.5")
    assert said.stdout.startswith("KING:")
    assert len(said.stdout) <= 40
    streamed = anew_command(
        "sample", "out/model", "--prompt", "KING:", "--tokens", "30", "--temperature", "0.5", "--stream"
    )
    assert streamed.stdout.strip() == said.stdout.strip()
    (tmp_path / "gaps.txt").write_text("KING:\nnow is the [...]")
    filled = anew_command("complete", "out/model", "gaps.txt", "--gap", "[...]")
    assert filled.stdout.startswith("KING:\nnow is the ")
    assert np.all([mark not in filled.stdout for mark in ("[...]", "text\n")])


def test_weights_of_another_network(model: Model) -> None:
    (factor,) = model.joint.factors
    config, arrays = factor.learner.state()
    one = next(iter(arrays))
    with pytest.raises(StoreError, match=r"another network.*Fit the model again"):
        factor.learner.restore(config, {f"{name}.0" if name == one else name: value for name, value in arrays.items()})
