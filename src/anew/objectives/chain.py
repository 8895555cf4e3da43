"""The chain rule: p(x) = prod_j p(x_j | x_1, ..., x_{j-1}), each factor a solver that is fitted at once.

From a factor's draws, probabilities and restrictions follow all that the chain can do: samples, by drawing column after
column; scores, by adding logarithms; conditions on any subset of columns, by particles. A particle is a row in
the making: at a column with a condition A_j it is drawn from p(x_j | x_<j, x_j in A_j) and its weight is multiplied
by p(x_j in A_j | x_<j). The mean weight is an unbiased estimate of the probability of the whole condition, and rows
resampled by weight follow p(x | x in A) (sequential importance sampling: Liu and Chen 1998; systematic resampling:
Kitagawa 1996). On tables: sequential CART synthesis (Reiter 2005).

Shapes: n rows, d columns, P particles.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.columns import Allowed, Bools, Cells, Columns, Floats
from anew.core.errors import ConditionError
from anew.core.learner import Arrays, Completes, Conditions, Config, Drawn, Encodes, Samples, Scores, Solved
from anew.core.network import NETWORKS, Network
from anew.core.release import Release
from anew.core.seeds import stream
from anew.networks._growing import Growth
from anew.networks._parents import parents_of
from anew.networks.trees import Trees
from anew.objectives._particles import Filled, fill
from anew.objectives._resampling import pool, scaled, systematic

MOST_PARENTS = 32  # columns that a column is learned from, at the most
POOL = 1024  # particles that are drawn at once, at least
BUDGET = 256  # particles for each row asked for, at most
PER_ROW = 64  # particles for each row of given columns
EDGE = 1e-15  # of ranks: latent coordinates stay within 8 deviations
COST = 1.5e-7  # CPU seconds of a tree for each row and each pair of columns, measured on five tables
USUAL, MOST = Growth().trees, 32  # trees a column when no time is given, and at the most
PATIENCE = 120.0  # CPU seconds of a fit for which no time is given, at the most


class Chain(Solved, Samples[Cells], Scores[Cells], Conditions[Cells], Completes[Cells], Encodes[Cells]):
    """One conditional distribution a column, each given the columns before it."""

    aliases = ("cart", "trees")
    reads = ("Columns",)
    minimises = "the negative log-likelihood of each column given those before it"

    def __init__(
        self, space: Columns, *, network: str = "trees", seed: int = 0, threads: int = 1, **options: Any
    ) -> None:
        super().__init__(space, seed=seed, threads=threads, **options)
        kind = NETWORKS[network]
        assert issubclass(kind, Trees), f"{network} gives no conditional distribution: plan.py asks serves() first"
        self.factors = [kind(**options) for _ in space.learned]

    @classmethod
    def serves(cls, network: type[Network]) -> bool:
        return issubclass(network, Trees)

    @classmethod
    def settings(cls) -> dict[str, type]:
        return {field.name: type(field.default) for field in fields(Growth)}

    @classmethod
    def sized(cls, rows: int, columns: int, cpu_seconds: float | None) -> Config:
        """As many trees a column as the time allows: a tree of all columns costs about COST rows columns^2."""
        most = USUAL if cpu_seconds is None else MOST
        pairs = max(columns, 1) * min(max(columns, 1), 2 * MOST_PARENTS)
        afforded = (cpu_seconds or PATIENCE) / (COST * max(rows, 1) * pairs)
        return {"trees": int(min(max(afforded, 1), most))}

    def solve(self, cells: Cells, release: Release) -> None:
        """Fits every factor; columns do not wait for each other, so threads share them."""
        parents = parents_of(cells, self.space, MOST_PARENTS, stream("parents", self.seed))

        def fit(j: int) -> None:
            factor, grid = self.factors[j - self.space.given], self.space.grids[j]
            factor.parents = parents[j]
            factor.fit(
                factor.sees(cells, j),
                self._seen(factor, j),
                grid,
                cells.codes[:, j],
                cells.positions[:, j],
                self.space.names[j],
                release,
                stream("column", self.seed, j),
            )

        with ThreadPoolExecutor(max(self.threads, 1)) as pool:
            list(pool.map(fit, reversed(self.space.learned)))  # the widest first: they take longest

    def _columns(self) -> Iterator[tuple[int, Trees]]:
        """Each learned column and its solver, in order."""
        return zip(self.space.learned, self.factors, strict=True)

    def _seen(self, factor: Trees, j: int) -> Columns:
        return self.space.select(range(j) if factor.parents is None else factor.parents)

    # ---------------------------------------------------------------- draws and scores

    def sample(self, n: int, rng: np.random.Generator, given: Cells | None = None) -> Cells:
        rows = self._begin(n, given)
        for j, factor in self._columns():
            rows.codes[:, j], rows.positions[:, j] = factor.draw(factor.sees(rows, j), rng)
        return self._learned(rows)

    def log_prob(self, x: Cells, given: Cells | None = None) -> Floats:
        whole = self._whole(x, given)
        total = np.zeros(len(x))
        for j, factor in self._columns():
            codes, grid = whole.codes[:, j], self.space.grids[j]
            total += factor.log_prob(factor.sees(whole, j), codes, whole.positions[:, j])
            total += np.append(grid.log_base, 0.0)[np.maximum(codes, -1)]
        return total

    # ---------------------------------------------------------------- completion and the latent space

    def complete(self, x: Cells, known: Bools, rng: np.random.Generator, given: Cells | None = None) -> Cells:
        return self.fill(x, known, rng, given).x

    def fill(self, x: Cells, known: Bools, rng: np.random.Generator, given: Cells | None = None) -> Filled:
        """As `complete`, with the effective sample size of each row's particles."""
        whole, held = self._whole(x, given), np.hstack([np.ones((len(x), self.space.given), bool), known])
        filled = fill(whole, held, self.space.given, self.factors, rng)
        return Filled(self._learned(filled.x), filled.effective)

    def encode(self, x: Cells, given: Cells | None = None) -> Floats:
        """Rosenblatt: z_j = Phi^-1(F(x_j | x_<j)), independent standard normals if the chain is right."""
        from scipy.special import ndtri

        whole = self._whole(x, given)
        u = np.empty((len(x), len(self.space.learned)))
        for i, (j, factor) in enumerate(self._columns()):
            u[:, i] = factor.ranks(factor.sees(whole, j), whole.codes[:, j], whole.positions[:, j])
        return np.asarray(ndtri(np.clip(u, EDGE, 1 - EDGE)))

    def decode(self, z: Floats, given: Cells | None = None) -> Cells:
        from scipy.special import ndtr

        rows, u = self._begin(len(z), given), np.clip(ndtr(z), EDGE, 1 - EDGE)
        for i, (j, factor) in enumerate(self._columns()):
            rows.codes[:, j], rows.positions[:, j] = factor.at_ranks(factor.sees(rows, j), u[:, i])
        return self._learned(rows)

    def _whole(self, x: Cells, given: Cells | None) -> Cells:
        return x if given is None or not self.space.given else Cells.beside(given, x)

    def _begin(self, n: int, given: Cells | None) -> Cells:
        rows = Cells.empty(n, len(self.space))
        if given is not None:
            rows.codes[:, : self.space.given] = given.codes
            rows.positions[:, : self.space.given] = given.positions
        return rows

    def _learned(self, rows: Cells) -> Cells:
        return rows.columns(slice(self.space.given, None)) if self.space.given else rows

    # ---------------------------------------------------------------- conditions

    def sample_where(
        self, n: int, where: Mapping[int, Allowed], rng: np.random.Generator, given: Cells | None = None
    ) -> Drawn[Cells]:
        if given is not None and self.space.given:
            rows, log_weight, picked = self._for_each(n, where, rng, given)
        else:
            rows, log_weight = self._pool(n, where, rng)
            picked = systematic(scaled(log_weight), n, rng)
        top = log_weight.max(initial=-np.inf)
        if not np.isfinite(top):
            raise _impossible(self.space, where)
        weight = np.exp(log_weight - top)
        effective = weight.sum() ** 2 / (weight**2).sum() * min(1.0, n / len(weight) if given is not None else 1.0)
        chance = float(np.exp(top) * weight.mean() * self._density(where))
        return Drawn(
            self._learned(rows.take(picked)),
            chance,
            float(min(effective, n)),
            any(rule.density for rule in where.values()),
        )

    def _pool(self, n: int, where: Mapping[int, Allowed], rng: np.random.Generator) -> tuple[Cells, Floats]:
        """Particles until n rows can be resampled without a duplicate, or the budget is spent."""
        parts, log_weight = pool(lambda size: self._particles(size, where, rng, None), n, max(n, POOL), BUDGET)
        return Cells.stack(parts), log_weight

    def _particles(
        self, size: int, where: Mapping[int, Allowed], rng: np.random.Generator, given: Cells | None
    ) -> tuple[Cells, Floats]:
        """Rows drawn under the condition column by column, and their log weights (P,)."""
        rows, log_weight = self._begin(size, given), np.zeros(size)
        for j, factor in self._columns():
            before = factor.sees(rows, j)
            if j not in where:
                rows.codes[:, j], rows.positions[:, j] = factor.draw(before, rng)
                continue
            rows.codes[:, j], rows.positions[:, j], chance = factor.draw_where(before, where[j], rng)
            with np.errstate(divide="ignore"):
                log_weight += np.log(chance)
        return rows, log_weight

    def _for_each(
        self, n: int, where: Mapping[int, Allowed], rng: np.random.Generator, given: Cells
    ) -> tuple[Cells, Floats, npt.NDArray[np.intp]]:
        """PER_ROW particles for each given row, and the one picked for it by weight."""
        repeated = given.take(np.repeat(np.arange(n), PER_ROW))
        rows, log_weight = self._particles(n * PER_ROW, where, rng, repeated)
        with np.errstate(divide="ignore"):
            race = log_weight - np.log(rng.standard_exponential(len(log_weight)))  # the first arrival wins by weight
        return rows, log_weight, race.reshape(n, PER_ROW).argmax(1) + PER_ROW * np.arange(n)

    def _density(self, where: Mapping[int, Allowed]) -> float:
        """Turns the mass of a bin into the density of one value in it, for equality with a continuous number."""
        bases = [self.space.grids[j].log_base[rule.cell[0]] for j, rule in where.items() if rule.density]
        return float(np.exp(sum(bases)))

    # ---------------------------------------------------------------- state

    def state(self) -> tuple[Config, Arrays]:
        config: Config = {"factors": [], "parents": [factor.parents for factor in self.factors]}
        arrays: Arrays = {}
        for i, factor in enumerate(self.factors):
            own, held = factor.state()
            config["factors"].append(own)
            arrays |= {f"{i}.{name}": array for name, array in held.items()}
        return config, arrays

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        parts: dict[str, Arrays] = defaultdict(dict)
        for name, array in arrays.items():
            owner, _, rest = name.partition(".")
            parts[owner][rest] = array
        for i, (j, factor) in enumerate(self._columns()):
            factor.parents = config["parents"][i]
            factor.restore(config["factors"][i], parts[str(i)], self.space.grids[j], self._seen(factor, j))


def _impossible(space: Columns, where: Mapping[int, Allowed]) -> ConditionError:
    return ConditionError(
        "The conditions together have probability zero under the model",
        found=[space.names[j] for j in where],
        do="Loosen one of them",
    )
