"""The verbs, in the order of `anew --help`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from anew.cli import (
    advise,
    audit,
    complete,
    decode,
    encode,
    fit,
    interpolate,
    listing,
    look,
    predict,
    restyle,
    run,
    sample,
)
from anew.cli.outcome import EXIT_CODES, MISUSE, Answer, Finished, print_json, verb

app = typer.Typer(
    name="anew",
    help="Learn a dataset's distribution and create it anew: sample, steer and audit new data.",
    epilog="Exit codes: " + ", ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items()) + ".",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help starts twice as fast and reads the same in a pipe
    context_settings={"help_option_names": ["-h", "--help"]},
)

VERBS: dict[str, Callable[..., Answer]] = {
    "run": run.run,
    "look": look.look,
    "fit": fit.fit,
    "sample": sample.sample,
    "complete": complete.complete,
    "interpolate": interpolate.interpolate,
    "restyle": restyle.restyle,
    "encode": encode.encode,
    "decode": decode.decode,
    "predict": predict.predict,
    "audit": audit.audit,
    "advise": advise.advise,
    "list": listing.listing,
}
for name, command in VERBS.items():
    app.command(name)(verb(command))


def _version(wanted: bool) -> None:
    if wanted:
        from anew import __version__

        typer.echo(f"anew {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Learn a dataset's distribution and create it anew: sample, steer and audit new data."""


def serve(arguments: list[str] | None = None) -> int:
    """Runs one command line and answers its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        app(args=words, prog_name="anew")
    except Finished as stop:
        return int(str(stop.code))
    except SystemExit as stop:  # help was printed, or the words were no command: typer has said so on stderr
        code = int(str(stop.code or 0))
        if code == MISUSE and "--json" in words:
            print_json(
                {"error": {"kind": "UsageError", "message": "the command line is wrong, see stderr"}, "exit_code": code}
            )
        return code
    return 0
