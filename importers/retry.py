"""The request to run failed rows again, as they are or with corrected cells."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from importers.request_error import RequestError
from importers.rows.header_mapping import IGNORED, HeaderMapping
from importers.sdk.columns import column_name
from importers.sdk.errors import storable
from models.audit import Action, record
from models.new_import import find_applied
from models.progress import lock_for_retry, reopen
from models.row import RowStatus, failed_page, find_rows
from models.row_errors import error_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncpg import Connection

    from models.audit import Actor
    from models.progress import ImportToRetry

Corrections = dict[int, dict[str, str]]
"""Row number → column name → new cell; an empty mapping runs the row with the same data.

New cells for every column of the file are the whole row: its cells beyond the header go."""


ErrorFields = dict[str, str | None]
"""The fields that an error of a row has: any of `column`, `code` and `value`."""


class RetryError(RequestError):
    """The import, or one of the rows, can't be run again as requested."""


async def request_retry(
    db: Connection,
    app_id: int,
    import_id: int,
    corrections: Corrections | None,
    *,
    by: Actor,
    where: ErrorFields | None = None,
    cells: Mapping[str, str] | None = None,
    excepted: Sequence[ErrorFields] | None = None,
) -> None:
    """Let failed rows run again; of two requests at the same moment one is refused.

    Args:
        corrections: the rows; None for every failed row with the same data.
        where: instead of them, all failed rows with such an error.
        cells: what these rows get, by the names of columns; None for the same data.
        excepted: failed rows with such an error stay as they are.

    Raises:
        RetryError: the request is refused; nothing has changed.
    """
    _require_one_choice(corrections, where, cells)
    _require_exceptions(corrections, excepted)
    # The second of two requests waits here for the first, and finds the import running.
    found = await lock_for_retry(db, app_id, import_id)
    if found is None:
        raise RetryError("NOT_FOUND", "There is no such import.", "id")
    _require_retryable(found)
    applied = await find_applied(db, import_id)
    if applied and not applied.has_done_nothing:
        message = "The plan has been applied as it was; upload the failed rows for another one."
        raise RetryError("ALREADY_APPLIED", message, "id")
    if found.is_undo and (cells or any((corrections or {}).values())):
        message = "Rows that undo an import say what it has changed, and can't be corrected."
        raise RetryError("NOT_CORRECTABLE", message, "rows")
    if excepted and found.is_atomic:
        message = "The import is all or nothing: its failed rows run again together."
        raise RetryError("ALL_OR_NOTHING", message, "except")
    retry: dict[str, Any] = {"rows": None, "cells": {}}
    if corrections is not None:
        await _require_failed_rows(db, import_id, corrections)
        # All or nothing is all: rows that are not named have failed with those that are.
        rows = None if found.is_atomic else sorted(corrections)
        retry = {"rows": rows, "cells": _by_position(found, corrections)}
    if where is not None:
        new = _new_cells(found, cells or {}, "set")
        retry |= {"where": _error_fields(where), "set": new}
    if excepted:
        retry["except"] = [_error_fields(each) for each in excepted]
    if where is not None or excepted:
        await _require_such_rows(db, app_id, import_id, retry)
    if not await reopen(db, import_id, retry):
        raise RetryError(
            "NAME_TAKEN", "Another import of this name is running; wait for its end.", "id"
        )
    await record(db, app_id, by, Action.IMPORT_RETRIED, import_id, name=found.name)


def _require_retryable(found: ImportToRetry) -> None:
    if not found.status.is_final:
        raise RetryError("NOT_FINISHED", "The import is still running; wait for its end.", "id")
    if found.purged_at:
        raise RetryError(
            "PURGED",
            f"The rows of this import were removed on {found.purged_at:%Y-%m-%d}, when their "
            "retention time was over; upload them again.",
            "id",
        )
    if not found.failed:
        raise RetryError("NOTHING_TO_RETRY", "The import has no failed rows.", "id")


def _require_one_choice(
    corrections: Corrections | None, where: ErrorFields | None, cells: Mapping[str, str] | None
) -> None:
    if where is not None and corrections is not None:
        raise RetryError("ROWS_AND_WHERE", "Give rows or where, not both.", "where")
    if where is None and cells is not None:
        message = "Give the new cells of rows in rows; set is for the rows that where finds."
        raise RetryError("SET_WITHOUT_WHERE", message, "set")
    if where is not None and not where:
        message = "Name a column, a code or a value; leave where out for all failed rows."
        raise RetryError("EMPTY_WHERE", message, "where")


def _require_exceptions(
    corrections: Corrections | None, excepted: Sequence[ErrorFields] | None
) -> None:
    if excepted and corrections is not None:
        message = "Give rows, or what is to be left out of all; not both."
        raise RetryError("ROWS_AND_EXCEPT", message, "except")
    if excepted and not all(excepted):
        message = "Name a column, a code or a value of each error."
        raise RetryError("EMPTY_WHERE", message, "except")


def _error_fields(where: ErrorFields) -> ErrorFields:
    """Return the fields as errors have them: with the column's name, not as a header writes it."""
    column = where.get("column")
    return where | ({"column": column_name(column)} if column else {})


async def _require_such_rows(
    db: Connection, app_id: int, import_id: int, retry: Mapping[str, Any]
) -> None:
    """Refuse a retry that finds no row by its errors, or an exception that no row has: a slip of
    the pen would let the rows run that are to be left out."""
    find = partial(failed_page, db, app_id, import_id, after=0, most=1)
    error = error_pattern(retry["where"]) if "where" in retry else "[]"
    excepted = [error_pattern(each) for each in retry.get("except", ())]
    if not await find(error=error):
        raise RetryError("NO_SUCH_ROW", "No failed row has such an error.", "where")
    for each in excepted:
        if not await find(error=each):
            raise RetryError("NO_SUCH_ROW", "No failed row has such an error.", "except")
    if excepted and not await find(error=error, excepted=excepted):
        raise RetryError("NO_SUCH_ROW", "All of these failed rows are excepted.", "except")


async def _require_failed_rows(db: Connection, import_id: int, corrections: Corrections) -> None:
    if not corrections:
        raise RetryError("NO_ROWS", "The list of rows is empty; leave it out for all.", "rows")
    found = await find_rows(db, import_id, list(corrections))
    for number in corrections:
        if number not in found:
            raise RetryError("NO_SUCH_ROW", f"The import has no row {number}.", "rows")
        if found[number].status is not RowStatus.FAILED:
            message = f"Row {number} has not failed; only failed rows are run again."
            raise RetryError("ROW_NOT_FAILED", message, "rows")


def _by_position(found: ImportToRetry, corrections: Corrections) -> dict[str, dict[str, str]]:
    """Return new cells by their row's number, as text: a key of JSON."""
    return {
        str(number): _new_cells(found, cells, "rows", f"Row {number}: ")
        for number, cells in corrections.items()
        if cells
    }


def _new_cells(
    found: ImportToRetry, cells: Mapping[str, str], argument: str, start: str = ""
) -> dict[str, str]:
    """Translate column names to positions of cells, as text.

    A column goes by its name in the file, and by that of the type's column that it is mapped to,
    as errors name it; if both are names of columns, the latter is meant.

    Args:
        argument: that of the request which has the cells.
        start: what a message on a cell begins with.
    """
    header = found.header
    names = [column_name(name) for name in header]
    mapped = HeaderMapping.of(found.header_mapping).columns_of(header)
    positions = {name: str(index) for each in (names, mapped) for index, name in enumerate(each)}
    ignored = {str(index): "" for index, name in enumerate(names) if name in IGNORED}
    new: dict[str, str] = {}
    for name, cell in cells.items():
        position = positions.get(column_name(name))
        if position is None:
            message = f"The file has no column '{name}'; it has {', '.join(header)}."
            raise RetryError("UNKNOWN_COLUMN", message, argument)
        # No file can contain what PostgreSQL can't store.
        if storable(cell) != cell:
            fault = "contains characters that can't be stored."
            message = f"{start}the new cell of '{name}' {fault}"
            raise RetryError("INVALID_CELL", message, argument)
        new[position] = cell
    # A whole row need not have the columns that a download of failed rows has added.
    is_whole = len(new.keys() | ignored.keys()) == len(names)
    return ignored | new if new and is_whole else new
