"""What may be known of an example: of a flat one any places, of a picture areas as people mask them."""

from __future__ import annotations

import torch

from anew.core.space import Real, Space, Tokens


def drawn(space: Space, partly: float, n: int = 400) -> torch.Tensor:
    return space.regions(n, partly, torch.Generator().manual_seed(0), torch.device("cpu"))


def test_nothing_is_known_of_the_others() -> None:
    for space in (Tokens((3,) * 20), Real((2, 8, 8))):
        known = drawn(space, 0.2)
        assert known.shape == (400, *space.data)
        assert 0.1 < known.flatten(1).any(1).float().mean() < 0.25


def test_colours_of_a_pixel_are_known_together() -> None:
    known = drawn(Real((3, 8, 8)), 1.0)
    assert torch.equal(known[:, 0], known[:, 2])


def test_areas_of_a_picture_hang_together() -> None:
    """Neighbours are alike in most places, unlike in masks of single places; and all kinds occur."""
    known = drawn(Real((1, 16, 16)), 1.0)[:, 0]
    alike = (known[:, 1:] == known[:, :-1]).float().mean((1, 2))
    assert alike.median() > 0.85
    rows, columns = known.all(2).any(1), known.all(1).any(1)
    assert (rows & ~columns).any(), "a side is hidden up or down"
    assert (columns & ~rows).any(), "a side is hidden left or right"
    assert (alike < 0.7).any(), "some places are known one by one"
    assert ((known.float().mean((1, 2)) < 0.5) & (alike > 0.85)).any(), "all but a box is hidden"
