"""What every verb shares: one answer on stdout, everything else on stderr, an exit code, signals.

A verb is a function `(face, ...) -> Answer`. `verb()` makes it a command: it adds `--json --quiet --debug`, prints
the answer, and turns whatever stops the verb into one sentence and an exit code.
"""

from __future__ import annotations

import errno
import functools
import inspect
import json
import math
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Annotated, Any, Concatenate, NoReturn, ParamSpec

import typer

from anew.cli.progress import Progress
from anew.core.errors import AnewError, AnewWarning

P = ParamSpec("P")

MISUSE, DATA, RESOURCE, BUG, INTERRUPTED, PIPE = 2, 3, 4, 70, 130, 141
EXIT_CODES = {
    0: "done",
    1: "a gate said no",
    MISUSE: "misuse",
    DATA: "data error",
    RESOURCE: "not enough resource",
    BUG: "a fault of anew",
    INTERRUPTED: "interrupted",
}


class Finished(SystemExit):
    """A verb has ended and has said what there was to say."""


@dataclass(frozen=True)
class Answer:
    """What a verb found: `data` for `--json`, `text` for people, and the exit code."""

    data: Mapping[str, Any]
    text: str = ""
    exit_code: int = 0


@dataclass
class Face:
    """How the user wants to be spoken to. `say` and `progress` go to stderr, and nowhere when quiet."""

    json: bool = False
    quiet: bool = False
    debug: bool = False
    progress: Progress = field(default_factory=lambda: Progress(quiet=True))

    def say(self, text: str) -> None:
        if not self.quiet and text:
            self.progress.above(text)


def verb(command: Callable[Concatenate[Face, P], Answer]) -> Callable[..., None]:
    """The command of a verb."""
    signature = inspect.signature(command, eval_str=True)
    own = list(signature.parameters.values())[1:]
    shared = list(inspect.signature(_shared, eval_str=True).parameters.values())

    @functools.wraps(command)
    def wrapped(json: bool, quiet: bool, debug: bool, *args: P.args, **kwargs: P.kwargs) -> None:
        face = Face(json, quiet, debug or bool(os.environ.get("ANEW_DEBUG")), Progress(quiet=quiet))
        code = _attempt(face, lambda: command(face, *args, **kwargs))
        raise Finished(code)

    del wrapped.__wrapped__  # typer must see the signature below, not the one with `face`
    wrapped.__annotations__ = {}
    wrapped.__signature__ = signature.replace(parameters=[*own, *shared], return_annotation=None)  # type: ignore[attr-defined]
    return wrapped


def _shared(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes on stderr.")] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where an error came from (or set ANEW_DEBUG=1).")
    ] = False,
) -> None:
    """Only its signature is used."""


def _attempt(face: Face, act: Callable[[], Answer]) -> int:
    try:
        with _signals(), _notes(face), face.progress:
            answer = act()
        _print(face, answer)
    except BrokenPipeError:
        _close_stdout()
        return PIPE
    except (Exception, KeyboardInterrupt) as error:
        code, sentence = explain(error)
        return _fail(face, error, code, sentence)
    return answer.exit_code


def _print(face: Face, answer: Answer) -> None:
    if face.json:
        print_json({**answer.data, "exit_code": answer.exit_code})
    elif answer.text:
        typer.echo(answer.text)
    sys.stdout.flush()


def print_json(data: Mapping[str, Any]) -> None:
    """The one object on stdout; what JSON cannot say (nan, infinities) is null."""
    typer.echo(json.dumps(_plain(data), ensure_ascii=False, indent=2))


def _plain(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case str() | int() | None:
            return value
        case Mapping():
            return {str(key): _plain(part) for key, part in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(part) for part in value]
        case _ if callable(getattr(value, "item", None)):  # a scalar of numpy
            return _plain(value.item())
        case _:
            return str(value)


def explain(error: BaseException) -> tuple[int, str]:
    """The exit code and the sentence for whatever stopped a verb."""
    match error:
        case AnewError():
            return error.exit_code, str(error)
        case KeyboardInterrupt():
            return (
                INTERRUPTED,
                "Interrupted. Nothing that was finished is lost; the same command resumes or starts again.",
            )
        case MemoryError():
            return RESOURCE, "There is not enough memory. Give fewer rows, or a machine with more."
        case OSError() if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return RESOURCE, f"The disk is full: {error}. Make room and give the same command again."
        case OSError() if error.errno is not None:
            what = f"{error.strerror}: {error.filename!r}" if error.filename else str(error)
            return DATA, f"A file could not be used: {what}."
        case _:
            kind = type(error).__name__
            return BUG, (
                f"This is a fault of anew, not of your data: {kind}: {error}. "
                "Please report it with what `--debug` prints."
            )


def _fail(face: Face, error: BaseException, code: int, sentence: str) -> int:
    if face.debug:
        traceback.print_exception(error, file=sys.stderr)
    typer.echo(f"anew: {sentence}", err=True)
    if face.json:
        print_json({"error": {"kind": type(error).__name__, "message": sentence}, "exit_code": code})
    return code


def _close_stdout() -> None:
    """Who read our output has gone: point stdout at nothing, so that closing it at exit raises nothing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _signals() -> Iterator[None]:
    """SIGTERM stops a verb as Ctrl-C does: the checkpoint is kept."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _notes(face: Face) -> Iterator[None]:
    """Our warnings are notes for the user; those of libraries are for developers."""

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        if issubclass(category, AnewWarning):
            face.say(f"note: {message}")
        elif face.debug:
            face.say(f"{category.__name__}: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", AnewWarning)
        warnings.showwarning = show
        yield
