"""How much of the machine's rate of matrix products a training step of a language model reaches, in exact FLOPs.

usage: python -m benchmarks.text_training --model DIR [--steps 10]
Counted are the products that the mathematics needs, twice the multiplications, forwards and twice that backwards: of
every matrix with every token, and of queries with the keys they may read; nothing that is made twice, nothing of what
the optimiser does. The rate is that of torch's product of two matrices of 2,048 x 2,048 in bfloat16 where the processor
has instructions for it, else in float32. Both in CPU seconds of one thread. One JSON line.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch

SIDE, ROUNDS = 2048, 8


def products_a_second(halves: bool) -> float:
    """FLOPs a CPU second, the best of some rounds."""
    a, b = (torch.randn(SIDE, SIDE, dtype=torch.bfloat16 if halves else torch.float32) for _ in range(2))
    best = 0.0
    for _ in range(ROUNDS):
        began = time.process_time()
        a @ b
        best = max(best, 2 * SIDE**3 / (time.process_time() - began))
    return best


def flops(net: Any, rows: int, length: int) -> float:
    """Of a step with so many windows."""
    size, width = net.head.weight.shape
    matrices = sum(weight.numel() for weight in net.matrices()) + size * width
    if net.grams is not None:
        matrices += net.grams.lift.weight.numel()
    keys = (length + 1) / 2  # that a query may read, on average
    attention = 2 * keys * width * len(net.layers)
    return 3 * 2 * rows * length * (matrices + attention)


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=10)
    given = parser.parse_args()
    import anew
    from anew.core.batch import Batch, Encoded
    from anew.core.halves import halves
    from anew.train import Schedule, train

    (factor,) = anew.load(given.model).joint.factors
    learner: Any = factor.learner
    torch.set_num_threads(1)
    there = torch.ones(10 * learner.batch, learner.context + 1, dtype=torch.bool)
    known = torch.zeros_like(there)
    known[:, 0] = True
    windows = Batch(Encoded(torch.randint(32, 127, there.shape), there), known)

    class Source:
        """Windows of random letters: what they say changes no cost."""

        def __len__(self) -> int:
            return len(there)

        def take(self, rows: torch.Tensor) -> Batch:
            return windows.take(rows)

    learner.reach = lambda share: setattr(learner, "share", 1.0)  # whole windows from the first step on
    spent, before = [], time.process_time()
    for _ in train(learner, Source(), Schedule(given.steps, batch=learner.batch, validate_every=10**6)):
        spent.append(time.process_time() - before)
        before = time.process_time()
    count = flops(learner.net, learner.batch, learner.context)
    fast = bool(halves("cpu").fast_dtype == torch.bfloat16 and torch.cpu.get_capabilities().get("avx512_bf16", False))
    seconds = sorted(spent[2:])[len(spent[2:]) // 2]
    found = {"flops_a_step": count, "seconds_a_step": seconds, "flops_a_second": count / seconds}
    print(json.dumps(found | {"products_a_second": products_a_second(fast)}))


if __name__ == "__main__":
    main()
