"""Reading rows: from cells to values, a column at a time, with every error of every row.

A chunk of 10,000 rows has few distinct roles and flags, and each case and user many times. So rows
are turned to columns, and each distinct cell is parsed, checked and looked up once.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

from importers.isolation.guard import guarded, guarded_await, is_guarding, is_of_plugin
from importers.sdk.cell_note import shown_text
from importers.sdk.columns import Column, has_control, shorten
from importers.sdk.errors import ErrorDetail, RowError
from importers.sdk.references import Reference
from models.db import is_passing
from models.row import RowResult, RowStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from importers.rows.layout import Layout
    from importers.sdk.directory import Directory
    from importers.sdk.importer import Importer

logger = logging.getLogger(__name__)

_ERROR_FIELDS = [field.name for field in fields(ErrorDetail)]
_error_values = attrgetter(*_ERROR_FIELDS)


@dataclass(slots=True)
class ReadRow:
    """A row with its values, one for each column, or with its errors.

    Args:
        is_context: it is read again for rows that are judged beside it, and not run.
        text: its cells as JSON, where the row comes from a chunk.
    """

    number: int
    cells: Sequence[str]
    is_context: bool = False
    text: bytes = b""
    values: Sequence[Any] = ()
    errors: Sequence[ErrorDetail] = ()


async def read_rows(
    importer: Importer, layout: Layout, rows: Sequence[ReadRow], directory: Directory
) -> None:
    """Fill in the rows' values and errors.

    Each distinct cell of a column is parsed once, and each reference column is looked up with one
    query, whatever the number of rows.
    """
    whole: Sequence[ReadRow] = rows
    cells = [row.cells for row in rows]
    # One pass in C for the usual file, in which no row lacks a cell.
    if set(map(len, cells)) != {layout.width}:
        whole = [row for row in rows if _has_all_cells(row, layout)]
        cells = [row.cells for row in whole]
    cells_by_column = list(zip(*cells, strict=True))
    columns, with_errors = [], set[int]()
    for name, column in importer.columns.items():
        position = layout.positions.get(name)
        column_cells: Sequence[str] = [""] * len(whole)
        if whole and position is not None:
            column_cells = cells_by_column[position]
        values, bad = await _read_column(column, column_cells, directory)
        columns.append(values)
        with_errors.update(bad)
    for row, row_values in zip(whole, zip(*columns, strict=True), strict=True):
        row.values = row_values
    _describe_errors(importer, layout, [whole[index] for index in sorted(with_errors)])


def _has_all_cells(row: ReadRow, layout: Layout) -> bool:
    count = len(row.cells)
    if count == layout.width:
        return True
    code, cause = "TOO_MANY_CELLS", "is there a delimiter in a text that has no quotes around it?"
    if count < layout.width:
        code, cause = "TOO_FEW_CELLS", "a delimiter is missing."
    message = f"The row has {count} cells, the header {layout.width}: {cause}"
    row.errors = [ErrorDetail(code=code, message=message)]
    return False


async def _read_column(
    column: Column[Any], cells: Sequence[str], directory: Directory
) -> tuple[list[Any], list[int]]:
    """Return the values of a column, and the indices of those that are errors."""
    values = _read_cells(column, set(cells))
    if isinstance(column, Reference):
        values = await _look_up(column, values, directory)
    # Errors are looked for among distinct cells; without any, rows are not looked at one by one.
    wrong = {cell for cell, value in values.items() if isinstance(value, RowError)}
    bad = [index for index, cell in enumerate(cells) if cell in wrong] if wrong else []
    return list(map(values.__getitem__, cells)), bad


def _read_cells(column: Column[Any], cells: Collection[str]) -> dict[str, Any]:
    """Read distinct cells; all at once where the column only trims them."""
    if not column._only_trims() or max(map(len, cells), default=0) > column.longest:
        return _read_each(column, cells)
    texts = {cell: cell.strip() for cell in cells}
    # One search in all texts, as control characters are rare.
    if has_control("".join(texts.values())):
        return _read_each(column, cells)
    return {cell: text or _read_cell(column, cell) for cell, text in texts.items()}


def _read_each(column: Column[Any], cells: Collection[str]) -> dict[str, Any]:
    if is_guarding():
        return {cell: _read_cell(column, cell) for cell in cells}
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
    """List the errors of rows' cells, and the refusals that would follow once they are mended.

    Equal cells of a column have the same error, which is described once.
    """
    found: list[list[ErrorDetail]] = [[] for _ in rows]
    for place, (name, column) in enumerate(importer.columns.items()):
        position = layout.positions.get(name)
        known: dict[str, ErrorDetail | None] = {}
        for row, errors in zip(rows, found, strict=True):
            cell = "" if position is None else row.cells[position]
            if cell not in known:
                error = _error_of(column, row.values[place])
                known[cell] = error_detail(importer, error, name, row, layout) if error else None
            if detail := known[cell]:
                errors.append(detail)
    for row, errors in zip(rows, found, strict=True):
        row.errors = errors


def _error_of(column: Column[Any], value: Any) -> RowError | None:
    """Return the error that a cell has come to, or what refuses the value that it has found."""
    if isinstance(value, RowError):
        return value
    if value is None or not isinstance(column, Reference):
        return None
    return _refusal_of(column, value)


def _refusal_of(column: Reference[Any], value: Any) -> RowError | None:
    try:
        return guarded(column.refusal, value)
    except Exception:
        return _column_failure(column)


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
    return error_detail(importer, error, column, row, layout)


def error_detail(
    importer: Importer, error: RowError, column: str | None, row: ReadRow, layout: Layout
) -> ErrorDetail:
    """Describe a row's error for the admin, with the cell at fault as the file has it.

    `column` is the one at fault; None stands for the whole row.
    """
    position = layout.positions.get(column) if column else None
    known = importer.columns.get(column) if column else None
    label = known.label if known else column
    return ErrorDetail(
        code=error.code,
        message=f"{label}: {error.message}" if label else error.message,
        column=column,
        value=None if position is None else shorten(shown_text(row.cells[position]).strip()),
        suggestion=error.suggestion,
    )


def failed_result(row: ReadRow, errors: Sequence[ErrorDetail]) -> RowResult:
    # `asdict` copies each value, which takes twenty times as long.
    details = [dict(zip(_ERROR_FIELDS, _error_values(error), strict=True)) for error in errors]
    return RowResult(row.number, row.text, RowStatus.FAILED, errors=details)
