"""What commands print: tables for people, plain lines or JSON for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def say(text: str) -> None:
    """Print a line of rich markup for the person at the terminal, on stderr."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(text)


def print_json(value: object) -> None:
    """Print a value as JSON on stdout."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table on stdout; tab-separated lines when that is no terminal."""
    console = Console()
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not console.is_terminal:
        for line in [list(columns), *texts]:
            click.echo("\t".join(" ".join(cell.split()) for cell in line))
        return
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for line in texts:
        table.add_row(*[escape(cell) for cell in line])
    console.print(table)
