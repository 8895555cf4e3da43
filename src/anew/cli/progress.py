"""A progress bar on stderr for whatever takes more than two seconds; plain lines where stderr is no terminal."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

PATIENCE = 2.0  # seconds before anything is shown


class Progress:
    """A context that shows how far the work is; `progress("Learning", 0.3)` is what `anew.fit` calls.

    It shows itself by a timer and not by what it is told, so that work that tells nothing has a moving bar, too.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._stage = "Working"
        self._share: float | None = None
        self._late = False

    def __enter__(self) -> Progress:
        if not self._quiet:
            self._timer = threading.Timer(PATIENCE, self._show)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Takes the bar away: what follows is the answer."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            if self._bar is not None:
                self._bar.stop()
            self._bar = None
            self._quiet = True

    def __call__(self, what: str, share: float | None = None) -> None:
        """What is being done now, and which share of it is done; 0 and None: nobody knows."""
        with self._lock:
            news = _head(what) != _head(self._stage)
            self._stage, self._share = what, share or None
            if self._bar is not None and self._task is not None:
                self._bar.update(self._task, description=what, completed=share or 0.0, total=1.0 if share else None)
            elif news and self._late:
                self._line()

    def above(self, text: str) -> None:
        """A line on stderr that the bar does not overwrite."""
        with self._lock:
            if self._bar is not None:
                self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
            else:
                sys.stderr.write(text + "\n")
                sys.stderr.flush()

    def _line(self) -> None:
        if not self._quiet:
            self.above(f"{_head(self._stage)} ...")

    def _show(self) -> None:
        with self._lock:
            if self._quiet:
                return
            self._late = True
            if not sys.stderr.isatty():
                self._line()
                return
            self._bar = _bar()
            self._task = self._bar.add_task(self._stage, total=1.0 if self._share else None)
            self._bar.update(self._task, completed=self._share or 0.0)
            self._bar.start()


def _head(what: str) -> str:
    """`Training diffusion` of `Training diffusion, step 300, loss 0.512`: a log needs no line a step."""
    return what.split(",", 1)[0]


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    return Bar(*columns, console=Console(stderr=True), transient=True)
