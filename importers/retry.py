"""The request to run failed rows again, as they are or with corrected cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from importers.request_error import RequestError
from importers.rows.header import IGNORED, column_name
from importers.sdk.errors import storable
from models.audit import Action, record
from models.new_import import find_applied
from models.progress import lock_for_retry, reopen
from models.row import RowStatus, find_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Connection

    from models.audit import Actor

Corrections = dict[int, dict[str, str]]
"""Row number → column name → new cell; an empty mapping runs the row with the same data.

New cells for every column of the file are the whole row: its cells beyond the header go."""


class RetryError(RequestError):
    """The import, or one of the rows, can't be run again as requested."""


async def request_retry(
    db: Connection, app_id: int, import_id: int, corrections: Corrections | None, *, by: Actor
) -> None:
    """Let failed rows run again; of two requests at the same moment one is refused.

    Args:
        corrections: the rows; None for every failed row with the same data.

    Raises:
        RetryError: the request is refused; nothing has changed.
    """
    # The second of two requests waits here for the first, and finds the import running.
    found = await lock_for_retry(db, app_id, import_id)
    if found is None:
        raise RetryError("NOT_FOUND", "There is no such import.", "id")
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
    if await find_applied(db, import_id):
        message = "The plan has been applied as it was; upload the failed rows for another one."
        raise RetryError("ALREADY_APPLIED", message, "id")
    if found.is_undo and any((corrections or {}).values()):
        message = "Rows that undo an import say what it has changed, and can't be corrected."
        raise RetryError("NOT_CORRECTABLE", message, "rows")
    retry: dict[str, Any] = {"rows": None, "cells": {}}
    if corrections is not None:
        await _require_failed_rows(db, import_id, corrections)
        _require_storable_cells(corrections)
        # All or nothing is all: rows that are not named have failed with those that are.
        rows = None if found.is_atomic else sorted(corrections)
        retry = {"rows": rows, "cells": _by_position(found.header, corrections)}
    if not await reopen(db, import_id, retry):
        raise RetryError(
            "NAME_TAKEN", "Another import of this name is running; wait for its end.", "id"
        )
    await record(db, app_id, by, Action.IMPORT_RETRIED, import_id, name=found.name)


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


def _require_storable_cells(corrections: Corrections) -> None:
    """Refuse characters that PostgreSQL can't store, and that no file can contain."""
    for number, cells in corrections.items():
        for name, cell in cells.items():
            if storable(cell) != cell:
                fault = "contains characters that can't be stored."
                message = f"Row {number}: the new cell of '{name}' {fault}"
                raise RetryError("INVALID_CELL", message, "rows")


def _by_position(header: Sequence[str], corrections: Corrections) -> dict[str, dict[str, str]]:
    """Translate column names to positions of cells; numbers become text, as JSON's keys are."""
    names = [column_name(name) for name in header]
    positions = {name: str(index) for index, name in enumerate(names)}
    ignored = {str(index): "" for index, name in enumerate(names) if name in IGNORED}
    found: dict[str, dict[str, str]] = {}
    for number, cells in corrections.items():
        new: dict[str, str] = {}
        for name, cell in cells.items():
            position = positions.get(column_name(name))
            if position is None:
                message = f"The file has no column '{name}'; it has {', '.join(header)}."
                raise RetryError("UNKNOWN_COLUMN", message, "rows")
            new[position] = cell
        if new:
            # A whole row need not have the columns that a download of failed rows has added.
            is_whole = len(new.keys() | ignored.keys()) == len(names)
            found[str(number)] = ignored | new if is_whole else new
    return found
