"""The command line is a promise: its verbs and flags are frozen in golden/command_line.txt.

A change is made on purpose: `python tests/test_cli_flags.py` writes the file, and CHANGELOG.md says so.
"""

from __future__ import annotations

from pathlib import Path

import typer.main

from anew.cli.app import app

GOLDEN = Path(__file__).parent / "golden" / "command_line.txt"


def described() -> str:
    lines = []
    for verb, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        lines.append(verb)
        for parameter in command.params:
            names = " ".join([*parameter.opts, *parameter.secondary_opts])
            traits = [name for name in ("required", "multiple", "is_flag") if getattr(parameter, name, False)]
            default = (
                "" if parameter.default is None or parameter.default is False else f" default={parameter.default!r}"
            )
            lines.append(f"  {parameter.param_type_name} {names} {' '.join(traits)}{default}".rstrip())
    return "\n".join(lines) + "\n"


def test_flags_are_frozen() -> None:
    assert described() == GOLDEN.read_text(encoding="utf-8")


def test_every_verb_speaks_json_and_can_be_quiet() -> None:
    for verb, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        flags = {option for parameter in command.params for option in parameter.opts}
        assert {"--json", "--quiet", "--debug"} <= flags, verb


if __name__ == "__main__":
    GOLDEN.write_text(described(), encoding="utf-8")
