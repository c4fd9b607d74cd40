"""Reading rows: from cells to values, a column at a time, with every error of every row.

A chunk of 10,000 rows has few distinct roles and flags, and each case and user many times. So rows
are turned to columns, and each distinct cell is parsed, checked and looked up once.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from importers.isolation.guard import (
    guarded,
    guarded_await,
    is_guarding,
    is_of_plugin,
    show_life,
)
from importers.rows.misfit import may_repeat_header, misfit
from importers.sdk.cell_note import shown_text
from importers.sdk.columns import column_name
from importers.sdk.errors import ErrorDetail, RowError, fill, printable
from importers.sdk.references import Reference
from models.db import is_passing
from models.row import RowResult, RowStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence, Set

    from importers.rows.layout import Layout
    from importers.sdk.columns import Column
    from importers.sdk.directory import Directory
    from importers.sdk.importer import Importer

logger = logging.getLogger(__name__)

_LONGEST_VALUE = 100
# Each change of a row may be refused, and a row may ask for thousands.
_MOST_ERRORS = 100
_SECONDS_OF_SILENCE = 3.0
_ENDS_EARLY = (
    "is required, and the row ends before it, after {cells} cells.",
    "is required, and the row ends before it, after {cells} cell.",
)


@dataclass(slots=True)
class ReadRow:
    """A row with its values, one for each column, or with its errors.

    Args:
        is_context: it is read again for rows that are judged beside it, and not run.
        text: its cells as JSON, where the row comes from a chunk.
        plan: what a plan says of it that is carried out (`models.plan.unpack_plans`); else empty.
        refusals: of a row without errors, why what its cells name can't be used. They fail the row
            if it would change anything: what has taken effect already stays unchanged.
        has_failed: of a row that is only context, whether it is not in effect.
    """

    number: int
    cells: Sequence[str]
    is_context: bool = False
    text: bytes = b""
    plan: bytes = b""
    values: Sequence[Any] = ()
    errors: Sequence[ErrorDetail] = ()
    refusals: Sequence[ErrorDetail] = ()
    has_failed: bool = False


async def read_rows(
    importer: Importer, layout: Layout, rows: Sequence[ReadRow], directory: Directory
) -> None:
    """Fill in the rows' values and errors.

    Each distinct cell of a column is parsed once, and each reference column is looked up with one
    query, whatever the number of rows.
    """
    whole: Sequence[ReadRow] = rows
    cells = [row.cells for row in rows]
    # Two passes in C for the usual file, in which no row lacks a cell, or is the header again.
    if set(map(len, cells)) != {layout.width} or may_repeat_header(cells, layout.header):
        whole = [row for row in rows if _fits_header(row, layout)]
        cells = [_filled_up(row.cells, layout.width) for row in whole]
    cells_by_column = list(zip(*cells, strict=True))
    columns, with_errors, refused = [], set[int](), set[int]()
    for name, column in layout.columns(importer).items():
        position = layout.positions.get(name)
        column_cells: Sequence[str] = [""] * len(whole)
        if whole and position is not None:
            column_cells = cells_by_column[position]
        values, bad, unusable = await _read_column(column, column_cells, directory)
        columns.append(values)
        with_errors.update(bad)
        refused.update(unusable)
    for row, row_values in zip(whole, zip(*columns, strict=True), strict=True):
        row.values = row_values
    _describe_errors(importer, layout, [whole[index] for index in sorted(with_errors)])
    others = [whole[index] for index in sorted(refused - with_errors)]
    for row, errors in zip(others, _errors_of(importer, layout, others), strict=True):
        row.refusals = errors


def _fits_header(row: ReadRow, layout: Layout) -> bool:
    """Tell whether a row's cells are those of the header's columns; else it fails."""
    error = misfit(row.cells, layout.header, layout.width)
    if error:
        row.errors = [error]
    return error is None


def _filled_up(cells: Sequence[str], width: int) -> Sequence[str]:
    """Return as many cells as the header has: programs leave blank ones at the end out, or add
    some."""
    return [*cells[:width], *[""] * (width - len(cells))]


async def _read_column(
    column: Column[Any], cells: Sequence[str], directory: Directory
) -> tuple[list[Any], list[int], list[int]]:
    """Return the values of a column, the indices of those that are errors, and of those refused."""
    values = await _read_cells(column, set(cells))
    if isinstance(column, Reference):
        values = await _look_up(column, values, directory)
    # Errors are looked for among distinct cells; without any, rows are not looked at one by one.
    wrong = {cell for cell, value in values.items() if isinstance(value, RowError)}
    refused = _refused_cells(column, values, wrong)
    return list(map(values.__getitem__, cells)), _places(wrong, cells), _places(refused, cells)


def _refused_cells(column: Column[Any], values: Mapping[str, Any], wrong: Set[str]) -> set[str]:
    """Return the distinct cells that name something that can't be used."""
    if not isinstance(column, Reference):
        return set()
    found = {cell: values[cell] for cell in values.keys() - wrong} if wrong else values
    if not column._may_refuse(found.values()):
        return set()
    return {cell for cell, value in found.items() if _error_of(column, value)}


def _places(wanted: Set[str], cells: Sequence[str]) -> list[int]:
    return [index for index, cell in enumerate(cells) if cell in wanted] if wanted else []


async def _read_cells(column: Column[Any], cells: Set[str]) -> dict[str, Any]:
    """Read distinct cells; all at once where the column only trims them."""
    values = column._values_at_once(cells)
    if values is None and is_guarding():
        return await _read_guarded(column, cells)
    if values is None:
        return _read_each(column, cells)
    blank = cells - values.keys()
    return values | {cell: _read_cell(column, cell) for cell in blank}


async def _read_guarded(column: Column[Any], cells: Collection[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    signed = time.monotonic()
    for cell in cells:
        values[cell] = _read_cell(column, cell)
        # A slow plugin may take 30 seconds for a chunk's cells.
        if time.monotonic() - signed > _SECONDS_OF_SILENCE:
            await show_life()
            signed = time.monotonic()
    return values


def _read_each(column: Column[Any], cells: Collection[str]) -> dict[str, Any]:
    # `_read_cell` without the two calls that it makes for a cell: Caseroll's own columns need no
    # guard.
    values: dict[str, Any] = {}
    read = column.read
    for cell in cells:
        try:
            values[cell] = read(cell)
        except RowError as error:
            values[cell] = error
        except Exception:
            values[cell] = _column_failure(column)
    return values


def _read_cell(column: Column[Any], cell: str) -> Any:
    try:
        return guarded(column.read, cell)
    except RowError as error:
        return error
    except Exception:
        return _column_failure(column)


async def _look_up(
    column: Reference[Any], values: Mapping[str, Any], directory: Directory
) -> dict[str, Any]:
    keys = {value for value in values.values() if isinstance(value, str)}
    try:
        found = await guarded_await(_resolve_keys(column, keys, directory))
    except Exception as error:
        if is_passing(error) and not is_of_plugin(error):
            raise
        found = dict.fromkeys(keys, _column_failure(column))
    return {
        cell: found[value] if isinstance(value, str) else value for cell, value in values.items()
    }


async def _resolve_keys(
    column: Reference[Any], keys: Collection[str], directory: Directory
) -> dict[str, Any]:
    found: dict[str, Any] = dict(await column.resolve(directory, keys)) if keys else {}
    # Sorted, so that the first hundred, which get a suggestion, are the same each time.
    if missing := sorted(set(keys) - found.keys()):
        unknown = await column.unknown(directory, missing)
        found |= {key: unknown[key] for key in missing}
    return found


def _column_failure(column: Column[Any]) -> RowError:
    """Log the exception that a plugin's column has raised; the row's error only names the log."""
    logger.exception("column %r failed on a cell; rows with that cell fail", column.name)
    message = "the importer failed on this cell; the worker's log says why."
    return RowError(None, "IMPORTER_ERROR", message)


def _describe_errors(importer: Importer, layout: Layout, rows: Sequence[ReadRow]) -> None:
    """List the errors of rows' cells, and the refusals that would follow once they are mended."""
    rows = _without_left_over(importer, layout, rows)
    for row, errors in zip(rows, _errors_of(importer, layout, rows), strict=True):
        row.errors = errors


def _errors_of(
    importer: Importer, layout: Layout, rows: Sequence[ReadRow]
) -> list[list[ErrorDetail]]:
    """Return each row's errors and refusals, in the order of the columns."""
    found: list[list[ErrorDetail]] = [[] for _ in rows]
    for place, (name, column) in enumerate(importer.columns.items()):
        values = [row.values[place] for row in rows]
        if not _may_have_errors(column, values):
            continue
        details = _details(importer, layout, name, rows, values)
        for errors, detail in zip(found, details, strict=True):
            if detail:
                errors.append(detail)
    return found


def _may_have_errors(column: Column[Any], values: Sequence[Any]) -> bool:
    """Tell at once that a column has no errors: of rows that fail, most cells are right."""
    if any(issubclass(kind, RowError) for kind in set(map(type, values))):
        return True
    return isinstance(column, Reference) and column._may_refuse(values)


def _details(
    importer: Importer,
    layout: Layout,
    name: str,
    rows: Sequence[ReadRow],
    values: Sequence[Any],
) -> list[ErrorDetail | None]:
    """Return the error of each row's cell of a column; equal cells have the same."""
    column = importer.columns[name]
    cells = _cells_or_counts(layout.positions.get(name), rows)
    known: dict[str | int, ErrorDetail | None] = {}
    places = {cell: index for index, cell in enumerate(cells)}
    for cell, index in places.items():
        error = _error_of(column, values[index])
        row = rows[index]
        known[cell] = error_detail(importer, error, name, row, layout) if error else None
    return [known[cell] for cell in cells]


def _cells_or_counts(position: int | None, rows: Sequence[ReadRow]) -> Sequence[str | int]:
    """Return a cell of each row; where the row ends before it, how many cells the row has, as the
    error's message says."""
    if position is None:
        return [""] * len(rows)
    try:
        return [row.cells[position] for row in rows]
    except IndexError:  # hardly any file has short rows
        return [
            row.cells[position] if position < len(row.cells) else len(row.cells) for row in rows
        ]


def _error_of(column: Column[Any], value: Any) -> RowError | None:
    """Return the error that a cell has come to, or what refuses the value that it has found."""
    if isinstance(value, RowError):
        return value
    if value is None or not isinstance(column, Reference):
        return None
    return _refusal_of(column, value)


def _without_left_over(
    importer: Importer, layout: Layout, rows: Sequence[ReadRow]
) -> Sequence[ReadRow]:
    """Fail rows that have nothing but optional cells with one error each, and return the others.

    Such rows are left over where a column was filled down below the table.
    """
    required = [name for name, column in importer.columns.items() if column.required]
    if len(required) < 2:
        return rows
    places = [layout.positions[name] for name in required if name in layout.positions]
    labels = ", ".join(importer.columns[name].label for name in required)
    template = "The row has no {columns}; fill them in, or delete the rest of the row."
    error = ErrorDetail.of("REQUIRED", template, columns=labels)
    others = []
    for row in rows:
        cells = row.cells
        for place in places:  # `any` of a generator takes three times as long
            if place < len(cells) and cells[place].strip():
                others.append(row)
                break
        else:
            row.errors = [error]
    return others


def _refusal_of(column: Reference[Any], value: Any) -> RowError | None:
    try:
        error = guarded(column.refusal, value)
        if not isinstance(error, RowError | None):
            raise TypeError(f"refusal() returned {error!r:.200}, no RowError")  # noqa: TRY301
    except Exception:
        return _column_failure(column)
    return error


def refusal_detail(
    importer: Importer, error: RowError, at_fault: object, row: ReadRow, layout: Layout
) -> ErrorDetail:
    """Describe a refusal, on the column that holds the value at fault.

    Args:
        at_fault: the value itself, as the row has it: a change does not say from which column it
            comes, but it holds the same object.
    """
    # Equal texts of several columns may be one object; a key column is meant rather than others.
    columns = zip(importer.columns.items(), row.values, strict=True)
    names = [
        (not column.is_key, name)
        for (name, column), value in columns
        if at_fault is not None and value is at_fault
    ]
    column = min(names, key=itemgetter(0))[1] if names else error.column
    if column not in importer.columns:  # a kind of change need not know the importer's columns
        column = None
    return error_detail(importer, error, column, row, layout)


def error_detail(
    importer: Importer, error: RowError, column: str | None, row: ReadRow, layout: Layout
) -> ErrorDetail:
    """Describe a row's error for the admin, with the cell at fault as the file has it.

    `column` is the one at fault; None stands for the whole row.
    """
    position = layout.positions.get(column) if column else None
    known = importer.columns.get(column) if column else None
    label, name = (known.label, known.public_name) if known else (column, column)
    # A column that has names of its own is known by the one that the file uses.
    if known and known.headers and position is not None and layout.header:
        label = layout.header[position].strip()
        name = column_name(label)
    message, value, params = error.message, None, error.params
    if position is not None and position < len(row.cells):
        value = shown_text(row.cells[position]).strip()
        # The message of a plugin may quote the cell as it is.
        message = message if value.isprintable() else message.replace(value, printable(value))
    elif position is not None and error.code == "REQUIRED":
        params = {"cells": len(row.cells)}
        message = fill(_ENDS_EARLY[len(row.cells) == 1], params)
    return ErrorDetail(
        code=error.code,
        message=f"{label}: {message}" if label else message,
        column=name,
        value=value and _cut(value),
        suggestion=error.suggestion,
        params=params,
    )


def _cut(value: str) -> str:
    return value if len(value) <= _LONGEST_VALUE else f"{value[: _LONGEST_VALUE - 1]}…"


def failed_result(row: ReadRow, errors: Sequence[ErrorDetail]) -> RowResult:
    if (more := len(errors) - _MOST_ERRORS) > 1:
        rest = ErrorDetail.of("MORE_ERRORS", "{more:,} more errors are not listed.", more=more)
        errors = [*errors[:_MOST_ERRORS], rest]
    details = [error.as_dict() for error in errors]
    return RowResult(row.number, row.text, RowStatus.FAILED, None, None, details)
