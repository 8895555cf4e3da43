"""The laws of sequences: causality, a state that equals the full pass, what is scored is what is drawn, gaps.

The example counts upwards, modulo ten, from a random digit on, and ends somewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anew.core.columns import Floats
from anew.core.learner import Completes, Counted, Learner, Samples, Scores, Trained
from anew.core.network import NETWORKS, Based, Causal, Counter, Network
from anew.core.ragged import Ragged
from anew.core.release import exact

if TYPE_CHECKING:
    from anew.core.sequences import Sequences

SIZE, END = 12, 10  # of the vocabulary
CONTEXT = 16
SMALL = {"context": CONTEXT, "width": 16, "depth": 2}
STEPS = 60
ARCHITECTURE = {  # of a base that knows two tokens less than the vocabulary has
    "model_type": "gpt2",
    "vocab_size": SIZE - 2,
    "n_embd": 16,
    "n_layer": 2,
    "n_head": 2,
    "n_positions": 4 * CONTEXT,
    "bos_token_id": None,
    "eos_token_id": None,
}


def small(kind: type[Network]) -> dict[str, Any]:
    """The size of a network of the example."""
    return {"context": CONTEXT, "architecture": ARCHITECTURE} if issubclass(kind, Based) else SMALL


def example_sequences(n: int = 60, seed: int = 0) -> tuple[Sequences, Ragged]:
    from anew.core.sequences import Sequences

    rng = np.random.default_rng(seed)
    rows = [np.append((np.arange(rng.integers(3, 70)) + rng.integers(10)) % 10, END) for _ in range(n)]
    return Sequences((SIZE,), end=END, opening=(END,), most=80), Ragged.of(rows)


# ---------------------------------------------------------------- networks


def check_causal(kind: type[Causal]) -> None:
    """A later token changes no earlier answer, padding none; a state is the full pass; what is given is read."""
    import torch

    from anew.core.batch import Encoded
    from anew.core.space import Tokens

    network = kind(SIZE, given={"table": Tokens((3,))}, **small(kind))
    assert isinstance(network, torch.nn.Module)
    torch.manual_seed(0)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    x = torch.randint(SIZE, (4, CONTEXT))
    given = {"table": Encoded(torch.tensor([[i % 3] for i in range(4)]), torch.ones(4, 1, dtype=torch.bool))}
    with torch.no_grad():
        whole = network(x, given)
        assert whole.shape == (4, CONTEXT, SIZE), "one number a token"
        changed = x.clone()
        changed[:, 9:] = (x[:, 9:] + 1) % SIZE
        other = network(changed, given)
        assert torch.allclose(other[:, :9], whole[:, :9], atol=1e-5), "a later token changes an earlier answer"
        assert not torch.allclose(other[:, 9:], whole[:, 9:], atol=1e-5), "a token changes no answer"
        assert torch.allclose(network(x[:, :7], given), whole[:, :7], atol=1e-5), "padding changes an answer"
        flipped = {"table": Encoded(given["table"].x.flip(0), given["table"].present)}
        assert not torch.allclose(network(x, flipped), whole, atol=1e-5), "what is given is ignored"
        state = network.begin(4, given)
        first = network.step(x[:, :5], state)  # some at once, then one by one
        assert torch.allclose(first, whole[:, 4], atol=1e-4), "a state is not the full pass"
        some = np.array([True, False, True, True])
        for t in range(5, CONTEXT):
            rows = torch.from_numpy(some) if t > 9 else torch.ones(4, dtype=torch.bool)
            state = network.keep(state, some) if t == 10 else state
            said = network.step(x[rows, t : t + 1], state)
            assert torch.allclose(said, whole[rows, t], atol=1e-4), "a state is not the full pass"
        again = network.step(x[some, :5], network.rewind(state))
        assert torch.allclose(again, whole[some, 4], atol=1e-4), "a state does not begin anew"


def check_counter(kind: type[Counter]) -> None:
    """Chances are chances, those that are scored; what was counted is likely, and a restored model says the same."""
    _, docs = example_sequences()
    network, twin = kind(SIZE), kind(SIZE)
    network.count(docs)
    twin.restore(*network.state())
    row = docs[0].astype(np.int64)
    nats, seen = network.log_prob(row, np.arange(len(row)))
    assert np.array_equal(nats, twin.log_prob(row, np.arange(len(row)))[0]), "a restored network answers differently"
    for t in (0, 1, 2, len(row) - 1):
        chances, told = network.chances(row[None, :t])
        assert np.isclose(chances.sum(), 1), "chances add to one"
        assert np.isclose(np.log(chances[0, row[t]]), nats[t]), "what is drawn is not what is scored"
        assert told[0] == seen[t], "how much was seen before is not the same"
    assert nats.mean() > np.log(1 / SIZE) / 3, "what was counted is not likely"


# ---------------------------------------------------------------- objectives


def check_sequences(kind: type[Learner]) -> None:
    """All laws of an objective of sequences, with each network that serves it."""
    serving = [name for name in NETWORKS if kind.serves(NETWORKS[name])]
    assert set(kind.networks) <= set(serving), f"{kind.__name__}: a network it names does not serve it"
    for name in serving:
        learner = fitted(kind, name, infill=0.5)
        check_draws(learner)
        check_written_as_scored(learner)
        check_gaps(learner)
        check_restored(learner, made(kind, name, seed=9, infill=0.5))
        check_told(kind, name)
    first = fitted(kind, kind.networks[0], mix=1)
    check_written_as_scored(first)
    check_restored(first, made(kind, kind.networks[0], seed=9, mix=1))
    _check_loss(made(kind, kind.networks[0]))


def made(kind: type[Learner], network: str, seed: int = 0, **more: Any) -> Learner:
    """A small one, not fitted."""
    space, _ = example_sequences()
    able = kind.variant(network)
    chosen = {**small(NETWORKS[network]), **more}
    known = {*able.settings(), "architecture"}
    options = {name: value for name, value in chosen.items() if name in known}
    learner: Learner = able(space, {}, network=network, seed=seed, **options)  # type: ignore[call-arg]
    return learner


def fitted(kind: type[Learner], network: str, **more: Any) -> Learner:
    from anew.train import Schedule, train
    from anew.windows import Stream

    space, docs = example_sequences()
    learner = made(kind, network, **more)
    source, schedule = Stream(docs, space, CONTEXT), Schedule(STEPS, batch=32, validate_every=30, held=40)
    if isinstance(learner, Counted):
        source.split(schedule)
        learner.count(source.rest, exact())
    if isinstance(learner, Trained):
        losses = [sum(event.losses.values()) for event in train(learner, source, schedule)]
        assert np.mean(losses[-10:]) < np.mean(losses[:5]), "training does not lower the loss"
    return learner


def check_draws(learner: Learner) -> None:
    """Sequences of the vocabulary that end; the same seed repeats, and a row is the same however many are drawn."""
    assert isinstance(learner, Samples)
    many, again, few, other = (
        learner.sample(n, np.random.default_rng(seed)) for n, seed in ((6, 1), (6, 1), (3, 1), (6, 2))
    )
    assert np.array_equal(many.tokens, again.tokens), "the same seed draws the same sequences"
    assert np.array_equal(many.take(range(3)).tokens, few.tokens), "fewer rows are not the first of more"
    assert not np.array_equal(many.tokens, other.tokens), "another seed draws the same"
    assert ((many.tokens >= 0) & (many.tokens < SIZE)).all(), "a draw leaves the vocabulary"
    ends = [np.flatnonzero(many[i] == END) for i in range(6)]
    assert all(len(end) == 0 or end[0] == len(many[i]) - 1 for i, end in enumerate(ends)), (
        "a sequence goes on after its end"
    )
    prompted = learner.drawing(prompt=(3, 4), tokens=5, temperature=0.0).sample(1, np.random.default_rng(0))
    assert prompted[0][:2].tolist() == [3, 4], "a prompt is what a draw begins with"
    assert len(prompted[0]) <= 7, "more tokens than asked for"


def check_written_as_scored(learner: Learner) -> None:
    """log p of a sequence, longer than a context, is the sum of what the learner said while it was read."""
    assert isinstance(learner, Scores)
    _, docs = example_sequences()
    row = next(docs[i] for i in range(len(docs)) if len(docs[i]) > 3 * CONTEXT)
    reader: Any = learner.reader(1, None)  # type: ignore[attr-defined]
    logits, total = reader.read(np.array([[END]])), 0.0
    for token in row:
        z: Floats = logits[0, :SIZE].astype(np.float64)
        total += z[token] - np.logaddexp.reduce(z)
        logits = reader.read(np.array([[token]]))
    scored = learner.log_prob(Ragged.of([row, docs[0]]))
    assert np.isclose(scored[0], total, atol=1e-3), (
        f"what is drawn ({total:.4f}) is not what is scored ({scored[0]:.4f})"
    )
    assert scored[1] == learner.log_prob(docs.take([0]))[0] or np.isclose(
        scored[1], learner.log_prob(docs.take([0]))[0]
    )


def check_gaps(learner: Learner) -> None:
    """What is known is kept on both sides of a gap; what follows is written on."""
    assert isinstance(learner, Completes)
    x, known = Ragged.of([[1, 2, 3, END, 6, 7, END], [1, 2, END], [4, END]]), np.ones(12, bool)
    known[[3, 9]] = False
    if not getattr(learner, "gaps", False):
        x, known = x.take([1, 2]), known[7:]
    drawn = learner.complete(x, known, np.random.default_rng(0))
    assert drawn[len(x) - 1].tolist() == [4, END], "completion changes what is known"
    assert drawn[len(x) - 2][:2].tolist() == [1, 2], "completion changes what is known"
    if len(x) == 3:
        assert drawn[0][:3].tolist() == [1, 2, 3], "completion changes what is known"
        assert drawn[0][-3:].tolist() == [6, 7, END], "completion changes what is known"


def check_restored(learner: Learner, twin: Learner) -> None:
    twin.restore(*learner.state())
    _, docs = example_sequences()
    assert isinstance(learner, Scores)
    assert isinstance(twin, Scores)
    assert np.array_equal(learner.log_prob(docs), twin.log_prob(docs)), "a restored learner scores differently"


def check_told(kind: type[Learner], network: str) -> None:
    """What is told before a sequence is read, in every window; nothing told is nothing there; other rows change none.

    A row longer than a context is drawn as it is scored, beside rows that are told more or less.
    """
    import torch

    from anew.core.batch import Encoded
    from anew.core.sequences import Told
    from anew.testing.losses import check_loss
    from anew.windows import Documents

    if not issubclass(kind.variant(network), Trained):
        return
    space, docs = example_sequences()
    given = {"a": Told((SIZE,), most=20), "b": Told((SIZE,), most=3)}
    learner: Any = kind(space, given, network=network, **small(NETWORKS[network]))  # type: ignore[call-arg]
    torch.manual_seed(1)
    for parameter in learner.module.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    long = next(i for i in range(len(docs)) if len(docs[i]) > 3 * CONTEXT)
    rows = docs.take([long, long, 0, 1])
    tokens, there = torch.arange(80).reshape(4, 20) % 10, torch.ones(4, 20, dtype=torch.bool)
    there[1], there[2, 5:] = False, False  # told by b alone; little
    said = {"a": Encoded(tokens, there), "b": Encoded(tokens[:, :3], there[:, :3])}
    scored = learner.log_prob(rows, said)
    for i in range(4):
        one = {name: part.take(torch.tensor([i])) for name, part in said.items()}
        assert np.isclose(learner.log_prob(rows.take([i]), one)[0], scored[i], atol=1e-3), "another row changes a score"
    nothing = {name: Encoded(part.x, torch.zeros_like(part.present)) for name, part in said.items()}
    silent = learner.log_prob(rows, nothing)
    assert not np.isclose(silent[0], scored[0]), "what is told is ignored"
    assert np.isclose(silent[0], silent[1]), "what is not present is told"
    reader, total = learner.reader(4, said), np.zeros(4)
    logits = reader.read(np.full((4, 1), END))
    for t in range(min(len(rows[0]), len(rows[1]))):
        z: Floats = logits[:, :SIZE].astype(np.float64)
        step = np.array([[rows[i][t] if t < len(rows[i]) else END] for i in range(4)])
        asked = np.array([t < len(rows[i]) for i in range(4)])
        total += asked * (z[np.arange(4), step[:, 0]] - np.logaddexp.reduce(z, 1))
        logits = reader.read(step)
    assert np.allclose(total, scored, atol=1e-3), f"what is drawn ({total}) is not what is scored ({scored})"
    source = Documents(rows, space, CONTEXT, said, told=tuple(said))
    if network == kind.networks[0]:  # an LSTM of torch does not vectorise
        check_loss(learner, source.take(torch.arange(len(source))))


def _check_loss(learner: Learner) -> None:
    import torch

    from anew.testing.losses import check_loss
    from anew.windows import Stream

    space, docs = example_sequences()
    assert isinstance(learner, Trained)
    check_loss(learner, Stream(docs, space, CONTEXT).take(torch.arange(0, 240, 8)))


def laws_of(kind: type[Network]) -> None:
    """Those of a network of sequences, if it is one."""
    if issubclass(kind, Causal):
        check_causal(kind)
    elif issubclass(kind, Counter):
        check_counter(kind)
