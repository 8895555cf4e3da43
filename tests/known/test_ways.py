"""Ways from noise to data where the exact path is known: Gaussian data of one deviation."""

from __future__ import annotations

from itertools import pairwise

import torch

from anew.objectives._ways import bent, multistep

DEVIATIONS = (0.05, 0.2, 4.0, 8.0, 16.0)


def drawn(times: list[float], deviation: float) -> float:
    """The deviation of what is drawn from noise of deviation 1, as a share of the true one."""

    def slope(x: torch.Tensor, t: float) -> torch.Tensor:
        return x * (t * deviation**2 - (1 - t)) / (t**2 * deviation**2 + (1 - t) ** 2)

    return float(multistep(slope, torch.ones(1, dtype=torch.float64), times)) / deviation


def even(steps: int) -> list[float]:
    return [i / steps for i in range(steps + 1)]


def test_bent_times_keep_more_of_what_varies_much_and_little() -> None:
    for steps in (4, 8, 16):
        off = {way: [abs(1 - drawn(way(steps, 1.0), s)) for s in DEVIATIONS] for way in (bent, lambda n, _: even(n))}
        better, plain = off.values()
        assert all(a < b for a, b in zip(better, plain, strict=True)), steps


def test_bent_times_go_all_the_way_and_the_error_falls_with_the_square() -> None:
    times = bent(5, 0.98)
    assert times[0] == 0
    assert abs(times[-1] - 0.98) < 1e-12
    assert all(a < b for a, b in pairwise(times))
    errors = [abs(1 - drawn(bent(steps, 1.0), 2.0)) for steps in (64, 128)]
    assert 3 < errors[0] / errors[1] < 5
