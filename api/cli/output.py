"""What commands print: tables for people, plain lines or JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.cli.printable import printable, printable_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_GAP = 2

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def say(text: str) -> None:
    """Print a line of rich markup for the person at the terminal, on stderr."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(text)


def print_json(value: object) -> None:
    """Print a value as JSON on stdout."""
    click.echo(printable_json(value))


def is_for_people() -> bool:
    """Tell whether stdout is a terminal."""
    return Console().is_terminal


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table on stdout, or tab-separated lines if stdout is no terminal.

    In a terminal that is too narrow for the longest words, each row becomes a list.
    """
    console = Console()
    lines = [
        list(columns),
        *[["" if cell is None else printable(str(cell)) for cell in row] for row in rows],
    ]
    if not console.is_terminal:
        for line in lines:
            # A tab or line break in a cell would shift all that follows it.
            click.echo("\t".join(" ".join(cell.split()) for cell in line))
    elif sum(_longest_word(cells) + _GAP for cells in zip(*lines, strict=True)) > console.width:
        _print_lists(console, lines)
    else:
        _print_rows(console, lines)


def _print_rows(console: Console, lines: Sequence[Sequence[str]]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for cells in zip(*lines, strict=True):
        has_words = any(" " in cell for cell in cells)
        table.add_column(escape(cells[0]), overflow="fold", no_wrap=not has_words)
    for line in lines[1:]:
        table.add_row(*map(escape, line))
    console.print(table)


def _print_lists(console: Console, lines: Sequence[Sequence[str]]) -> None:
    for line in lines[1:]:
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for column, cell in zip(lines[0], line, strict=True):
            if cell:
                table.add_row(escape(column), escape(cell))
        console.print(table, "")


def _longest_word(cells: Iterable[str]) -> int:
    return max(cell_len(word) for cell in cells for word in cell.split() or [""])
