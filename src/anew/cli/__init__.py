"""The command line: `anew VERB INPUT [-o OUT]`. A thin face: words in, one call of `anew`, words out.

A file a verb; `outcome.py` is what they share: where output goes, exit codes, signals.
"""

from __future__ import annotations

from typing import NoReturn


def main() -> NoReturn:
    """The entry point of the `anew` command."""
    from anew.cli.app import serve

    raise SystemExit(serve())
