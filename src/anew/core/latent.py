"""Codes in the place of data: a codec around another, whose only view is what a fitted learner makes of that one's.

Who learns through it learns codes and does not know (Rombach et al. 2022, arXiv 2112.10752): decoding gives data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy.typing as npt

from anew.core.codec import Codec
from anew.core.columns import Bools
from anew.core.learner import Arrays, Compresses, Config
from anew.core.release import Release

D = TypeVar("D")


class Latent(Codec[D]):
    """The codes of `compresses` in place of the data of `inner`, which is read in `view`."""

    def __init__(self, inner: Codec[D], view: str, compresses: Compresses[Any]) -> None:
        super().__init__(inner.schema)
        self.inner, self.view, self.compresses = inner, view, compresses
        self.kinds, self.views = inner.kinds, (compresses.codes.kind,)  # type: ignore[misc]

    def fit(self, data: D, release: Release) -> None:
        """Both sides are fitted before they are put together."""

    def space(self, view: str) -> Any:
        return self.compresses.codes

    def encode(self, data: D, view: str) -> Any:
        return self.compresses.compress(self.inner.encode(data, self.view))

    def encode_partly(self, data: D, unknown: Bools, view: str) -> tuple[Any, Bools]:
        x, known = self.inner.encode_partly(data, unknown, self.view)
        return self.compresses.compress(x), self.compresses.told(known)

    def decode(self, x: Any, view: str) -> D:
        return self.inner.decode(self.compresses.expand(x), self.view)

    def state(self) -> tuple[Config, Arrays]:
        return self.inner.state()

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.inner.restore(config, arrays)
