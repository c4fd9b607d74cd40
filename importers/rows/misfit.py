"""Rows whose cells are not those of the header's columns."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from importers.reading.delimited import DELIMITERS
from importers.sdk.columns import column_name
from importers.sdk.errors import ErrorDetail

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def misfit(cells: Sequence[str], header: Sequence[str], width: int) -> ErrorDetail | None:
    """Return the error of a row that has more cells than the header, or is one cell, or the header.

    Args:
        header: the names as the file writes them.
        width: how many cells a row has.
    """
    if _repeats(cells, header):
        message = "The row repeats the header, as where files were joined; delete it."
        return ErrorDetail(code="REPEATED_HEADER", message=message)
    # The line is in one pair of quotes, or has delimiters other than those of the header.
    if len(cells) == 1 < width and any(each in cells[0] for each in DELIMITERS):
        fault = "The row is a single cell that holds several values. Separate them as the header's"
        fault += " names are; if one pair of quotes is round the row as a whole, take it away, and"
        message = fault + " halve the quotes within."
        return ErrorDetail(code="BAD_QUOTING", message=message)
    if any(cell.strip() for cell in cells[width:]):
        cause = "is there a delimiter in a text that has no quotes around it?"
        template = "The row has {cells} cells, the header {columns}: " + cause
        return ErrorDetail.of("TOO_MANY_CELLS", template, cells=len(cells), columns=width)
    return None


def may_repeat_header(rows: Iterable[Sequence[str]], header: Sequence[str]) -> bool:
    """Tell whether any row could be the header again; each has as many cells."""
    return bool(header) and header[-1] in map(str.strip, map(itemgetter(-1), rows))


def _repeats(cells: Sequence[str], header: Sequence[str]) -> bool:
    width = len(header)
    # Of nearly all rows, one cell says that they don't.
    if not 0 < width <= len(cells) or cells[width - 1].strip() != header[-1]:
        return False
    return [*map(column_name, cells[:width])] == [*map(column_name, header)]
