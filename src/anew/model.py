"""A fitted model and its verbs: sample, complete, encode, interpolate, predict, audit. Tables in, tables out."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anew import balance as balanced
from anew import latent, store
from anew.answering import Answering
from anew.balance import Balance
from anew.completion import check_able, complete, faithful, find_gaps
from anew.context import given_and_asked, givens
from anew.core.columns import Floats
from anew.core.errors import AnewWarning, UsageError
from anew.core.rules import Rule, rules_of
from anew.core.schema import Schema
from anew.core.seeds import stream
from anew.core.where import where_of
from anew.data.dataset import Dataset, give_back
from anew.data.masks import read_masks, transparent
from anew.data.origin import Origin
from anew.fitting import Tell, quiet
from anew.interpolation import path
from anew.joint import Draw, Joint, together
from anew.plan import Plan, names_of
from anew.restyling import restyled
from anew.rulebook import Rulebook
from anew.unseen import loose, note_unseen
from anew.writing import pieces

MOST_PICTURES = 2048  # that are created to be compared with real ones: they take long

if TYPE_CHECKING:
    from anew.audit.report import Report

Rules = str | Sequence[str | Mapping[str, object] | Rule] | None  # more rules for one draw, as text, dicts or objects


@dataclass
class Model(Answering):
    """A fitted model: its verbs take and give tables of the kind that it was fitted on."""

    _joint: Joint | None
    schema: Schema
    plan: Plan
    origin: Origin
    provenance: dict[str, Any]
    card: str
    last: Draw | None = None

    @property
    def joint(self) -> Joint:
        if self._joint is None:
            raise UsageError("A dry run has a plan and no model", do="Fit without dry_run")
        return self._joint

    def save(self, path: str | Path) -> None:
        """Writes the model folder, whole or not at all."""
        store.save(
            Path(path), joint=self.joint, schema=self.schema, plan=self.plan, card=self.card, provenance=self.provenance
        )

    # ------------------------------------------------------------ creating

    def sample(
        self,
        n: int | None = None,
        *,
        where: Mapping[str, object] | Iterable[str] | None = None,
        seed: int = 0,
        given: object = None,
        balance: Balance | None = None,
        rules: Rules = None,
        **drawing: Any,
    ) -> Any:
        """n new rows, as a table of the kind fitted on; `where` sets conditions on any columns.

        `where={"sex": "F", "age": (60, None), "ward": ["a", "b"]}`: a value, an interval, any of a list; or
        expressions as on the command line, `["age>=60"]`. `balance="outcome"` draws as many rows of each class,
        `balance={"outcome": {"yes": 0.3, "no": 0.7}}` those shares. `last` then tells the probabilities. Every row
        obeys the rules of the schema, and those of `rules`: `["admitted <= discharged", "unique: ticket"]`.
        Other options are those of the objectives (`draws`): `steps`, few are fast, many are good; `guidance`, how
        strongly what is given is obeyed, 1 as learned; of texts `prompt`, `tokens` at most, `temperature`, `top_k`,
        `top_p`, `min_p`, `repetition`, `stop`, and what texts are held to: `regex`, a JSON `schema`, or `choices`.
        """
        how: dict[str, Any] = {"where": where, "given": given, "balance": balance, "rules": rules, **drawing}
        frame = pl.concat(list(self.stream(n, seed=seed, **how)))
        return give_back(frame, self.schema, self.origin)

    def stream(
        self,
        n: int | None = None,
        *,
        where: Mapping[str, object] | Iterable[str] | None = None,
        seed: int = 0,
        given: object = None,
        balance: Balance | None = None,
        rules: Rules = None,
        **drawing: Any,
    ) -> Iterator[pl.DataFrame]:
        """The same rows as `sample`, block by block, as canonical polars frames; balanced rows are one block."""
        conditions, context = given_and_asked(self.joint, where_of(where), given)
        if n is None:
            n = self._usual(drawing) if given is None or context is None else len(context)
        if n < 1:
            raise UsageError("The number of rows must be at least 1", found=n)
        if context is not None and len(context) == 1:
            context = pl.concat([context] * n)
        if context is not None and len(context) != n:
            raise UsageError("The given rows set how many rows are drawn", found=(n, len(context)), do="Leave out n")
        book = Rulebook(self.joint.codec, rules_of(rules))
        joint = self.joint.drawing(**{name: value for name, value in drawing.items() if value is not None})
        if balance is not None:
            frame, self.last = balanced.sample(
                joint, n, balance, seed=seed, where=conditions, given=context, rules=book
            )
            yield frame
        else:
            draws: list[Draw] = []
            for frame, draw in joint.blocks(n, seed=seed, where=conditions, given=context, rules=book):
                draws.append(draw)
                yield frame
            self.last = together(draws)
        if (self.last.effective or n) < 0.5 * n:
            warnings.warn(
                AnewWarning(
                    f"The condition is so rare that the {n:,} rows are worth "
                    f"{self.last.effective:,.0f} independent ones: some repeat each other in part"
                ),
                stacklevel=3,
            )

    def _usual(self, drawing: Mapping[str, Any]) -> int:
        """How many rows are drawn when nobody says: few of texts, which take long, and one that goes on a prompt."""
        return 1 if drawing.get("prompt") else 10 if any(factor.text for factor in self.joint.factors) else 1000

    def write(
        self,
        *,
        where: Mapping[str, object] | Iterable[str] | None = None,
        seed: int = 0,
        given: object = None,
        **drawing: Any,
    ) -> Iterator[str]:
        """One text, piece by piece while it is written; the options are those of `sample`."""
        conditions, context = given_and_asked(self.joint, where_of(where), given)
        joint = self.joint.drawing(**{name: value for name, value in drawing.items() if value is not None})
        return pieces(joint, seed, conditions, context)

    # ------------------------------------------------------------ completing

    def complete(
        self,
        data: object,
        draws: int = 1,
        seed: int = 0,
        *,
        columns: str | Sequence[str] | None = None,
        rules: Rules = None,
        masks: object = None,
        gap: str | None = None,
        **drawing: Any,
    ) -> Any:
        """The same rows with their empty cells filled by draws from p(unknown | known); what is known stays as it is.

        Columns of the model that the data lacks are filled as well; `columns` names those to fill, and the others
        stay empty. An empty cell means unknown: what is drawn exists. With `draws` > 1, a list of so many tables
        (multiple imputation: Rubin 1987). The rows obey the rules of the schema and those of `rules`. `masks` say
        which pixels of pictures to fill: (H, W) for all, (n, H, W), such by column, or a path; without them, what is
        transparent where the model knows no transparency. Known pixels stay as they are. `gap` is the mark, such as
        "[...]", that stands in texts for what is to be written; at the end of a text it is written on.
        """
        if draws < 1:
            raise UsageError("The number of draws must be at least 1", found=draws)
        check_able(self.joint)
        dataset = self._partly(data)
        fill = names_of(self.schema, columns) or None
        gaps = find_gaps(self.joint, dataset.frame, fill, self._masks(data, masks), gap)
        joint = self.joint.drawing(**{name: value for name, value in drawing.items() if value is not None})
        if not gaps.count:
            warnings.warn(AnewWarning("No cell is empty; there is nothing to complete"), stacklevel=2)
        note_unseen(self.joint, self.schema, gaps.frame)
        here = dataset.origin.kind != "path"
        origin = replace(dataset.origin, rows=dataset.labels) if here else self.origin
        tables = []
        for draw in range(draws):
            frame = complete(joint, gaps, seed=seed, draw=draw, rules=rules_of(rules))
            tables.append(give_back(frame, faithful(self.schema, frame), origin))
        return tables if draws > 1 else tables[0]

    def _masks(self, data: object, masks: object) -> object:
        """Masks as arrays; without any, what is transparent where the model knows no transparency."""
        pictures = [factor.plan.learn[0] for factor in self.joint.factors if factor.picture]
        if not pictures:
            return masks
        if isinstance(masks, str | Path):
            return {name: read_masks(masks, self.schema[name]) for name in pictures[:1]}
        return transparent(data, loose(self.schema), pictures) if masks is None else masks

    # ------------------------------------------------------------ the latent space

    def encode(self, data: object) -> Floats:
        """(n, k) latent codes of rows, about standard normal. The same rows always get the same."""
        factor, _ = latent.encoder(self.joint)
        return latent.encode(self.joint, self._partly(data).frame if factor.picture else self._read(data))

    def decode(self, z: npt.ArrayLike, *, given: object = None, seed: int = 0) -> Any:
        """The rows at latent codes (n, k); identifiers are made by `seed`."""
        codes = np.asarray(z, np.float64)
        factor, _ = latent.encoder(self.joint)
        context = None
        if given is not None:
            context = self._beside(given, len(codes)) if factor.picture else givens(self.joint, given)
        frame = latent.decode(self.joint, codes, context)
        whole = frame if context is None else pl.concat([context, frame], how="horizontal")
        return give_back(self.joint.record.made(whole, 0, seed), self.schema, self.origin)

    def _beside(self, given: object, rows: int) -> pl.DataFrame:
        """What pictures are given, for so many of them: as many rows, or one for all."""
        names = latent.encoder(self.joint)[0].plan.given
        frame = self._partly(given).frame
        frame = frame.select(name for name in names if name in frame.columns)
        if len(frame) not in (1, rows):
            raise UsageError("What is given is one row for all codes, or one for each", found=(len(frame), rows))
        return frame if len(frame) == rows else pl.concat([frame] * rows)

    def interpolate(
        self,
        a: object,
        b: object,
        steps: int = 8,
        range: tuple[float, float] = (0.0, 1.0),  # noqa: A002  the word of the command line
    ) -> Any:
        """Rows on the way from a to b through the latent space, with a first column `t`; outside [0, 1] beyond them.

        a and b are one row each, or n rows each, which are paired. At t = 0 and 1 stand the rows themselves. The
        way is a straight line: no coordinate turns back, what a and b share stays, and it goes on beyond both ends.
        """
        latent.encoder(self.joint)
        frame = path(self.joint, self._partly(a).frame, self._partly(b).frame, steps, range)
        return give_back(frame, faithful(self.schema, frame), self.origin)

    def restyle(
        self, data: object, where: Mapping[str, object] | Iterable[str], *, guidance: float | None = None
    ) -> Any:
        """The same rows with what they were given changed: style transfer, `where={"style": "line art"}`.

        The content is the code of a row under what it was given; decoded under the new condition it takes its style,
        the more of it the higher `guidance` (1: as learned). Columns that the data lacks are left open.
        """
        latent.encoder(self.joint)
        frame = restyled(self.joint, self._partly(data).frame, where_of(where), guidance)
        return give_back(frame, self.schema, self.origin)

    # ------------------------------------------------------------ scoring

    def log_prob(self, data: object) -> Floats:
        """(n,) log-probability of each row in nats: mass for discrete and rounded columns, density for continuous."""
        return self.joint.log_prob(self._read(data))

    # ------------------------------------------------------------ evidence

    def alike(
        self,
        real: pl.DataFrame,
        n: int | None = None,
        *,
        where: Mapping[str, object] | Iterable[str] | None = None,
        seed: int = 0,
    ) -> pl.DataFrame:
        """New rows to compare with real ones: as many, or of pictures a few thousand; given what the real ones are."""
        pictures = any(factor.part for factor in self.joint.factors)
        size = min(len(real), MOST_PICTURES if pictures else len(real)) if n is None else n
        rows = stream("alike", seed).permutation(len(real))[np.arange(size) % len(real)]
        asked = set(self.joint.given) & set(where_of(where))
        given = real.select(self.joint.given)[rows] if self.joint.given and not asked else None
        return pl.concat(list(self.stream(size, where=where, seed=seed, given=given)))

    def audit(
        self,
        train: object,
        holdout: object,
        synthetic: object = None,
        *,
        where: Mapping[str, object] | Iterable[str] | None = None,
        seed: int = 0,
        progress: Tell | None = None,
        measures: Sequence[str] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> Report:
        """Evidence on rows that this model creates (or on `synthetic`) against rows it learned from and fresh ones."""
        from anew.examine import examine

        frames = {
            name: Dataset.open(data, like=self.schema).frame for name, data in (("train", train), ("holdout", holdout))
        }
        rules = where_of(where)
        new = (
            Dataset.open(synthetic, like=self.schema).frame
            if synthetic is not None
            else self.alike(frames["train"], where=where, seed=seed)
        )
        cost = self.provenance.get("cost")
        return examine(
            self.joint,
            self.schema,
            self.plan,
            frames["train"],
            frames["holdout"],
            new,
            where=rules,
            seed=seed,
            tell=progress or quiet,
            measures=measures,
            cost=cost,
            facts={"name": self.provenance.get("data"), "plan": str(self.plan), **(facts or {})},
        )
