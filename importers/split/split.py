"""Splitting: from the stored file, or from rows that failed, to chunks."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from importers.isolation.attempts import MOST_ATTEMPTS, PATIENCE_SECONDS, is_blameless
from importers.isolation.guard import guard_of, guarding
from importers.rows.layout import layout_of
from importers.rows.stored_directory import StoredDirectory
from importers.sdk.errors import ErrorDetail, FileRefusedError, RetryableError
from importers.split.chunk_writer import write_chunks
from importers.split.early_failures import MOST, fail_first
from importers.split.failed_rows import FailedRows
from importers.split.file_rows import FileRows, OpenedFile, stored_file
from importers.split.grouping import KeyGrouping, SingleGrouping, UngroupableError
from models.db import allow_long, connection, is_passing, persist, transaction
from models.progress import (
    begin,
    finish_retry_split,
    finish_split,
    keep_header,
    lock_split,
    read_work,
    refuse,
    take_back_begin,
)
from models.row import row_numbers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence

    from asyncpg import Connection

    from importers.reading.limits import Limits
    from importers.rows.layout import Layout
    from importers.sdk.importer import Importer
    from importers.split.chunk_writer import RowSource
    from models.imports import ImportEnd
    from models.progress import ImportWork

# A split is one transaction; ten million rows take longer than transactions may otherwise.
_SPLIT_SECONDS = 1_800
_ENDS_WORKERS = ErrorDetail(
    code="IMPORTER_ERROR",
    message=f"The importer has ended its worker {MOST_ATTEMPTS} times while the file was cut into"
    " chunks, or took too long.",
)
_NOT_CUT = ErrorDetail(
    code="NOT_CUT",
    message="The file could not be worked on, by no fault of its own; the worker's log says why.",
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSettings:
    """How files are split into chunks.

    Args:
        importers: those that are on, by key.
        limits: what files may be like.
        chunk_rows: how many rows a chunk has.
        together: `case` or `user`, when validators judge rows about the same one together.
        tell: called when clients can see progress before the split ends.
    """

    importers: Mapping[str, Importer]
    limits: Limits
    chunk_rows: int
    together: Collection[str] = ()
    tell: Callable[[ImportWork], Awaitable[None]] | None = None


class SplitEnd(NamedTuple):
    """What has become of an import's split.

    Args:
        app_id: the app of the import.
        import_end: the import's end, if its file was refused or no row waits.
    """

    app_id: int
    import_end: ImportEnd | None


class _TakenError(Exception):
    """Another worker has split the import, or is splitting it."""


async def split_import(import_id: int, settings: SplitSettings) -> SplitEnd | None:
    """Split an import's rows into chunks, which are stored in one transaction.

    A file that can't be read ends the import as failed, with the reasons.

    Returns:
        None when there was nothing to do, or another worker does it.

    Raises:
        RetryableError: the database is not well; no chunk has been kept.
    """
    async with connection() as db:
        work = await read_work(db, import_id)
    if work is None or work.is_split:
        return None
    # If the database stays out of reach, the attempt stays counted.
    take_back = partial(take_back_begin, import_id=import_id)
    attempts, begun = 0, time.monotonic()
    try:
        async with _holding(work) as db:
            attempts = await begin(db, import_id)
        if settings.tell:
            await settings.tell(work)
        end = await _split_rows(work, settings, attempts)
    except _TakenError:
        if attempts:
            await persist(take_back)
        return None
    except FileRefusedError as error:
        end = await _refuse_import(work, error.errors)
    except Exception as error:
        if is_passing(error):
            if is_blameless(error, begun):
                await persist(take_back, seconds=PATIENCE_SECONDS)
            raise RetryableError(f"import {import_id} is to be cut again: {error}") from error
        logger.exception("import %d can't be cut into chunks; it fails", import_id)
        end = await _refuse_import(work, [_NOT_CUT])
    return SplitEnd(work.app_id, end)


@asynccontextmanager
async def _holding(work: ImportWork) -> AsyncIterator[Connection]:
    """Open a transaction that holds the import's lock.

    Raises:
        _TakenError: another worker has split the import, or is splitting it.
    """
    async with transaction() as db:
        if not await lock_split(db, work.id):
            raise _TakenError
        present = await read_work(db, work.id)
        if present is None or present.is_split or present.retry != work.retry:
            raise _TakenError
        yield db


async def _refuse_import(work: ImportWork, errors: Sequence[ErrorDetail]) -> ImportEnd | None:
    """End the import, unless another worker has split it meanwhile."""
    end = None
    with suppress(_TakenError):
        async with _holding(work) as db:
            end = await refuse(db, work.id, [asdict(detail) for detail in errors])
    return end


@dataclass(frozen=True, slots=True, kw_only=True)
class _Split:
    """An import that is being split, with its importer."""

    work: ImportWork
    importer: Importer
    settings: SplitSettings


async def _split_rows(work: ImportWork, settings: SplitSettings, attempts: int) -> ImportEnd | None:
    importer = settings.importers.get(work.type)
    if importer is None:
        raise FileRefusedError([_no_importer(work.type)])
    if guard_of(importer) and attempts > MOST_ATTEMPTS:
        raise FileRefusedError([_ENDS_WORKERS])
    split = _Split(work=work, importer=importer, settings=settings)
    if work.retry is None:
        return await _split_file(split, attempts)
    return await _split_failed_rows(split)


async def _split_file(split: _Split, attempts: int) -> ImportEnd | None:
    work, importer, settings = split.work, split.importer, split.settings
    async with stored_file(work.id) as source:
        file = await asyncio.to_thread(OpenedFile, source, work, settings.limits)
        layout = layout_of(file.table.header, importer, settings.importers.values())
        is_all = await asyncio.to_thread(file.read_head, settings.chunk_rows)
        if not (is_all or work.is_cancelled):
            # When a worker has died of the file, its rows are read in chunks only, where the one
            # that is at fault can be found.
            await _write_early_failures(split, file, layout, MOST if attempts <= 1 else 0)
        async with _holding(work) as db:
            # Results of first rows may be another worker's, or those of an attempt before this.
            finished_numbers = await row_numbers(db, work.id)
            await allow_long(db, _SPLIT_SECONDS)
            rows = FileRows(db=db, file=file, finished_numbers=finished_numbers)
            count = await _store_chunks(split, db, rows, layout)
            return await finish_split(
                db,
                work.id,
                rows=count,
                told=len(finished_numbers),
                header=file.table.header,
                encoding=file.table.encoding,
                delimiter=file.table.delimiter,
            )


async def _write_early_failures(split: _Split, file: OpenedFile, layout: Layout, most: int) -> None:
    """Write results of a large file's first rows, in a transaction that ends before the split."""
    work, importer, tell = split.work, split.importer, split.settings.tell
    async with _holding(work) as db:
        with guarding(guard_of(importer)):
            has_results = await fail_first(db, work, importer, layout, file.head.part(0, most))
        # Results are shown with the names of their columns.
        await keep_header(db, work.id, file.table.header)
    if has_results and tell:
        await tell(work)


async def _split_failed_rows(split: _Split) -> ImportEnd | None:
    work, importer = split.work, split.importer
    layout = layout_of(work.header or [], importer)
    async with _holding(work) as db:
        await allow_long(db, _SPLIT_SECONDS)
        rows = FailedRows(db=db, work=work, importer=importer, layout=layout)
        count = await _store_chunks(split, db, rows, layout)
        return await finish_retry_split(db, work.id, rows=count)


async def _store_chunks(split: _Split, db: Connection, rows: RowSource, layout: Layout) -> int:
    """Store rows in chunks by their keys, or, where that fails, in one chain; return how many."""
    work, settings = split.work, split.settings
    by_key = KeyGrouping(
        importer=split.importer,
        layout=layout,
        directory=StoredDirectory(db, work.app_id),
        together=settings.together,
    )
    try:
        return await write_chunks(db, work, rows, by_key, size=settings.chunk_rows)
    except UngroupableError as error:
        # No chunk has been stored: that begins when all rows have their keys.
        logger.warning("the rows of import %d run one after another: %s", work.id, error)
        return await write_chunks(db, work, rows, SingleGrouping(), size=settings.chunk_rows)


def _no_importer(key: str) -> ErrorDetail:
    return ErrorDetail(
        code="UNKNOWN_TYPE",
        message=f"The import type '{key}' is not switched on where this import was to be run.",
    )
