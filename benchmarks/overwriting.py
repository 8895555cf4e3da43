"""Inpainting by overwriting: an unconditional draw of the same model, its known pixels pasted back at every step.

The rival of completion that was trained (RePaint without its jumps back: Lugmayr et al. 2022, arXiv 2201.09865). On the
way x_t = (1 - t) x_0 + t x_1 a known pixel stands where the straight line from its noise leads, whatever the network
says, and the network is told of no known pixel. No verb does this, so it reaches into the learner.
"""

from typing import Any

import numpy as np

AT_ONCE = 512
Array = np.ndarray[Any, Any]


def overwritten(model: Any, pictures: Array, hidden: Array, seed: int) -> Array:
    """One draw for each picture (n, H, W, C) bytes, with hidden (n, H, W) of it unknown."""
    starts = range(0, len(pictures), AT_ONCE)
    parts = [_part(model, pictures[i : i + AT_ONCE], hidden[i : i + AT_ONCE], [seed, i]) for i in starts]
    return np.concatenate(parts)


def _part(model: Any, pictures: Array, hidden: Array, seed: list[int]) -> Array:
    import polars as pl
    import torch

    from anew.core.batch import Encoded
    from anew.core.halves import halves
    from anew.core.pixels import column, stack

    factor = model.joint.creating[-1]
    learner, name = factor.learner, factor.plan.learn[0]
    x = factor.encode(pl.DataFrame([column(name, pictures)]))
    known = torch.from_numpy(np.ascontiguousarray(~hidden))[:, None].expand(x.present.shape)
    start = torch.Generator().manual_seed(int(np.random.default_rng(seed).integers(2**31)))
    noise = torch.randn((len(pictures), *learner.space.shape), generator=start)
    with torch.no_grad(), halves(learner.device.type, learner.space.squared):
        e = learner._in_parts(lambda part, seen: _drawn(learner, part, seen), noise, x.x, known, None)
    return stack(factor.decode(Encoded(learner.space.unembed(e), x.present))[name], model.schema[name])


def _drawn(learner: Any, noise: Any, seen: Any) -> Any:
    """From noise to pictures by the learner's own solver, along slopes that hold what is known on its line."""
    import torch

    from anew.objectives._ways import Seen, bent, multistep

    known = learner.space.embed_mask(seen.known)
    free = learner._slope(Seen(seen.e, torch.zeros_like(seen.known), seen.given))

    def slope(point: Any, time: float) -> Any:
        there = torch.where(known, (1 - time) * noise + time * seen.e, point)
        return torch.where(known, seen.e - noise, free(there, time))

    return multistep(slope, noise, bent(learner.steps, 1.0))
