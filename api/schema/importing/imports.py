"""Imports: the type, listing them, cancelling them and running failed rows again."""

from __future__ import annotations

from datetime import datetime, timedelta
from operator import add
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import strawberry
from strawberry import argument, field

from api.access.context import Context, Info
from api.batch.row_type import Part, RowColumn, RowType, node_id
from api.schema.actor import created_by
from api.schema.connection import (
    After,
    Before,
    Connection,
    First,
    Last,
    PageArguments,
    Search,
    connect,
)
from api.schema.importing.column_mapping import ColumnMapping, ignored_columns, mapped_columns
from api.schema.importing.download_urls import (
    FAILED_ROWS_URL,
    FAILED_ROWS_WORKBOOK_URL,
    RESULTS_URL,
    file_url,
)
from api.schema.importing.error_groups import (
    ErrorGroupConnection,
    GroupedRows,
    connect_groups,
)
from api.schema.importing.hold import Hold
from api.schema.importing.import_mails import ImportMails, find_import_mails
from api.schema.importing.import_rows import (
    ImportProblem,
    ImportRow,
    problems_of,
    row_filters,
    row_type_for,
)
from api.schema.importing.import_types import ImportType
from api.schema.importing.schedule import ESTIMATED_END, IS_WAITING, queue_position
from api.schema.importing.undo_refusal import find_undo_refusal
from api.schema.input_errors import UserError
from api.schema.list_order import OrderBy, UpdatedSince, ordered
from api.schema.node import Node, find_object, key_of, load_node
from api.schema.shown_enum import show_enum
from models.imports import ImportStatus, Stage
from models.list_query import Condition
from models.listing import (
    IMPORT_ROWS,
    IMPORTS,
    carries_out,
    changed_since,
    has_import_status,
    has_result,
    has_type,
    matches_search,
    undoes,
)
from models.row import RowOutcome, RowStatus

if TYPE_CHECKING:
    from collections.abc import Collection

ImportId: TypeAlias = Annotated[
    strawberry.ID, argument(name="id", description="The import's `id`.")
]

show_enum(ImportStatus, description="How far an import has come; the last three are final.")


@strawberry.type(description="An uploaded file.")
class ImportFile:
    name: str = field(description="Its name when it was uploaded.")
    size: int = field(description="Its size in bytes.")
    sha256: str = field(description="SHA-256 of its bytes, in hexadecimal.")
    encoding: str | None = field(
        description="The encoding it turned out to be in; null for what is no CSV text, and until "
        "it is read."
    )
    delimiter: str | None = field(
        description="What separates its cells; null for what is no CSV text, and until it is read."
    )
    header: list[str] | None = field(
        description="The names of its columns, as the file has them; null until it is read."
    )
    url: str = field(
        description="Path of its original bytes on this server; wants the same bearer token. "
        "Answers 410 once they were removed (`purgedAt`)."
    )


FILE_ROW = RowType(
    ImportFile,
    name=RowColumn(("file_name",)),
    size=RowColumn(("file_size",)),
    sha256=RowColumn(("file_sha256",)),
    header=RowColumn(("header",)),
    url=RowColumn(("id",), file_url),
)


@strawberry.type(description="One upload: a file, what it asks for, and what came of it.")
class Import(Node):
    key: strawberry.Private[int]
    type_key: strawberry.Private[str]
    header: strawberry.Private[Any]
    token_key: strawberry.Private[int | None]
    is_waiting: strawberry.Private[bool]
    applied_from_key: strawberry.Private[int | None]
    grouped_at: strawberry.Private[datetime | None]
    undo_of_key: strawberry.Private[int | None]
    group_removals: strawberry.Private[int]
    name: str = field(description="The name that the upload gave it.")
    source: str = field(
        description="Where it came from: `api`, `cli`, `console`, or the client's own name."
    )
    status: ImportStatus = field(description="How far it has come.")
    dry_run: bool = field(
        description="Whether its rows are only tried out, and nothing is changed."
    )
    atomic: bool = field(
        description="Whether all of its rows are applied, or none: if one row fails, the others "
        "fail with `NOT_APPLIED`."
    )
    hold: Hold | None = field(description="Why it is `HELD`; null when it is not.")
    cancel_requested: bool = field(description="Whether a client has asked to cancel it.")
    total: int | None = field(
        description="How many rows the file has; null until it is read. `passed` + `failed` + "
        "`cancelled` when the import is finished."
    )
    passed: int = field(description="How many rows have passed.")
    failed: int = field(description="How many rows have failed.")
    cancelled: int = field(description="How many rows a cancel has left untouched.")
    created: int = field(description="How many rows have created something.")
    updated: int = field(description="How many rows have changed something.")
    removed: int = field(
        description="How many rows have removed something. Removals that belong to no row, as "
        "those of a `sync`, count one by one, beside what their row has done itself."
    )
    unchanged: int = field(description="How many rows passed with nothing to change.")
    progress: float = field(description="What part of the rows is done, from 0 to 1.")
    errors: list[ImportProblem] = field(description="Why the file was refused.")
    warnings: list[ImportProblem] = field(
        description="Remarks on the file as a whole, which was accepted all the same."
    )
    column_mapping: list[ColumnMapping] = field(
        description="What the upload says of names in the file's header."
    )
    ignored_columns: list[str] = field(
        description="Names in the file's header of columns that the upload has passed over."
    )
    file: ImportFile = field(description="The file.")
    created_at: datetime = field(description="When it was uploaded.")
    updated_at: datetime = field(description="When its status or its counts last changed.")
    started_at: datetime | None = field(description="When a worker began.")
    finished_at: datetime | None = field(description="When it was finished.")
    estimated_end_at: datetime | None = field(
        description="When it will probably be finished, at the speed of its last rows; null unless "
        "rows are being applied or tried out, and while that time is over."
    )
    rows_per_second: float | None = field(
        description="How many rows a second were run of late; null before the first ones are."
    )
    purged_at: datetime | None = field(
        description="When its file and its rows were removed, as their retention time was over; "
        "`rows` is empty since then. Null while they are there."
    )
    failed_rows_url: str | None = field(
        description="Path of a CSV file of the failed rows, to be corrected and uploaded again; "
        "wants the same bearer token. Null until the import has ended, when no row has failed, and "
        "when the rows were removed."
    )
    failed_rows_workbook_url: str | None = field(
        description="Path of the same rows as an XLSX workbook, with notes at the cells that have "
        "errors; for at most 100,000 rows. Null when `failedRowsUrl` is."
    )
    results_url: str | None = field(
        description="Path of a CSV file of all rows, each with its status, outcome and errors; "
        "wants the same bearer token. Null until the import has ended, and when the rows were "
        "removed."
    )

    created_by = created_by
    queue_position = queue_position

    @strawberry.field(description="What kind of import it is.")
    def type(self, info: Info) -> ImportType:
        """Find the type, which may have gone since."""
        return ImportType.of(info.context, self.type_key)

    @strawberry.field(description="The dry run whose plan it carries out, if it does.")
    async def applied_from(self, info: Info) -> Import | None:
        key = self.applied_from_key
        return None if key is None else await load_import(info.context, key)

    @strawberry.field(
        description="The import that carries out this dry run's plan; null until `applyImport`, "
        "and again if that import ends before it has done anything, as when it is held and then "
        "cancelled."
    )
    async def applied_as(self, info: Info) -> Import | None:
        if not self.dry_run:
            return None
        return await find_object(info.context, IMPORTS, IMPORT_ROW, carries_out(self.key))

    @strawberry.field(description="The import whose changes it takes back, if it does.")
    async def undo_of(self, info: Info) -> Import | None:
        key = self.undo_of_key
        return None if key is None else await load_import(info.context, key)

    @strawberry.field(description="The import that has taken its changes back, or does so now.")
    async def undone_by(self, info: Info) -> Import | None:
        return await find_object(info.context, IMPORTS, IMPORT_ROW, undoes(self.key))

    @strawberry.field(description="Whether `undoImport` would be accepted.")
    async def is_undoable(self, info: Info) -> bool:
        return await find_undo_refusal(info.context, self.key) is None

    @strawberry.field(description="Why it can't be undone; null when it can.")
    async def undo_refusal(self, info: Info) -> UserError | None:
        return await find_undo_refusal(info.context, self.key)

    @strawberry.field(description="The mails that it has caused.")
    async def mails(self, info: Info) -> ImportMails:
        return await find_import_mails(info.context, self.key)

    @strawberry.field(
        description="When its file and its rows are to be removed, or were; counts and history "
        "stay. Null while it is not finished, and when everything is kept for ever."
    )
    def expires_at(self, info: Info) -> datetime | None:
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
            list[RowStatus] | None, argument(description="Only rows in these states.")
        ] = None,
        outcome: Annotated[
            list[RowOutcome] | None, argument(description="Only passed rows that did one of these.")
        ] = None,
        code: Annotated[
            list[str] | None, argument(description="Only failed rows with one of these codes.")
        ] = None,
        column: Annotated[
            list[str] | None,
            argument(description="Only failed rows with an error at one of these columns."),
        ] = None,
        value: Annotated[
            str | None,
            argument(
                description="Only failed rows with an error at a cell of this value, as errors "
                "show it. With `code` and `column`, one error has all three."
            ),
        ] = None,
        search: Annotated[
            str | None,
            argument(
                description="Only rows in which a cell, or a message, contains this text, in any "
                "case. Reads all rows that the other arguments leave."
            ),
        ] = None,
    ) -> Connection[ImportRow]:
        arguments = PageArguments(first=first, after=after, last=last, before=before)
        conditions: list[Condition] = []
        if status is not None or outcome is not None:
            conditions.append(has_result(status, outcome))
        total: int | None = self._count_rows(status, outcome)
        # Without a look at the rows: it would pass over a million others, or find some that are
        # still to be deleted.
        if not total:
            conditions.append(Condition("false"))
        if filters := row_filters(code, column, value, search):
            conditions += filters
            total = None
        return await connect(
            info.context,
            IMPORT_ROWS,
            row_type_for(self.header or ()),
            arguments,
            conditions,
            parent=self.key,
            total=total,
        )

    @strawberry.field(
        description="The failed rows by what is wrong with them, the largest groups first: rows "
        "with the same code at the same column and value. `retryImport(where:)` runs such rows. "
        "Rows that only were not applied, as others failed (`NOT_APPLIED`), are the last group."
    )
    async def error_groups(
        self, info: Info, *, first: First = None, after: After = None
    ) -> ErrorGroupConnection:
        failed = 0 if self.purged_at else self.failed
        grouped = GroupedRows(self.key, failed, self.finished_at, self.grouped_at)
        return await connect_groups(info.context, grouped, PageArguments(first=first, after=after))

    def _count_rows(
        self, status: Collection[RowStatus] | None, outcome: Collection[RowOutcome] | None
    ) -> int:
        """Add up the import's own counters, instead of counting a million rows."""
        counted: set[RowStatus] | set[RowOutcome] = set(RowStatus if status is None else status)
        if outcome is not None:
            counted = set(outcome) if RowStatus.PASSED in counted else set()
        if self.purged_at:
            return 0
        return sum(
            self.count_rows_that(each)
            if isinstance(each, RowOutcome)
            else getattr(self, each.name.lower())
            for each in counted
        )

    def count_rows_that(self, outcome: RowOutcome) -> int:
        """Return how many rows have an outcome, by the import's own counters."""
        count: int = getattr(self, outcome.name.lower())
        return count - (self.group_removals if outcome is RowOutcome.REMOVED else 0)


def _progress(
    status: str, pending: int, total: int | None, split_at: datetime | None, stage: str | None
) -> float:
    if ImportStatus(status).is_final:
        return 1.0
    # While a retry is being cut, no row is pending yet: without `split_at` it would look finished.
    done = 1 - pending / total if total and split_at else 0.0
    # To plan the rows is half of the work.
    return done if stage is None else done / 2 + (0 if stage == Stage.PLAN else 0.5)


IMPORT_ROW = RowType(
    Import,
    id=node_id("Import"),
    key=RowColumn(("id",)),
    type_key=RowColumn(("type",)),
    token_key=RowColumn(("token_id",)),
    is_waiting=IS_WAITING,
    estimated_end_at=ESTIMATED_END,
    status=RowColumn(("status",), ImportStatus),
    dry_run=RowColumn(("is_dry_run",)),
    updated_at=RowColumn(("changed_at",)),
    removed=RowColumn(("removed", "group_removals"), add),
    cancel_requested=RowColumn(("cancel_requested_at",), lambda time: time is not None),
    applied_from_key=RowColumn(("applied_from_id",)),
    undo_of_key=RowColumn(("undo_of_id",)),
    atomic=RowColumn(("is_atomic",)),
    hold=RowColumn(("hold",), Hold.of),
    progress=RowColumn(("status", "pending", "total", "split_at", "stage"), _progress),
    errors=RowColumn(("errors",), problems_of),
    warnings=RowColumn(("warnings",), problems_of),
    column_mapping=RowColumn(("header_mapping",), mapped_columns),
    ignored_columns=RowColumn(("header_mapping",), ignored_columns),
    file=Part(FILE_ROW, ""),
    failed_rows_url=FAILED_ROWS_URL,
    failed_rows_workbook_url=FAILED_ROWS_WORKBOOK_URL,
    results_url=RESULTS_URL,
)


@strawberry.field(name="imports", description="The app's imports, newest first.")
async def list_imports(
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    search: Search = None,
    status: Annotated[
        list[ImportStatus] | None, argument(description="Only imports in these states.")
    ] = None,
    types: Annotated[
        list[str] | None,
        argument(name="type", description="Only imports of the types with these keys."),
    ] = None,
    updated_since: UpdatedSince = None,
    order_by: OrderBy = None,
) -> Connection[Import]:
    arguments = PageArguments(first=first, after=after, last=last, before=before)
    conditions: list[Condition] = []
    if search and search.strip():
        conditions.append(matches_search(search))
    if status is not None:
        conditions.append(has_import_status(status))
    if types is not None:
        conditions.append(has_type(types))
    listing = ordered(IMPORTS, order_by, updated_since)
    if updated_since is not None:
        conditions.append(await info.context.scope.read(changed_since, listing, updated_since))
    return await connect(info.context, listing, IMPORT_ROW, arguments, conditions)


async def load_import(context: Context, key: int) -> Import | None:
    return await load_node(context, IMPORTS, IMPORT_ROW, key)


@strawberry.field(name="import", description="One import; null when the app has none such.")
async def find_import(info: Info, node_id: ImportId) -> Import | None:
    key = key_of("Import", node_id)
    return None if key is None else await load_import(info.context, key)
