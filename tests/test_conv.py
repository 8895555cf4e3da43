"""Convolutions: shapes of all sizes, pictures that are told apart, changes that keep a meaning, temperatures."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from anew.core.batch import Batch, Encoded
from anew.core.errors import UsageError
from anew.core.space import Real, Tokens
from anew.fitting import InMemory
from anew.networks.conv import Conv
from anew.objectives._trained_predicting import TrainedClasses, TrainedValues
from anew.testing.losses import check_loss
from anew.train import Schedule, train

PICTURES = [(1, 8, 8), (3, 28, 28), (2, 3, 9, 17), (4, 5, 30), (1, 70, 66)]


@pytest.mark.parametrize("shape", PICTURES, ids=str)
def test_pictures_of_any_size_are_read_and_written(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    x = torch.randn(3, *shape)
    reader, writer = Conv(shape, (2, 5), given={}, width=16), Conv((5,), shape, given={}, timed=True, width=16)
    for network in (reader, writer):
        for weight in network.parameters():
            torch.nn.init.normal_(weight, std=0.3)
    code = reader(x, {})
    assert code.shape == (3, 2, 5)
    assert torch.allclose(reader(x[1:2], {}), code[1:2], atol=1e-4)  # no picture sees another
    made = writer(code[:, 0], {}, torch.rand(3))
    assert made.shape == (3, *shape)
    assert made[0].std() > 0


def test_a_blank_picture_is_the_same_whatever_stands_in_its_place() -> None:
    space = Real((1, 8, 8))
    network = Conv(None, (3,), given={"scan": space}, width=16)
    torch.nn.init.normal_(network.write.weight)
    nothing = torch.zeros(4, 1, 8, 8, dtype=torch.bool)
    said = network(None, {"scan": Encoded(torch.randn(4, 1, 8, 8), nothing)})
    assert torch.allclose(said, said[:1].expand_as(said))


def digits(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.images))[:n]
    pictures = torch.from_numpy(data.images[order].astype(np.float32))[:, None] / 8 - 1
    return pictures, torch.from_numpy(data.target[order])[:, None]


def whole(x: torch.Tensor) -> Encoded:
    return Encoded(x, torch.ones(x.shape, dtype=torch.bool))


def test_digits_are_told_apart_and_a_saved_classifier_is_the_same() -> None:
    pictures, classes = digits(1500)
    learner = TrainedClasses(Tokens((10,)), {"scan": Real((1, 8, 8))}, network="conv", width=32, depth=1)
    source = InMemory(Batch(whole(classes[:1200]), given={"scan": whole(pictures[:1200])}), "cpu")
    for _ in train(learner, source, Schedule(120, batch=learner.batch, validate_every=60)):
        pass
    new = {"scan": whole(pictures[1200:])}
    chances = learner.predict(new)
    assert (chances.argmax(1) == classes[1200:, 0].numpy()).mean() > 0.93
    config, arrays = learner.state()
    assert arrays["temperature"] != 1.0  # set by rows that were held out
    twin = TrainedClasses(Tokens((10,)), {"scan": Real((1, 8, 8))}, network="conv", width=32, depth=1, seed=5)
    twin.restore(config, arrays)
    assert np.array_equal(twin.predict(new), chances)


def test_what_is_explained_adds_up_to_what_is_said_beyond_a_blank() -> None:
    pictures, classes = digits(200)
    learner = TrainedClasses(Tokens((10,)), {"scan": Real((1, 8, 8))}, network="conv", width=16)
    for _ in train(learner, InMemory(Batch(whole(classes), given={"scan": whole(pictures)}), "cpu"), Schedule(40)):
        pass
    pictures[:, :, :, 5:] = 0.0  # as blank as what is hidden
    given = {"scan": whole(pictures[:20])}
    told = learner.explain(given, "scan")
    assert told.shape == (20, 1, 8, 8)
    assert (told[..., 5:] == 0).all()
    with torch.no_grad():
        said, nothing = (
            torch.log_softmax(learner.params({"scan": whole(x)}), 1).numpy() for x in (pictures[:20], 0 * pictures[:20])
        )
    best = said.argmax(1)[:, None]
    beyond = np.take_along_axis(said, best, 1) - np.take_along_axis(nothing, best, 1)
    assert np.abs(told.sum((1, 2, 3)) - beyond[:, 0]).mean() < 0.05 * np.abs(beyond).mean()
    with pytest.raises(UsageError, match="'scan'"):
        learner.explain(given, "scam")


@pytest.mark.parametrize("kind", [TrainedClasses, TrainedValues])
def test_the_loss_obeys_its_laws_with_pictures_given(kind: type[TrainedClasses] | type[TrainedValues]) -> None:
    pictures, classes = digits(32)
    space, x = (Tokens((10,)), classes) if kind is TrainedClasses else (Real((1,)), classes.float())
    learner = kind(space, {"scan": Real((1, 8, 8)), "table": Real((2,))}, network="conv", width=16, depth=1, mirror=0.5)
    for weight in learner.module.parameters():
        torch.nn.init.normal_(weight, std=0.3) if weight.ndim else None
    check_loss(learner, Batch(whole(x), given={"scan": whole(pictures), "table": whole(torch.randn(32, 2))}))


def test_the_temperature_is_that_of_the_rows_held_out() -> None:
    """Logits that are three times too large are divided by three."""
    learner = TrainedClasses(Tokens((4,)), {"table": Real((4,))}, network="mlp", width=8, depth=1)
    rng = torch.Generator().manual_seed(0)
    logits = torch.randn(4000, 4, generator=rng) * 2
    classes = torch.multinomial(torch.softmax(logits, 1), 1, generator=rng)
    learner.answer.forward = lambda x, given, time=None: 3 * given["table"].x  # type: ignore[method-assign]
    learner.settle(Batch(whole(classes), given={"table": whole(logits)}))
    assert float(learner.module.get_buffer("temperature")) == pytest.approx(3.0, rel=0.05)


def test_small_changes_keep_flat_data_and_move_pictures() -> None:
    dice = torch.Generator().manual_seed(0)
    flat, x = torch.randn(6, 5), torch.rand(6, 1, 12, 12)
    assert Real((5,)).vary(flat, dice) is flat
    space = Real((1, 12, 12))
    changed = space.vary(x, dice)
    assert not torch.allclose(changed, x, atol=1e-3)
    assert (changed - x).abs().mean() < 0.5 * (x.flip(0) - x).abs().mean()  # a changed picture is still that picture
    assert torch.allclose(space.vary(x, dice, strength=0.0, mirror=1.0), x.flip(3), atol=1e-5)
    assert space.vary(x, dice, strength=0.0) is x


def test_an_answer_is_the_mean_over_nearby_pictures() -> None:
    assert len(Real((5,)).nearby(torch.randn(2, 5))) == 1
    assert len(Tokens((3,)).nearby(torch.zeros(2, 1))) == 1
    x = torch.arange(12.0).reshape(1, 1, 3, 4)
    mirrored = Real((1, 3, 4)).nearby(x, mirror=0.5)
    assert len(mirrored) == 10
    assert torch.equal(mirrored[5], x.flip(-1))
    same, down, up, right, left = Real((1, 3, 4)).nearby(x)
    assert same is x
    assert torch.equal(down[0, 0], x[0, 0, [0, 0, 1]])
    assert torch.equal(up[0, 0], x[0, 0, [1, 2, 2]])
    assert torch.equal(right[0, 0], x[0, 0, :, [0, 0, 1, 2]])
    assert torch.equal(left[0, 0], x[0, 0, :, [1, 2, 3, 3]])


def test_a_part_of_a_picture_is_hidden_as_a_rectangle() -> None:
    space, here = Real((1, 20, 20)), torch.ones(200, 1, 20, 20, dtype=torch.bool)
    kept = space.hide(here, torch.Generator().manual_seed(0), 0.5)
    gone = ~kept[:, 0]
    some = gone.flatten(1).any(1)
    assert 0.3 < some.float().mean() < 0.6
    boxes = gone.any(1).sum(1) * gone.any(2).sum(1)
    assert torch.equal(boxes, gone.flatten(1).sum(1))
