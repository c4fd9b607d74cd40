"""The format of a downloaded file: by `--format`, or by the name of the output file."""

from __future__ import annotations

import sys
from pathlib import PurePath
from typing import IO

import click

from api.cli.failure import RefusedError

format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(["csv", "xlsx"]),
    help="Of the file.  [default: xlsx if its name ends so, else csv]",
)


def is_workbook(format_: str | None, output: IO[bytes]) -> bool:
    """Tell whether to write a workbook.

    Raises:
        RefusedError: it would be written to a terminal.
    """
    if (format_ or PurePath(output.name).suffix.lstrip(".").lower()) != "xlsx":
        return False
    if output.name == "-" and sys.stdout.isatty():
        raise RefusedError("a terminal can't show a workbook: name a file with -o.")
    return True
