"""The training loop: events, resuming, averaging, stopping; and what a kill leaves behind."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

import anew
from anew.checkpoint import Checkpoint, tag_of
from anew.core.batch import Batch, Encoded
from anew.core.space import Real
from anew.fitting import InMemory
from anew.objectives.diffusion import Diffusion
from anew.plan import FactorPlan
from anew.testing import example_frame
from anew.train import Schedule, State, train


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def gaussian(n: int = 2000) -> tuple[Batch, np.ndarray, np.ndarray]:
    """Correlated normals with their mean and covariance."""
    mean, root = np.array([0.5, -0.3]), np.array([[1.0, 0.0], [0.7, 0.5]])
    x = mean + np.random.default_rng(0).standard_normal((n, 2)) @ root.T
    tensor = torch.from_numpy(x).float()
    return Batch(Encoded(tensor, torch.ones_like(tensor, dtype=torch.bool))), mean, root @ root.T


def learner(seed: int = 0) -> Diffusion:
    return Diffusion(Real((2,)), {}, network="mlp", seed=seed, width=48, depth=2)


def finish(schedule: Schedule, state: State | None = None, start: Diffusion | None = None) -> dict[str, torch.Tensor]:
    model = start or learner()
    for _ in train(model, InMemory(gaussian()[0], "cpu"), schedule, state):
        pass
    return model.module.state_dict()


def test_a_gaussian_is_recovered() -> None:
    batch, mean, covariance = gaussian()
    model = learner()
    for _ in train(model, InMemory(batch, "cpu"), Schedule(800, batch=256, validate_every=200)):
        pass
    drawn = model.sample(6000, np.random.default_rng(0)).x.numpy()
    assert np.allclose(drawn.mean(0), mean, atol=0.12)
    assert np.allclose(np.cov(drawn.T), covariance, atol=0.15)


def test_every_step_is_an_event_and_the_last_says_why() -> None:
    events = list(train(learner(), InMemory(gaussian(300)[0], "cpu"), Schedule(12, batch=32, validate_every=5)))
    assert [event.step for event in events] == list(range(1, 13))
    assert [event.step for event in events if event.validation is not None] == [5, 10, 12]
    assert [event.stopped for event in events][-2:] == [None, "all steps made"]


def test_the_clock_is_a_safety_stop() -> None:
    events = list(train(learner(), InMemory(gaussian(300)[0], "cpu"), Schedule(10_000, batch=32, limit=0.2)))
    assert len(events) < 10_000
    assert "clock" in str(events[-1].stopped)


def test_no_progress_stops_early() -> None:
    class Stuck(Diffusion):
        def loss(self, batch: Batch, generator: torch.Generator) -> torch.Tensor:
            return super().loss(batch, generator) * 0 + 1

    stuck = Stuck(Real((2,)), {}, network="mlp", width=16, depth=1)
    schedule = Schedule(500, batch=32, validate_every=5, patience=3)
    events = list(train(stuck, InMemory(gaussian(300)[0], "cpu"), schedule))
    assert events[-1].stopped == "the held-out loss no longer fell"
    assert len(events) == 20


@pytest.mark.parametrize("killed_at", [1, 7, 20])
def test_resuming_gives_the_model_that_was_never_stopped(killed_at: int, tmp_path: Path) -> None:
    schedule = Schedule(30, batch=64, validate_every=10)
    plan = FactorPlan(learn=("x",), objective="diffusion", steps=30)
    checkpoint = Checkpoint(tmp_path, 0, "tag")
    source = InMemory(gaussian()[0], "cpu")
    for event in itertools.islice(train(learner(), source, schedule), killed_at):
        if event.step == killed_at:
            checkpoint.write(event.state, plan)
    found = Checkpoint(tmp_path, 0, "tag").read()
    assert found is not None
    whole, resumed = finish(schedule), finish(schedule, found[0], learner(seed=5))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert Checkpoint(tmp_path, 0, "other").read() is None, "a checkpoint serves only its own plan and data"


def test_a_broken_checkpoint_starts_over(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path, 0, "tag")
    checkpoint.path.parent.mkdir()
    checkpoint.path.write_bytes(b"half")
    assert checkpoint.read() is None


def test_the_tag_knows_plan_seed_and_data() -> None:
    plan, frame = FactorPlan(learn=("age",), objective="diffusion"), example_frame(50)
    tag = tag_of(plan, 0, frame)
    assert tag == tag_of(plan.model_copy(update={"steps": 9}), 0, frame), "steps are what the checkpoint tells"
    assert (
        len(
            {
                tag,
                tag_of(plan, 1, frame),
                tag_of(plan, 0, frame[:49]),
                tag_of(plan.model_copy(update={"learn": ("sex",)}), 0, frame),
            }
        )
        == 4
    )


def test_time_becomes_steps_once_and_is_stored(tmp_path: Path) -> None:
    model = anew.fit(example_frame(300), objective="diffusion", time="1s", out=tmp_path / "m", width=16, depth=1)
    steps = model.plan.create[0].steps
    assert steps is not None
    assert steps >= 20
    assert anew.load(tmp_path / "m").plan == model.plan
    assert len(model.sample(50)) == 50
    assert not (tmp_path / "m" / ".checkpoint").exists(), "a finished model has no checkpoint"


def test_diffusion_takes_conditions_by_rejection() -> None:
    model = anew.fit(example_frame(300), objective="diffusion", time=1, width=16, depth=1)
    out = model.sample(30, where={"sex": "F"})
    assert (out["sex"] == "F").all()
    with pytest.raises(anew.ConditionError, match="budget of rejection"):
        model.sample(30, where={"sex": "F", "age": 18, "ward": "a", "weight": None, "spent": (300, None)})


def test_muon_turns_matrices_and_resumes() -> None:
    """Steps of a matrix have singular values of about one; the rest moves by AdamW; a restored optimiser goes on."""
    from anew.core.muon import Muon, orthogonal

    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(2, 12, 40)))
    assert values.min() > 0.6
    assert values.max() < 1.3

    def run(steps: int, state: dict[str, object] | None = None) -> tuple[list[torch.nn.Parameter], Muon]:
        torch.manual_seed(1)
        weights = [torch.nn.Parameter(torch.randn(4, 3, 3, 3)), torch.nn.Parameter(torch.randn(5))]
        moved = Muon(weights, matrices=weights[:1], rate=1e-2, decay=0.0)
        for step in range(steps):
            if state is not None and step == 2:
                again = Muon(weights, matrices=weights[:1], rate=1e-2, decay=0.0)
                again.load_state_dict(moved.state_dict())
                moved = again
            moved.zero_grad()
            sum((w**2).sum() for w in weights).backward()  # type: ignore[union-attr]
            moved.step()
        return weights, moved

    (plain, _), (resumed, _) = run(4), run(4, {})
    assert all(torch.equal(a, b) for a, b in zip(plain, resumed, strict=True))
    start = run(0)[0]
    assert (plain[0] ** 2).sum() < (start[0] ** 2).sum()
    assert (plain[1] ** 2).sum() < (start[1] ** 2).sum()
