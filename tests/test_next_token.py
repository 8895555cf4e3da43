"""The parts of writing: how tokens are chosen, windows and what is held out of them, gaps, the n-gram model."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from anew.core.errors import CapabilityError, UsageError
from anew.core.ragged import Ragged, kept, segments
from anew.core.sequences import Sequences
from anew.core.space import Real, Tokens
from anew.networks.ngram import Ngram
from anew.objectives._choosing import Style, pick
from anew.objectives._infilling import CLOSE, MIDDLE, PREFIX, SUFFIX, question, rearranged
from anew.objectives._mixing import fitted_weights, together
from anew.objectives.next_token import NextToken
from anew.testing.sequences import CONTEXT, SIZE, example_sequences, fitted, made
from anew.train import Schedule
from anew.windows import Documents, Stream

SPACE = Sequences((12,), end=10, opening=(10,))
LOGITS = np.log(np.array([[0.5, 0.3, 0.15, 0.05]], np.float32))
NONE = np.zeros((1, 0), np.int64)


def chances(**style: float) -> list[float]:
    p = Style(**style).chances(LOGITS, NONE)[0]
    return list(np.round(p / p.sum(), 3))


def test_styles_cut_what_they_say() -> None:
    assert chances() == [0.5, 0.3, 0.15, 0.05]
    assert chances(temperature=0.0) == [1, 0, 0, 0]
    assert chances(top_k=2) == [0.625, 0.375, 0, 0]
    assert chances(top_p=0.79) == [0.625, 0.375, 0, 0]
    assert chances(min_p=0.2) == [0.526, 0.316, 0.158, 0]
    assert chances(temperature=0.5)[0] > 0.68


def test_a_run_that_was_written_before_is_less_likely() -> None:
    run = [0, 1, 2, 3, 0, 2, 1, 3]
    written = np.array([[*run, 1, *run]])
    p = Style(repetition=10.0).chances(np.zeros((1, 4), np.float32), written)[0]
    assert p[1] / p[0] == pytest.approx(0.1)
    assert p[0] == p[2] == p[3]


def test_tokens_are_picked_by_their_chances() -> None:
    dice = np.linspace(0, 1, 1000, endpoint=False)
    picked = pick(np.repeat(np.array([[1.0, 0.0, 3.0]]), 1000, 0), dice)
    assert np.bincount(picked).tolist() == [250, 0, 750]


def test_segments_ask_for_every_token_once() -> None:
    for length in range(2, 60):
        asked = [
            token
            for _, start, told in segments([length], 8)
            for token in range(start + told, min(start + 8 + 1, length))
        ]
        assert asked == list(range(1, length)), length
        assert all(told in (1, kept(8)) for _, _, told in segments([length], 8))


def test_no_window_reaches_into_what_is_held_out() -> None:
    x = Ragged.of([np.arange(5000) % 10])
    stream = Stream(x, SPACE, 16)
    held, rows = stream.split(Schedule(10, held=40))
    out = {token for start in held.tolist() for token in range(start + 1, start + 17)}
    assert len(held) == 24
    assert all(out.isdisjoint(range(start, start + 17)) for start in rows.tolist())
    assert len(stream.rest.tokens) + len(out) <= 5000 + 1
    assert stream.take(held).x.x.shape == (24, 17)


def test_documents_are_held_out_whole_and_long_ones_have_several_windows() -> None:
    from anew.core.batch import Encoded

    docs = Ragged.of([np.append(np.full(5 + i, i % 10), 10) for i in range(100)])
    given = Encoded(torch.arange(100)[:, None] % 3, torch.ones(100, 1, dtype=torch.bool))
    source = Documents(docs, SPACE, 16, {"table": given})
    held, rows = source.split(Schedule(10, held=20))
    of = source.pieces[:, 0]
    assert set(of[held].tolist()).isdisjoint(of[rows].tolist())
    assert len(source) > 100
    batch = source.take(rows[:7])
    assert batch.x.x.shape[1] <= 17
    assert batch.known is not None
    assert torch.equal(batch.given["table"].x[:, 0], of[rows[:7]] % 3)
    assert int((batch.x.present & ~batch.known).sum()) > 0


def test_half_of_the_windows_have_their_middle_last() -> None:
    x = torch.randint(0, 10, (64, 33), generator=torch.Generator().manual_seed(0))
    there = torch.ones_like(x, dtype=torch.bool)
    wanted = there.clone()
    wanted[:, 0] = False
    moved, asked = rearranged(x, wanted, there, 12, 0.5, torch.Generator().manual_seed(1))
    changed = (moved == 12 + MIDDLE).any(1)
    assert 16 < int(changed.sum()) < 48
    for row, old in zip(moved[changed].tolist(), x[changed].tolist(), strict=True):
        p, s, m, c = (row.index(12 + mark) for mark in (PREFIX, SUFFIX, MIDDLE, CLOSE))
        assert (p, m > s, c > m + 1) == (1, True, True)
        assert [row[0], *row[2:s], *row[m + 1 : c], *row[s + 1 : m]] == old[: c - 3]
    assert torch.equal(moved[~changed], x[~changed])
    assert not asked.bool()[changed][:, 1].any(), "a mark that is always there costs nothing"


def test_a_question_about_a_gap_leaves_room_for_the_answer() -> None:
    asked = question((10,), range(1000), range(1000), 12, 256)
    assert len(asked) < 256 - 80
    assert asked[0] == 10
    assert asked[-1] == 12 + MIDDLE


def test_a_model_that_cannot_fill_gaps_says_so() -> None:
    learner = made(NextToken, "gpt")
    assert isinstance(learner, NextToken)
    with pytest.raises(CapabilityError, match="infill"):
        learner.complete(Ragged.of([[1, 10, 2]]), np.array([True, False, True]), np.random.default_rng(0))


@pytest.mark.parametrize("space", [Real((3,)), Tokens((4, 4), alike=True)])
def test_what_is_no_sequence_is_refused(space: Real | Tokens) -> None:
    with pytest.raises(UsageError, match="sequences"):
        NextToken(space, {})


def test_the_ngram_model_is_kneser_ney_by_hand() -> None:
    """Two orders on a short text, every count and discount known."""
    text = np.array([0, 1, 0, 2, 0, 1, 0, 1])
    model = Ngram(3, order=2)
    model.count(Ragged.of([text]))
    first, second = model.orders
    assert dict(zip(second.keys.tolist(), second.counts.tolist(), strict=True)) == {1: 3, 2: 1, 3: 2, 6: 1}
    assert dict(zip(first.keys.tolist(), first.counts.tolist(), strict=True)) == {
        0: 3,
        1: 1,
        2: 1,
    }  # kinds before, or a start
    d = 0.5  # there are too few counts of counts to estimate a discount
    base = {w: (max(c - d, 0) + 3 * d / 3) / 5 for w, c in ((0, 3), (1, 1), (2, 1))}
    expected = (3 - d) / 4 + 2 * d / 4 * base[1]
    nats, seen = model.log_prob(np.array([0, 1]), np.array([0, 1]))
    assert np.exp(nats[1]) == pytest.approx(expected)
    assert seen.tolist() == [0, 1]


def test_texts_shorter_than_every_long_ngram_are_counted() -> None:
    model = Ngram(3, order=6)
    model.count(Ragged.of([np.array([0, 1]), np.array([1])]))
    nats = [model.log_prob(np.array([0, w]), np.array([0, 1]))[0][1] for w in range(3)]
    assert np.exp(nats).sum() == pytest.approx(1)
    assert np.exp(model.log_prob(np.array([0, 1]), np.array([0, 1]))[0][1]) > 0.4
    assert model.chances(np.array([[0, 1, 2, 0, 0, 0]]))[0].sum() == pytest.approx(1)


def test_the_mixture_is_no_worse_than_its_parts() -> None:
    rng = np.random.default_rng(0)
    network, counts = np.log(rng.uniform(0.1, 1, 4000)), np.log(rng.uniform(0.1, 1, 4000))
    seen = rng.integers(0, 3, 4000)
    weights = fitted_weights(network, counts, seen, 3)
    assert together(network, counts, seen, weights).mean() > max(network.mean(), counts.mean())
    sure = fitted_weights(network, network - 5, seen, 3)
    assert (sure > 0.99).all()


def test_a_vocabulary_too_large_for_all_logits_at_once_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    space, docs = example_sequences()
    source = Stream(docs, space, CONTEXT)
    whole, batch = made(NextToken, "gpt"), source.take(torch.arange(0, 200, 10))
    monkeypatch.setattr("anew.objectives.next_token.LOGITS", 3 * CONTEXT * SIZE)
    parts = made(NextToken, "gpt")
    assert isinstance(whole, NextToken)
    assert isinstance(parts, NextToken)
    assert (parts.part, parts.batch) == (3, 3)
    with torch.no_grad():
        losses = [learner.loss(batch, torch.Generator()) for learner in (whole, parts)]
    assert torch.allclose(*losses, atol=1e-4)
    assert np.allclose(whole.log_prob(docs), parts.log_prob(docs), atol=1e-4)


def test_greedy_writing_is_the_full_pass_and_the_context_slides() -> None:
    learner = fitted(NextToken, "gpt")
    assert isinstance(learner, NextToken)
    row = learner.drawing(temperature=0.0, tokens=40, prompt=(3,)).sample(1, np.random.default_rng(0))[0]
    assert len(row) > 3
    window = torch.tensor([[10, *row[:14]]])
    with torch.no_grad():
        best = learner.net.forward(window, {})[0, 1:, :12].argmax(1)
    assert best[: len(row) - 1].tolist() == row[1:15].tolist()
