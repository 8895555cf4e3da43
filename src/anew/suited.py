"""Which objectives are made for which columns: pictures, texts, or what stands in the cells of a table."""

from __future__ import annotations

from anew.compressing import read_as
from anew.core.errors import UsageError
from anew.core.learner import Samples
from anew.core.schema import Schema
from anew.planned import OBJECTIVES

VIEWS = {"text": ("Sequence", "Tokens")}  # in which objectives learn what is no cell of a table
NEVER_CELLS = frozenset({"Sequence"})
USUAL = {"image": "diffusion", "text": "next_token"}  # objectives; cells are learned by the chain


def about(schema: Schema, fields: tuple[str, ...], objective: str | None) -> str | None:
    """Of which kind the columns are that the choices of a user are about: "image", "text", or None: scalars.

    They are about pictures where there are any; about texts, unless the objective is made for the cells beside them.
    """
    kinds = {schema[name].kind for name in fields}
    if "image" in kinds:
        return "image"
    cells = objective is not None and VIEWS["text"][0] not in OBJECTIVES[objective].reads
    return "text" if "text" in kinds and (not cells or kinds == {"text"}) else None


def check_reads(objective: str, kind: str, learn: tuple[str, ...]) -> None:
    """Whether the objective learns such columns: pictures, texts or what stands in cells."""
    if not _learns(objective, kind):
        what = {"image": "pictures", "text": "texts"}.get(kind, "columns of a table")
        able = [o for o in OBJECTIVES if issubclass(OBJECTIVES[o], Samples) and _learns(o, kind)]
        raise UsageError(
            f"The objective {objective} does not learn {what}",
            found=learn[0],
            do=f"Objectives that do: {', '.join(able)}",
        )


def in_positions(objective: str, kind: str) -> bool:
    """Whether what is learned of such a column are positions that share one vocabulary: texts as a whole."""
    return kind in VIEWS and VIEWS[kind][0] not in OBJECTIVES[objective].reads


def _learns(objective: str, kind: str) -> bool:
    reads = set(OBJECTIVES[objective].reads)
    if kind == "image":
        return read_as(OBJECTIVES[objective].reads) is not None
    return bool(reads & set(VIEWS[kind])) if kind in VIEWS else bool(reads - NEVER_CELLS)
