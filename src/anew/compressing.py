"""When a picture is compressed before it is learned, and how coarsely: what `plan.py` asks.

A picture of at most LARGEST pixels a side is learned as it is; a larger one as codes of a picture of at most as many
places as a U-Net works at. An objective that reads only tokens is given those of the codes, a few dozen of them: it
draws them one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anew.core.errors import UsageError
from anew.core.schema import Field

OBJECTIVE, NETWORK = "reconstruction", "pyramid"
LARGEST = 64  # pixels a side that are learned as they are
PLACES = {"Real": 32, "Tokens": 10}  # of a code, a side, at most
USUAL: dict[str, dict[str, int]] = {"Real": {"channels": 4}, "Tokens": {"tokens": 1000}}
SHARE = 0.25  # of the time of a factor
SETTINGS = {"Real": ("compress", "channels"), "Tokens": ("compress", "tokens")}


def read_as(reads: tuple[str, ...]) -> str | None:
    """How an objective reads a picture: as numbers, as tokens, or not at all."""
    return next((view for view in ("Real", "Tokens") if view in reads), None)


def compression(field: Field, view: str, options: Mapping[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """The options of what compresses, none where nothing does, and the options that are left for who learns.

    `compress` says how many pixels a side become one place: 0 forbids it, left out the size of the picture decides.
    """
    asked = {name: value for name, value in options.items() if name in SETTINGS[view]}
    rest = {name: value for name, value in options.items() if name not in asked}
    assert field.size is not None, "the size of a picture is known once it is read"
    longest = max(field.size)
    factor = asked.pop("compress", None)
    if factor is None:
        factor = _factor(longest, PLACES[view]) if view == "Tokens" or longest > LARGEST or asked else 0
    if factor == 0 and view == "Real" and not asked:
        return None, rest
    if factor not in (2, 4, 8, 16, 32) or factor > longest:
        raise UsageError(
            f"compress= is how many pixels a side of {field.name!r} become one place of its code: a power of two",
            found=factor,
            do=f"Use {_factor(longest, PLACES[view])}, or leave it out" + (", or 0 for pixels" * (view == "Real")),
        )
    return {**USUAL[view], **asked, "factor": factor}, rest


def _factor(longest: int, places: int) -> int:
    """The least power of two that leaves at most so many places."""
    factor = 2
    while longest > factor * places:
        factor *= 2
    return factor
