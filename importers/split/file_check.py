"""The check of a whole file: an importer sees all rows before any of them is applied."""

from __future__ import annotations

import asyncio
import logging
from contextvars import copy_context
from itertools import islice
from typing import TYPE_CHECKING

from importers.isolation.guard import Guard, guard_of, guarded_await, guarding, is_guest
from importers.rows.cell_reader import ReadRow, error_detail, read_rows
from importers.rows.layout import Layout
from importers.rows.stored_directory import OneByOne, StoredDirectory
from importers.sdk.errors import ErrorDetail, FileRefusedError, RowError
from importers.sdk.importer import Importer
from importers.sdk.row import FileRows, row_type
from importers.split.file_rows import unfinished_rows
from models.db import is_passing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from contextvars import Context

    from asyncpg import Connection

    from importers.reading.record import Batch
    from importers.sdk.directory import Directory
    from importers.sdk.row import Row
    from importers.split.file_rows import OpenedFile
    from models.progress import ImportWork

    KeepAlive = Callable[[], Awaitable[object]]
    Part = tuple[Sequence[Row], int]

# A file may have millions of rows, which are read while the importer waits.
_COMPUTING_SECONDS = 300.0
_WAITING_SECONDS = 900.0
_MOST_ERRORS = 100
_NO_CELLS = Layout(positions={}, width=0)
_FAILED = ErrorDetail(
    code="IMPORTER_ERROR",
    message="The importer failed where it checks the file as a whole; the worker's log says why.",
)

logger = logging.getLogger(__name__)


def checks_files(importer: Importer) -> bool:
    """Tell whether an importer looks at files as a whole."""
    return type(importer).check_file is not Importer.check_file


async def check_stored_file(
    db: Connection, work: ImportWork, file: OpenedFile, importer: Importer, layout: Layout
) -> None:
    """Let an importer look at all rows of an import's file, those that have failed early as well.

    Raises:
        FileRefusedError: it refuses the file, or fails.
    """
    shared = OneByOne(db)
    directory = StoredDirectory(shared, work.app_id)
    batches = _in_turn(shared, unfinished_rows(db, file, (), lambda _: None))
    await check_file(importer, layout, directory, batches, directory.keep_alive)


async def _in_turn(shared: OneByOne, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
    """Read rows while nothing else uses the transaction that waits for them."""
    while True:
        async with shared:
            batch = await anext(batches, None)
        if batch is None:
            return
        yield batch


async def check_file(
    importer: Importer,
    layout: Layout,
    directory: Directory,
    batches: AsyncIterator[Batch],
    keep_alive: KeepAlive | None = None,
) -> None:
    """Let an importer look at all rows of a file.

    Args:
        layout: with what its columns know of the whole file.
        batches: reads the rows, in the order of the file.
        keep_alive: sends a statement in the transaction that waits.

    Raises:
        FileRefusedError: the importer refuses the file, or fails.
    """
    reading = _read_parts(importer, layout, directory, batches, keep_alive)
    parts = _Parts(reading, copy_context())
    guard = None
    if is_guest(importer):
        guard = Guard(
            f"importer {importer.key!r}",
            total_seconds=_COMPUTING_SECONDS,
            await_seconds=_WAITING_SECONDS,
            keep_alive=keep_alive,
        )
    try:
        with guarding(guard):
            found = await guarded_await(importer.check_file(FileRows(parts), directory))
            errors = [_described(importer, error) for error in islice(found or (), _MOST_ERRORS)]
    except Exception as error:
        # What has failed is the reading, whatever the importer has made of it.
        if parts.failure is not None:
            raise parts.failure  # noqa: B904 - perhaps the same
        if is_passing(error) and not (guard and isinstance(error, OSError | TimeoutError)):
            raise
        logger.exception("importer %r failed on the file as a whole", importer.key)
        raise FileRefusedError([_FAILED]) from error
    if parts.failure is not None:
        raise parts.failure
    if errors:
        raise FileRefusedError(errors)


class _Parts:
    """Reads parts of a file, each in a task apart from the importer that waits for it.

    Args:
        context: of the reader; in that of the importer, reading would count as its work.
    """

    def __init__(self, parts: AsyncIterator[Part], context: Context) -> None:
        self.failure: Exception | None = None
        self._parts = parts
        self._context = context

    def __aiter__(self) -> _Parts:
        return self

    async def __anext__(self) -> Part:
        part = await asyncio.create_task(self._next(), context=self._context)
        if part is None:
            raise StopAsyncIteration
        return part

    async def _next(self) -> Part | None:
        try:
            return await anext(self._parts, None)
        except Exception as error:
            self.failure = error
            raise


async def _read_parts(
    importer: Importer,
    layout: Layout,
    directory: Directory,
    batches: AsyncIterator[Batch],
    keep_alive: KeepAlive | None,
) -> AsyncIterator[Part]:
    row_class = row_type(importer.columns)
    async for batch in batches:
        read = [ReadRow(number, cells) for number, cells in batch.records()]
        # A guard for each part: as much time as its columns have for a chunk.
        with guarding(guard_of(importer, keep_alive)):
            await read_rows(importer, layout, read, directory)
        rows = [row_class(row.number, *row.values) for row in read if not row.errors]
        yield rows, len(read) - len(rows)


def _described(importer: Importer, error: object) -> ErrorDetail:
    if not isinstance(error, RowError):
        raise TypeError(f"check_file() returned {error!r:.200}, which is no RowError")
    if error.column is not None and error.column not in importer.columns:
        raise TypeError(f"the error {error.code} is on {error.column!r:.80}, which is no column")
    # No row's cell is at fault.
    return error_detail(importer, error, error.column, ReadRow(0, []), _NO_CELLS)
