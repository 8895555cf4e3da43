"""The laws of networks: shapes, rows that do not see each other, what is given is read."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from anew.codecs.table import Table
from anew.core.columns import Cells, Columns
from anew.core.network import Conditional, Module, Network, Predictor
from anew.testing.examples import example_table
from anew.testing.sequences import laws_of


def check_network(kind: type[Network]) -> None:
    """A module maps shapes to shapes, row by row, and reads its conditions; a predictor answers what it learned."""
    if issubclass(kind, Predictor):
        _check_predictor(kind)
    elif issubclass(kind, Module):
        _check_module(kind)
    elif issubclass(kind, Conditional):
        _check_conditional(kind)
    else:
        laws_of(kind)
    reader = kind.reader()
    if reader is not None and reader is not kind:  # what answers in its manner
        for x, out in SHAPES[:2]:
            _check_shapes(reader, x, out)
            _check_parts(reader, x, out)


SHAPES = [  # flat, a picture, one to be padded, a picture to flat and back, to a smaller one and back
    ((5,), (4,)),
    ((1, 8, 8), (1, 8, 8)),
    ((3, 6, 9), (2, 1, 6, 9)),
    ((1, 8, 8), (2, 4)),
    ((5,), (2, 1, 8, 8)),
    ((3, 9, 6), (4, 3, 2)),
    ((4, 3, 2), (3, 9, 6)),
]


def _check_module(kind: type[Module]) -> None:
    serves = [shapes for shapes in SHAPES if kind.fits(*shapes)]
    assert serves, f"{kind.__name__} serves no shape of {SHAPES}"
    for x, out in serves:
        _check_shapes(kind, x, out)
        _check_parts(kind, x, out)


def _check_shapes(kind: type[Module], shape: tuple[int, ...], end: tuple[int, ...]) -> None:
    import torch

    from anew.core.batch import Encoded
    from anew.core.space import Mixed

    space = Mixed(reals=2, sizes=(3,))
    network = kind(shape, end, given={"table": space}, timed=True, width=16, depth=2)
    assert isinstance(network, torch.nn.Module)
    torch.manual_seed(0)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    x, time = torch.randn(6, *shape), torch.rand(6)
    given = Encoded(torch.tensor([[0.1, 0.2, i % 3] for i in range(6)]), torch.ones(6, 3, dtype=torch.bool))
    out = network(x, {"table": given}, time)
    assert out.shape == (6, *end), "the output has the shape asked for"
    alone = network(x[2:3], {"table": given.take(torch.tensor([2]))}, time[2:3])
    assert torch.allclose(out[2:3], alone, rtol=1e-4, atol=1e-5), "a row depends on its batch"
    changed = Encoded(given.x + torch.tensor([1.0, 0.0, 0.0]), given.present)
    assert not torch.allclose(out, network(x, {"table": changed}, time)), "what is given is ignored"
    assert not torch.allclose(out, network(x, {"table": given}, time.flip(0))), "the time is ignored"


def _check_parts(kind: type[Module], shape: tuple[int, ...], end: tuple[int, ...]) -> None:
    """Pictures and words beside it are read; what is not present changes nothing, whatever stands there."""
    import torch

    from anew.core.batch import Encoded
    from anew.core.space import Real, Tokens

    parts = {"scan": Real((1, 7, 6)), "words": Tokens((5, 5, 5), alike=True)}
    if len(shape) > 2:
        parts["twin"] = Real((2, *shape[-2:]))  # of the same size
    network = kind(shape, end, given=parts, width=16, depth=1)
    assert isinstance(network, torch.nn.Module)
    torch.manual_seed(0)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    x = torch.randn(4, *shape)
    data = {"scan": torch.randn(4, 1, 7, 6), "words": torch.randint(5, (4, 3))}
    data |= {"twin": torch.randn(4, *parts["twin"].shape)} if "twin" in parts else {}
    here = {name: Encoded(value, torch.rand(value.shape) < 0.8) for name, value in data.items()}
    out = network(x, here)
    for name, part in here.items():
        other = Encoded(torch.where(part.present, part.x, (part.x + 1) % 5), part.present)
        assert torch.allclose(out, network(x, {**here, name: other}), atol=1e-5), f"what is missing in {name} is read"
        moved = Encoded((part.x + 1) % 5, part.present)
        assert not torch.allclose(out, network(x, {**here, name: moved}), atol=1e-5), f"{name} is ignored"


def _check_conditional(kind: type[Conditional]) -> None:
    """The laws where each position has a vocabulary of its own, and where all share one."""
    for sizes, alike in (((3, 5, 2, 4), False), ((4, 4, 4, 4), True)):
        _check_positions(kind, sizes, alike)


def _check_positions(kind: type[Conditional], sizes: tuple[int, ...], alike: bool) -> None:
    """A position knows what it sees and nothing else, reads what is given, and step by step is the whole pass."""
    import torch

    from anew.core.batch import Encoded
    from anew.core.space import Tokens

    space, other = Tokens(sizes, alike=alike), Tokens((3,))
    network = kind(space, given={"table": other}, width=16, depth=2)
    assert isinstance(network, torch.nn.Module)
    torch.manual_seed(0)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    x = torch.stack([torch.randint(size, (6,)) for size in space.sizes], 1)
    turn = torch.rand(6, 4)
    sees = turn[:, :, None] > turn[:, None, :]
    given = {"table": Encoded(torch.tensor([[i % 3] for i in range(6)]), torch.ones(6, 1, dtype=torch.bool))}
    out = network(x, sees, given)
    assert out.shape == (6, sum(sizes)), "one number a token"
    for i, size in enumerate(space.sizes):
        changed = x.clone()
        changed[:, i] = (x[:, i] + 1) % size
        moved = (network(changed, sees, given) - out).abs() > 1e-5
        for j, (low, high) in enumerate(pairwise(space.offsets)):
            assert torch.equal(moved[:, low:high].any(1), sees[:, j, i]), "a position knows what it does not see"
    flipped = {"table": Encoded(given["table"].x.flip(0), given["table"].present)}
    assert not torch.allclose(out, network(x, sees, flipped)), "what is given is ignored"
    below = torch.ones(1, 4, 4).tril(-1).bool()
    whole, everywhere = network(x, below, given), torch.ones(6, dtype=torch.bool)
    known = torch.zeros(6, 4, dtype=torch.bool)
    known[:, 0] = True
    state = network.begin(x, known, given)
    for j, (low, high) in list(enumerate(pairwise(space.offsets)))[1:]:
        assert torch.allclose(network.logits(state, j), whole[:, low:high], atol=1e-5), "a step is not the whole pass"
        state = network.see(state, j, x[:, j], everywhere)


def _for_prediction(table: Table) -> tuple[Table, Columns]:
    """The example with `smoker` last, and as a space of what is given and that."""
    part = table.select([*(f.name for f in table.learned if f.name != "smoker"), "smoker"])
    space: Columns = part.space("Columns")
    return part, Columns(space.grids, space.names, given=len(space) - 1)


def _check_predictor(kind: type[Predictor]) -> None:
    table, frame = example_table(600)
    part, space = _for_prediction(table)
    cells: Cells = part.encode(frame, "Columns")
    inputs, features = cells.columns(slice(0, space.given)), space.select(range(space.given))
    rng = np.random.default_rng(0)
    truth = np.nan_to_num(inputs.positions[:, 1])
    plain = (truth > np.median(truth)).astype(np.int32)
    for loss in sorted(kind.losses):
        network, twin = kind(), kind()
        if loss == "squared":
            network.fit_values(inputs, features, truth + rng.normal(0, 0.1, len(truth)), 0)
        else:
            network.fit_classes(inputs, features, plain, 2, 0, loss)
        answer = network(inputs, features)
        twin.restore(*network.state())
        assert np.array_equal(answer, twin(inputs, features)), "a restored network answers differently"
        right = np.corrcoef(answer, truth)[0, 1] if loss == "squared" else np.mean((answer[:, 1] > 0.5) == plain)
        assert right > 0.9, f"{loss}: it does not learn what is plain to see: {right:.2f}"
