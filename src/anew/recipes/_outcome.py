"""What every recipe leaves: a story (page and JSON), tables, perhaps an audit and a model; saved as one folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from anew import store
from anew.api import Model

if TYPE_CHECKING:
    import polars as pl

    from anew.audit.report import Report
    from anew.audit.story import Story


Kind = TypeVar("Kind", bound="Outcome")


@dataclass(frozen=True)
class Outcome:
    """`story` is the answer; `tables` go beside it as CSV, or as a folder where they hold pictures.

    `files` are written as they are; `figures` are the numbers by name.
    """

    story: Story
    model: Model | None = None
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    audit: Report | None = None
    folder: Path | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def figures(self) -> Mapping[str, Any]:
        return self.story.figures

    def to_dict(self) -> dict[str, Any]:
        return {
            "headline": self.story.headline,
            "figures": dict(self.figures),
            "folder": str(self.folder) if self.folder else None,
            "files": self._files(),
        }

    def _files(self) -> list[str]:
        audit = ["audit.html", "audit.json"] if self.audit else []
        model = ["model"] if self.model else []
        tables = [_place(name, frame) for name, frame in self.tables.items()]
        return ["report.html", "report.json", *audit, *tables, *self.files, *model]

    def save(self, folder: Path) -> None:
        """Writes the folder: the story, the audit, the tables and the model."""
        from anew.data.formats.frames import write

        with store.guarded(f"the folder {str(folder)!r}"):
            folder.mkdir(parents=True, exist_ok=True)
            for name, page in (("report", self.story), ("audit", self.audit)):
                if page is not None:
                    store.write_bytes(folder / f"{name}.html", page.to_html().encode())
                    store.write_bytes(folder / f"{name}.json", page.to_json().encode())
            for name, content in self.files.items():
                store.write_bytes(folder / name, content)
        for name, frame in self.tables.items():
            write(frame, folder / _place(name, frame))
        if self.model is not None:
            self.model.save(folder / "model")

    def __str__(self) -> str:
        if self.folder is None:
            return str(self.story)
        return "\n".join([str(self.story), "", *(f"  {self.folder / name}" for name in self._files())])

    def _repr_html_(self) -> str:
        return self.story._repr_html_()


def _place(name: str, frame: pl.DataFrame) -> str:
    """A file for a table, a folder for pictures."""
    from anew.data.formats._pictures_out import columns_of

    return name if columns_of(frame) else f"{name}.csv"


def saved(outcome: Kind, out: str | Path | None) -> Kind:
    """The outcome, written when a folder was named."""
    if out is None:
        return outcome
    outcome.save(Path(out))
    return replace(outcome, folder=Path(out))
