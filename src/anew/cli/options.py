"""Options that several verbs share, each written once."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from anew.core.errors import DataError, UsageError


def _device(name: str | None) -> str | None:
    if name is not None and not re.fullmatch(r"cpu|mps|cuda(:\d+)?", name):
        raise typer.BadParameter(f"{name!r} is none of cpu, cuda, cuda:1 and mps")
    return name


Seed = Annotated[int, typer.Option(help="The same seed gives the same result.")]
Device = Annotated[
    str | None,
    typer.Option(metavar="cpu|cuda|mps", callback=_device, help="Where networks run; found if not named."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan and do nothing.")]
Time = Annotated[str | None, typer.Option(metavar="60s|10m|1h", help="How long learning may take.")]
ModelFolder = Annotated[Path, typer.Argument(metavar="MODEL", help="The folder that `anew fit` wrote.")]
SchemaFile = Annotated[
    Path | None, typer.Option("--schema", metavar="FILE", help="The file that `anew look` wrote, as you edited it.")
]
Learn = Annotated[
    list[str] | None, typer.Option(metavar="COLUMN", help="What to learn: a,b or repeated. All by default.")
]
Given = Annotated[list[str] | None, typer.Option(metavar="COLUMN", help="What is always given: a,b or repeated.")]
Predict = Annotated[str | None, typer.Option(metavar="COLUMN", help="Learn to predict this column as well.")]
Predictors = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="By what: linear, boosted, kernel, mlp, hinge, hinge:kernel; linear,boosted if left out.",
    ),
]
Objective = Annotated[str | None, typer.Option(metavar="NAME", help="See `anew list objectives`.")]
Network = Annotated[str | None, typer.Option(metavar="NAME", help="See `anew list networks`.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Start over; do not resume.")]
More = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="NAME=VALUE", help="A setting of the objective, network or recipe; repeatable."),
]
Base = Annotated[
    str | None,
    typer.Option(metavar="FOLDER", help="Texts start from this model: a Hugging Face folder on your disk."),
]
Lora = Annotated[
    bool, typer.Option("--lora", help="Learn low-rank changes of the base alone; --option lora=16: of that rank.")
]
Size = Annotated[
    str | None,
    typer.Option(
        metavar="PIXELS|HxW", help="Pictures: their long side at most, or height x width; 64 at most if left out."
    ),
]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out pictures that cannot be read, and list them, instead of stopping.")
]
Guidance = Annotated[
    float | None,
    typer.Option(min=0, help="How strongly what is given is obeyed: 1 as learned, 3 strongly (diffusion)."),
]
Prompt = Annotated[str | None, typer.Option(metavar="WORDS", help="What a text begins with.")]
MostTokens = Annotated[int | None, typer.Option("--tokens", min=1, help="Tokens of a text at most: bytes, or pieces.")]
Temperature = Annotated[
    float | None, typer.Option(min=0, help="Of texts: 1 as learned, less keeps to what is likely, 0 the likeliest.")
]
TopP = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="Of texts: draw from the likeliest tokens with so much chance in all."),
]
TopK = Annotated[int | None, typer.Option(min=1, help="Of texts: draw from so many of the likeliest tokens.")]
MinP = Annotated[
    float | None, typer.Option(min=0, max=1, help="Of texts: no token less likely than this share of the likeliest.")
]
Repetition = Annotated[
    float | None, typer.Option(min=1, help="Of texts: to carry on a run written before is so many times less likely.")
]
Stop = Annotated[list[str] | None, typer.Option(metavar="WORDS", help="A text ends before these; repeatable.")]
Regex = Annotated[
    str | None, typer.Option(metavar="EXPRESSION", help="Texts that match this regular expression as a whole, alone.")
]
JsonSchema = Annotated[
    Path | None, typer.Option("--schema", metavar="FILE", help="JSON that is valid under this JSON schema, alone.")
]
Choices = Annotated[
    str | None, typer.Option(metavar="A,B,...", help="One of these texts; in quotes, one may have a comma.")
]
Where = Annotated[
    list[str] | None,
    typer.Option(metavar="CONDITION", help="'sex=F', 'age>=60', 'ward=a|b', 'ward!=c'; repeatable, all must hold."),
]
GivenRows = Annotated[
    str | None,
    typer.Option("--given", metavar="DATA", help="Rows of the columns that the model was fitted given."),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="FILE",
        help="The ending chooses the format, none a folder of pictures; else CSV on stdout.",
    ),
]
Rule = Annotated[
    list[str] | None,
    typer.Option(
        metavar="RULE",
        help="Every row obeys it: 'a <= b', 'total = net + tax', 'unique: ticket', 'together: city, zip'; repeatable.",
    ),
]
RulesFile = Annotated[
    Path | None, typer.Option("--rules", metavar="FILE", help='A schema file, or a file with {"rules": [...]}.')
]
Escape = Annotated[
    bool, typer.Option("--escape-formulas", help="Put ' before CSV cells that a spreadsheet would run (=, +, -, @).")
]


def settings(pairs: list[str] | None) -> dict[str, Any]:
    """`["leaf=20", "smooth=false"]` -> {"leaf": 20, "smooth": False}; what is no JSON is a word."""
    found: dict[str, Any] = {}
    for pair in pairs or ():
        name, equals, value = pair.partition("=")
        if not (equals and name.strip()):
            raise UsageError("--option takes NAME=VALUE", found=pair)
        found[name.strip().replace("-", "_")] = _value(value.strip())
    return found


def started(base: str | None, lora: bool, chosen: dict[str, Any]) -> dict[str, Any]:
    """The settings and what texts start from; a rank that is chosen is more than the word alone."""
    said = {name: value for name, value in (("base", base), ("lora", lora)) if value}
    return {**said, **chosen}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def size(text: str | None) -> int | tuple[int, int] | None:
    """`64` is the long side at most, `48x64` height and width."""
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,4}(x\d{1,4})?", text):
        raise UsageError("--size takes a number of pixels, or height x width", found=text, do="Such as 64 or 48x64")
    height, _, width = text.partition("x")
    return (int(height), int(width)) if width else int(height)


def names(columns: list[str] | None) -> str | list[str] | None:
    """One word may name several columns, `a,b`; a repeated option names one each time, commas and all."""
    return columns[0] if columns is not None and len(columns) == 1 else columns


def added_rules(rule: list[str] | None, file: Path | None) -> list[Any]:
    """The rules of a file and those of the command line."""
    from anew.core.rules import read_rules, rules_of

    return [*(read_rules(file) if file else ()), *rules_of(rule)]


def held(regex: str | None, schema: Path | None, choices: str | None) -> dict[str, Any]:
    """What texts may be, of those that were said."""
    import csv

    listed = None if choices is None else next(csv.reader([choices], skipinitialspace=True), [""])
    said = {"regex": regex, "schema": _content(schema) if schema else None, "choices": listed}
    return {name: value for name, value in said.items() if value is not None}


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"Cannot read the JSON schema {str(file)!r}: {error}") from None
