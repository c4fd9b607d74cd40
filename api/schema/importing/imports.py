"""Imports: the type, listing them, cancelling them and running failed rows again."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from api.access.context import Context, Info
from api.errors import ApiError
from api.schema.connection import After, Before, Connection, First, Last, PageArguments, connect
from api.schema.importing.import_rows import (
    ImportProblem,
    ImportRowConnection,
    RowOutcome,
    RowStatus,
    list_rows,
    problems_of,
)
from api.schema.importing.import_types import ImportType
from api.schema.node import Node, key_of
from api.schema.user_error import UserError, user_error
from importers.retry import Corrections, RetryError, request_retry
from importers.sdk.header import column_name
from importers.sdk.node_id import encode_node_id
from models.imports import ImportStatus as StoredStatus
from models.listing import IMPORTS, has_import_status, has_type, matches_search
from models.page import Condition, find_by_id
from models.progress import CancelResult, request_cancel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Record


@strawberry.enum(description="How far an import has come; the last three are final.")
class ImportStatus(Enum):
    """The API's names of `models.imports.ImportStatus`."""

    QUEUED = strawberry.enum_value("QUEUED", description="Uploaded; no worker has begun.")
    PROCESSING = strawberry.enum_value("PROCESSING", description="Rows are being run.")
    PROCESSED = strawberry.enum_value(
        "PROCESSED", description="Finished; some rows may have failed, as the counts say."
    )
    FAILED = strawberry.enum_value(
        "FAILED", description="The file was refused, or every row has failed."
    )
    CANCELLED = strawberry.enum_value(
        "CANCELLED", description="Cancelled; what was applied before that stays."
    )


@strawberry.type(description="An uploaded file.")
class ImportFile:
    """The file of an import."""

    name: str = strawberry.field(description="Its name when it was uploaded.")
    size: int = strawberry.field(description="Its size in bytes.")
    sha256: str = strawberry.field(description="SHA-256 of its bytes, in hexadecimal.")
    encoding: str | None = strawberry.field(
        description="The encoding it turned out to be in; null for workbooks, and until it is read."
    )
    delimiter: str | None = strawberry.field(
        description="What separates its cells; null for workbooks, and until it is read."
    )
    url: str = strawberry.field(
        description="Path of its original bytes on this server; wants the same bearer token. "
        "Answers 410 once they were removed (`purgedAt`)."
    )

    @classmethod
    def from_row(cls, row: Record, node_id: str) -> ImportFile:
        """Make it of an import's row."""
        return cls(
            name=row["file_name"],
            size=row["file_size"],
            sha256=row["file_sha256"],
            encoding=row["encoding"],
            delimiter=row["delimiter"],
            url=f"/files/imports/{node_id}",
        )


@strawberry.type(description="One upload: a file, what it asks for, and what came of it.")
class Import(Node):
    """An import."""

    row: strawberry.Private[Any]
    name: str = strawberry.field(description="What whoever uploaded it called it.")
    source: str = strawberry.field(description="Where it came from: `api`, `cli`, `console`.")
    status: ImportStatus = strawberry.field(description="How far it has come.")
    dry_run: bool = strawberry.field(
        description="Whether its rows are only tried out, and nothing is changed."
    )
    cancel_requested: bool = strawberry.field(description="Whether somebody asked to cancel it.")
    total: int | None = strawberry.field(
        description="How many rows the file has; null until it is read. `passed` + `failed` + "
        "`cancelled` when the import is finished."
    )
    passed: int = strawberry.field(description="How many rows have passed.")
    failed: int = strawberry.field(description="How many rows have failed.")
    cancelled: int = strawberry.field(description="How many rows a cancel has left untouched.")
    created: int = strawberry.field(description="How many rows have created something.")
    updated: int = strawberry.field(description="How many rows have changed something.")
    removed: int = strawberry.field(description="How many rows have removed something.")
    unchanged: int = strawberry.field(description="How many rows passed with nothing to change.")
    progress: float = strawberry.field(description="What part of the rows is done, from 0 to 1.")
    errors: list[ImportProblem] = strawberry.field(description="Why the file was refused.")
    file: ImportFile = strawberry.field(description="The file.")
    created_at: datetime = strawberry.field(description="When it was uploaded.")
    started_at: datetime | None = strawberry.field(description="When a worker began.")
    finished_at: datetime | None = strawberry.field(description="When it was finished.")
    purged_at: datetime | None = strawberry.field(
        description="When its file and its rows were removed, as their retention time was over; "
        "`rows` is empty since then. Null while they are there."
    )
    failed_rows_url: str | None = strawberry.field(
        description="Path of a CSV file of the failed rows, to be corrected and uploaded again; "
        "wants the same bearer token. Null when no row has failed, and when the rows were removed."
    )

    @strawberry.field(description="What kind of import it is.")
    def type(self, info: Info) -> ImportType:
        """Find the type, which may have gone since."""
        return ImportType.of(info.context, self.row["type"])

    @strawberry.field(
        description="When its file and its rows are to be removed, or were; counts and history "
        "stay. Null while it is not finished, and when everything is kept for ever."
    )
    def expires_at(self, info: Info) -> datetime | None:
        """Add the retention time to its end."""
        if self.purged_at or not self.finished_at:
            return self.purged_at
        days = info.context.services.settings.retention_days
        return self.finished_at + timedelta(days=days) if days else None

    @strawberry.field(
        description="What became of the file's rows, in the file's order; nothing once they were "
        "removed."
    )
    async def rows(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        status: Annotated[
            list[RowStatus] | None, strawberry.argument(description="Only rows in these states.")
        ] = None,
        outcome: Annotated[
            list[RowOutcome] | None,
            strawberry.argument(description="Only passed rows that did one of these."),
        ] = None,
    ) -> ImportRowConnection:
        """Page through the rows."""
        arguments = PageArguments(first=first, after=after, last=last, before=before)
        return await list_rows(info.context, self.row, arguments, status, outcome)

    @classmethod
    def from_row(cls, row: Record) -> Import:
        """Make it of its row."""
        node_id = encode_node_id("Import", row["id"])
        return cls(
            id=strawberry.ID(node_id),
            row=row,
            name=row["name"],
            source=row["source"],
            status=ImportStatus[row["status"]],
            dry_run=row["is_dry_run"],
            cancel_requested=row["cancel_requested_at"] is not None,
            total=row["total"],
            passed=row["passed"],
            failed=row["failed"],
            cancelled=row["cancelled"],
            created=row["created"],
            updated=row["updated"],
            removed=row["removed"],
            unchanged=row["unchanged"],
            progress=progress_of(row),
            errors=problems_of(row["errors"]),
            file=ImportFile.from_row(row, node_id),
            created_at=row["created_at"],
            started_at=row["started_at"],
            finished_at=row["finished_at"],
            purged_at=row["purged_at"],
            failed_rows_url=f"/files/imports/{node_id}/failed-rows.csv"
            if row["failed"] and not row["purged_at"]
            else None,
        )


ImportConnection = Connection[Import]


@strawberry.input(description="A new cell of a row that is to be run again.")
class CellInput:
    """A corrected cell."""

    column: str = strawberry.field(description="The column's name in the file.")
    value: str = strawberry.field(description="The cell's new text.")


@strawberry.input(description="A failed row that is to be run again.")
class RowCorrectionInput:
    """A row, and what is to be different this time."""

    number: int = strawberry.field(description="The row's number, as a spreadsheet shows it.")
    cells: list[CellInput] | None = strawberry.field(
        default=None, description="The cells to replace; none: the same data again."
    )


@strawberry.type(description="What came of cancelling an import or running rows again.")
class ImportPayload:
    """The import, or what was wrong."""

    import_: Import | None = strawberry.field(
        name="import", description="The import as it is now; null after errors."
    )
    user_errors: list[UserError] = strawberry.field(
        description="What was wrong; when there is anything, nothing has been done."
    )


def progress_of(row: Record) -> float:
    """Tell what part of an import is done, from 0 to 1."""
    if StoredStatus(row["status"]).is_final:
        return 1.0
    return 1 - row["pending"] / row["total"] if row["total"] and row["split_at"] else 0.0


async def list_imports(
    context: Context,
    arguments: PageArguments,
    search: str | None,
    status: Sequence[ImportStatus] | None,
    types: Sequence[str] | None,
) -> Connection[Any]:
    """Page through the app's imports, newest first."""
    conditions: list[Condition] = []
    if search and search.strip():
        conditions.append(matches_search(IMPORTS, search))
    if status is not None:
        conditions.append(has_import_status([StoredStatus[each.name] for each in status]))
    if types is not None:
        conditions.append(has_type(types))
    return await connect(context, IMPORTS, _imports, arguments, conditions)


def _imports(rows: Sequence[Record]) -> list[Import]:
    return [Import.from_row(row) for row in rows]


async def load_import(context: Context, key: int) -> Import | None:
    """Read an import by its primary key."""
    rows = await context.scope.read(find_by_id, IMPORTS, [key])
    return Import.from_row(rows[0]) if rows else None


async def find_import(context: Context, node_id: str) -> Import | None:
    """Read an import by its ID."""
    key = key_of("Import", node_id)
    return None if key is None else await load_import(context, key)


async def cancel_import(context: Context, node_id: str) -> ImportPayload:
    """Ask that no more rows are run."""
    key = key_of("Import", node_id)
    if key is None:
        return _failed(_not_found())
    result = await context.scope.write(request_cancel, key, by=context.actor)
    if result is CancelResult.NOT_FOUND:
        return _failed(_not_found())
    if result is CancelResult.FINISHED:
        return _failed(user_error("FINISHED", "The import is finished already.", "id"))
    # Whoever runs its chunks finds the wish there; an import not yet cut has none to run.
    await context.services.queue.enqueue_split(key)
    await context.services.queue.enqueue_run(key)
    return await _payload(context, key)


async def retry_import(
    context: Context, node_id: str, rows: Sequence[RowCorrectionInput] | None
) -> ImportPayload:
    """Ask that failed rows are run again."""
    key = key_of("Import", node_id)
    if key is None:
        return _failed(_not_found())
    if ambiguity := _said_twice(rows or ()):
        return _failed(ambiguity)
    try:
        corrections = None if rows is None else _corrections(rows)
        await context.scope.write(request_retry, key, corrections, by=context.actor)
    except RetryError as error:
        return _failed(user_error(error.code, error.message, *error.field))
    await context.services.queue.enqueue_split(key)
    return await _payload(context, key)


def _said_twice(rows: Sequence[RowCorrectionInput]) -> UserError | None:
    """Refuse to choose between two corrections of the same row or cell."""
    numbers = [row.number for row in rows]
    if len(set(numbers)) < len(numbers):
        return user_error("ROW_TWICE", "The list names a row twice.", "rows")
    for row in rows:
        columns = [column_name(cell.column) for cell in row.cells or ()]
        if len(set(columns)) < len(columns):
            message = f"Row {row.number}: the list names a column twice."
            return user_error("COLUMN_TWICE", message, "rows")
    return None


def _corrections(rows: Sequence[RowCorrectionInput]) -> Corrections:
    return {row.number: {cell.column: cell.value for cell in row.cells or ()} for row in rows}


async def _payload(context: Context, key: int) -> ImportPayload:
    await context.services.queue.notify_changed(context.token.app_id, key)
    found = await load_import(context, key)
    if found is None:
        raise ApiError("NOT_FOUND", "The import is gone.")
    return ImportPayload(import_=found, user_errors=[])


def _not_found() -> UserError:
    return user_error("NOT_FOUND", "There is no such import.", "id")


def _failed(error: UserError) -> ImportPayload:
    return ImportPayload(import_=None, user_errors=[error])
