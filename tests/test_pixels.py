"""Pictures as cells of a column."""

from __future__ import annotations

import numpy as np
import pytest

from anew.core.errors import DataError
from anew.core.pixels import column, stack
from anew.core.schema import Field


@pytest.mark.parametrize(("mode", "channels", "dtype"), [("L", 1, "u1"), ("RGBA", 4, "u1"), ("I;16", 1, "<u2")])
def test_a_column_holds_pictures_and_gives_them_back(mode: str, channels: int, dtype: str) -> None:
    field = Field(name="scan", kind="image", dtype="Binary", size=(3, 5), mode=mode)
    top = np.iinfo(dtype).max
    pixels = np.random.default_rng(0).integers(0, top, (4, 3, 5, channels), endpoint=True).astype(dtype)
    gone = np.array([False, True, False, False])
    cells = column("scan", pixels, gone)
    back = stack(cells, field)
    assert cells.null_count() == 1
    assert (back[~gone] == pixels[~gone]).all()
    assert not back[1].any()


def test_a_picture_of_another_size_is_refused() -> None:
    field = Field(name="scan", kind="image", dtype="Binary", size=(3, 5), mode="L")
    with pytest.raises(DataError, match="another size"):
        stack(column("scan", np.zeros((2, 4, 5, 1), np.uint8)), field)


def test_a_schema_without_the_size_of_its_pictures_is_refused() -> None:
    with pytest.raises(DataError, match="lacks its size or mode"):
        stack(column("scan", np.zeros((2, 4, 5, 1), np.uint8)), Field(name="scan", kind="image", dtype="Binary"))
