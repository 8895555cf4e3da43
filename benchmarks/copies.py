"""Copied rows against their natural rate.

Fresh real rows repeat training rows by chance: `dup_test_in_train` of the ruler. From the number of such test rows
follows an upper bound of the natural rate (Clopper-Pearson, one-sided, 95 %): a generator whose share lies above it
copies.
"""

from math import exp, fsum, lgamma, log, log1p


def binomial_cdf(k: int, n: int, p: float) -> float:
    """Probability of k or fewer of n at rate p, 0 < p < 1."""
    log_choose = lgamma(n + 1)
    return fsum(
        exp(log_choose - lgamma(i + 1) - lgamma(n - i + 1) + i * log(p) + (n - i) * log1p(-p)) for i in range(k + 1)
    )


def natural_bound(repeats: int, rows: int, confidence: float = 0.95) -> float:
    """The rate at which `repeats` or fewer among `rows` has probability 1 - confidence: no higher one is plausible."""
    if not 0 <= repeats <= rows or rows < 1:
        raise ValueError(f"repeats must lie in 0..rows and rows be positive. Got repeats={repeats!r}, rows={rows!r}.")
    if repeats == rows:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(60):  # bisection: the probability falls as p grows
        middle = (low + high) / 2
        low, high = (middle, high) if binomial_cdf(repeats, rows, middle) > 1 - confidence else (low, middle)
    return high
