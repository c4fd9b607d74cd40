"""Splitting: from the stored file, or from rows that failed, to chunks."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from importers.isolation.attempts import MOST_ATTEMPTS, PATIENCE_SECONDS, is_blameless
from importers.isolation.guard import GUARDED_SECONDS, guard_of, guarding, is_guest
from importers.reading.record import Batch
from importers.rows.cell_reader import ReadRow, failed_result, read_rows
from importers.rows.header_mapping import HeaderMapping
from importers.rows.header_warnings import header_warnings
from importers.rows.layout import layout_of, stored_layout, with_knowledge
from importers.rows.observation import observing_positions
from importers.rows.payload import texts_of
from importers.rows.stored_directory import StoredDirectory
from importers.sdk.errors import ErrorDetail, FileRefusedError, RetryableError
from importers.split.chunk_writer import store_chunks
from importers.split.failed_rows import failed_rows, rows_planned_again
from importers.split.file_check import check_stored_file, checks_files
from importers.split.file_rows import OpenedFile, observing, stored_file, unfinished_rows
from importers.split.grouping import grouping_by_keys
from importers.split.planned_rows import (
    decide,
    end_cancelled,
    looks_at_rows_together,
    planned_rows,
    stage_of,
)
from importers.undo.inverse_rows import inverse_rows
from importers.undo.undo_import import HEADER
from models.db import allow_long, connection, is_passing, persist, transaction
from models.plan import end_planned, finish_plan_split
from models.progress import (
    begin,
    count_first,
    finish_retry_split,
    finish_split,
    keep_header,
    lock_split,
    read_work,
    refuse,
    take_back_begin,
)
from models.row import RowStatus, row_numbers, write_rows
from models.stored_chunks import store_planned_chunks, store_undo_chunks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence

    from asyncpg import Connection

    from importers.reading.format_reader import FormatReader
    from importers.reading.limits import Limits
    from importers.rows.layout import Layout
    from importers.rows.observation import Observed
    from importers.sdk.importer import Importer
    from models.imports import ImportEnd
    from models.progress import ImportWork

# A split is one transaction; ten million rows take longer than transactions may otherwise.
_SPLIT_SECONDS = 1_800
# A user is on several cases: a chunk of rows about all of them would change too much at once.
_ASSIGNMENTS_OF_A_ROW = 10
# First rows of a large file that have their results early, if they fail by themselves.
MOST = 1_000
_ENDS_WORKERS = ErrorDetail.of(
    "IMPORTER_ERROR",
    "The importer has ended its worker {attempts} times while the file was cut into chunks, or took"
    " too long.",
    attempts=MOST_ATTEMPTS,
)
_NOT_CUT = ErrorDetail(
    code="NOT_CUT",
    message="The file could not be worked on, by no fault of its own; the worker's log says why.",
)
_TOO_MANY_FOR_ONE = (
    "The file has more rows than can be applied all or nothing; {limit:,} are the most."
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSettings:
    """How files are split into chunks.

    Args:
        importers: those that are on, by key.
        readers: those of plugins, which are asked first whether they take a file.
        together: `case`, `user` or `app`, when validators judge rows about the same one together.
        tell: called when clients can see progress before the split ends.
    """

    importers: Mapping[str, Importer]
    limits: Limits
    chunk_rows: int
    readers: Sequence[FormatReader] = ()
    together: Collection[str] = ()
    tell: Callable[[ImportWork], Awaitable[None]] | None = None

    def rows_of(self, importer: Importer) -> int:
        """Return how many rows a chunk of the importer has."""
        # Rows of a group are about the same assignments, and are not to be parted.
        if importer._ordering is None or importer.group_by is not None:
            return self.chunk_rows
        return ceil(self.chunk_rows / _ASSIGNMENTS_OF_A_ROW)


class SplitEnd(NamedTuple):
    """What has become of an import's split.

    `import_end` is the import's end, if its file was refused or no row waits.
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
        # Committed at once, so that the count survives a worker that dies of the file.
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
async def _holding(work: ImportWork, *, is_long: bool = False) -> AsyncIterator[Connection]:
    """Open a transaction that holds the import's lock.

    Args:
        is_long: whether all rows of the import are gone through in it.

    Raises:
        _TakenError: another worker has split the import, or is splitting it.
    """
    async with transaction() as db:
        if not await lock_split(db, work.id):
            raise _TakenError
        present = await read_work(db, work.id)
        if present is None or present.is_split or _task(present) != _task(work):
            raise _TakenError
        if is_long:
            await allow_long(db, _SPLIT_SECONDS)
        yield db


def _task(work: ImportWork) -> tuple[object, ...]:
    """Return what is to be cut: the file, failed rows, or those of a plan."""
    return work.retry, work.stage


async def _refuse_import(work: ImportWork, errors: Sequence[ErrorDetail]) -> ImportEnd | None:
    """End the import, unless another worker has split it meanwhile."""
    end = None
    with suppress(_TakenError):
        async with _holding(work, is_long=True) as db:
            details = [detail.as_dict() for detail in errors]
            if work.plan_id == work.id and work.is_cancelled:
                return await end_cancelled(db, work)
            if work.plan_id == work.id:
                return await end_planned(db, work.id, RowStatus.FAILED, details[0])
            end = await refuse(db, work.id, details)
    return end


async def _split_rows(work: ImportWork, settings: SplitSettings, attempts: int) -> ImportEnd | None:
    importer = settings.importers.get(work.type)
    if importer is None:
        template = "The import type '{type}' is not switched on where this import was to be run."
        raise FileRefusedError([ErrorDetail.of("UNKNOWN_TYPE", template, type=work.type)])
    # Caseroll's own importers have no guard: they end no worker, and what ends one is an accident.
    if (guard_of(importer) or settings.readers) and attempts > MOST_ATTEMPTS:
        raise FileRefusedError([_ENDS_WORKERS])
    if work.plan_id is not None:
        return await _split_plan(work, work.plan_id, importer, settings)
    if work.retry is None and work.undo_of_id is not None:
        return await _split_undo(work, work.undo_of_id, importer, settings)
    if work.retry is None:
        return await _split_file(work, importer, settings, attempts)
    layout = stored_layout(work, importer)
    async with _holding(work, is_long=True) as db:
        read = rows_planned_again if work.is_dry_run else failed_rows
        batches = partial(read, db, work, importer, layout)
        count = await _store_chunks(db, work, batches, layout, settings)
        stage = await stage_of(db, work, importer, count)
        return await finish_retry_split(db, work.id, rows=count, stage=stage)


async def _split_plan(
    work: ImportWork, plan_id: int, importer: Importer, settings: SplitSettings
) -> ImportEnd | None:
    """Store the rows of a plan in chunks, if it is to be carried out."""
    layout = stored_layout(work, importer)
    async with _holding(work, is_long=True) as db:
        decision = await decide(db, work, plan_id)
        if not decision.is_carried_out:
            return decision.end
        count = None
        if not (settings.together or looks_at_rows_together(importer)):
            count = await store_planned_chunks(db, work, plan_id)
        if count is None:
            batches = partial(planned_rows, db, work, plan_id, importer)
            count = await _store_chunks(db, work, batches, layout, settings)
        return await finish_plan_split(db, work.id, rows=count, stage=decision.stage)


async def _split_undo(
    work: ImportWork, undo_of_id: int, importer: Importer, settings: SplitSettings
) -> ImportEnd | None:
    """Store the rows that undo an import in chunks."""
    layout = layout_of(HEADER, importer)
    async with _holding(work, is_long=True) as db:
        count = None
        if not settings.together:
            count = await store_undo_chunks(db, work, undo_of_id, settings.rows_of(importer))
        if count is None:
            batches = partial(inverse_rows, db, undo_of_id)
            count = await _store_chunks(db, work, batches, layout, settings)
        stage = await stage_of(db, work, importer, count)
        return await finish_split(db, work.id, rows=count, header=HEADER, stage=stage)


async def _split_file(
    work: ImportWork, importer: Importer, settings: SplitSettings, attempts: int
) -> ImportEnd | None:
    async with stored_file(work.id) as source:
        file = await asyncio.to_thread(OpenedFile, source, work, settings.limits, settings.readers)
        table = file.table
        layout = layout_of(
            table.header,
            importer,
            settings.importers.values(),
            mapping=HeaderMapping.of(work.header_mapping),
            below=table.below,
            first_column=table.first_column,
        )
        layout = with_knowledge(layout, importer, {}, work.date_order)
        is_all = await asyncio.to_thread(file.read_head, settings.chunk_rows)
        if not (is_all or work.is_cancelled):
            # When a worker has died of the file, its rows are read in chunks only, where the one
            # that is at fault can be found. Rows of a group wait for the others of theirs.
            is_early = attempts <= 1 and importer.group_by is None
            first = file.head.part(0, MOST if is_early else 0)
            # A transaction of its own, so that clients see these results while the file is read.
            async with _holding(work) as db:
                if is_guest(importer):
                    await allow_long(db, GUARDED_SECONDS, statements=False)
                has_results = await _write_early_failures(db, work, importer, layout, first)
                # Results are shown with the names of their columns.
                await keep_header(db, work.id, table.header)
            if has_results and settings.tell:
                await settings.tell(work)
        async with _holding(work, is_long=True) as db:
            return await _store_file(db, work, file, layout, settings)


async def _store_file(
    db: Connection,
    work: ImportWork,
    file: OpenedFile,
    layout: Layout,
    settings: SplitSettings,
) -> ImportEnd | None:
    """Store the rows of a file in chunks, but for those that have their results."""
    importer = settings.importers[work.type]
    # These may be another worker's, or those of an attempt before this.
    finished_numbers = frozenset(await row_numbers(db, work.id))
    observed: Observed = {}
    observe_rows = observing(importer, layout, observed)
    batches = partial(unfinished_rows, db, file, finished_numbers, observe_rows)
    count = await _store_chunks(db, work, batches, layout, settings)
    if work.is_atomic and count > settings.limits.atomic_rows:
        limit = settings.limits.atomic_rows
        raise FileRefusedError([ErrorDetail.of("TOO_MANY_ROWS", _TOO_MANY_FOR_ONE, limit=limit)])
    # Its present one: when rows can't be grouped, the file is read again, and opened for that.
    table = file.table
    if checks_files(importer) and not work.is_cancelled:
        layout = with_knowledge(layout, importer, observed, work.date_order)
        await check_stored_file(db, work, file, importer, layout)
    mapping = HeaderMapping.of(work.header_mapping)
    warnings = [*table.warnings, *header_warnings(table.header, importer, mapping)]
    return await finish_split(
        db,
        work.id,
        rows=count,
        told=len(finished_numbers),
        header=table.header,
        encoding=table.encoding,
        delimiter=table.delimiter,
        warnings=[warning.as_dict() for warning in warnings],
        observed={name: sorted(shown) for name, shown in observed.items()},
        stage=await stage_of(db, work, importer, count),
    )


async def _write_early_failures(
    db: Connection, work: ImportWork, importer: Importer, layout: Layout, rows: Batch
) -> bool:
    """Write the results of a large file's first rows that fail by themselves.

    What is wrong with a row's own cells is wrong whatever the rest of the file says, and such a row
    changes nothing. So clients see it before the file is read to its end, where all may yet be
    refused. Rows whose cells the rest of the file helps to read, such as days, wait for it.

    Returns:
        whether any rows have results, from this attempt or one before it.
    """
    if await row_numbers(db, work.id):
        return True
    waiting = observing_positions(importer, layout)
    rows = Batch.of(
        (number, cells)
        for number, cells in rows.records()
        if not any(cells[place].strip() for place in waiting if place < len(cells))
    )
    if not rows.numbers:
        return False
    read = [
        ReadRow(number, cells, text=text)
        for (number, cells), text in zip(rows.records(), texts_of(rows.cells), strict=True)
    ]
    directory = StoredDirectory(db, work.app_id)
    with guarding(guard_of(importer, directory.keep_alive)):
        await read_rows(importer, layout, read, directory)
    failed = [failed_result(row, row.errors) for row in read if _fails_for_sure(row.errors)]
    if failed:
        await write_rows(db, work.app_id, work.id, failed)
        await count_first(db, work.id, len(failed))
    return bool(failed)


def _fails_for_sure(errors: Sequence[ErrorDetail]) -> bool:
    """Tell whether a row's errors are the file's: a plugin that fails may do better later."""
    return bool(errors) and all(error.code != "IMPORTER_ERROR" for error in errors)


async def _store_chunks(
    db: Connection,
    work: ImportWork,
    batches: Callable[[], AsyncIterator[Batch]],
    layout: Layout,
    settings: SplitSettings,
) -> int:
    importer = settings.importers[work.type]
    directory = StoredDirectory(db, work.app_id)
    by_keys = grouping_by_keys(importer, layout, directory, settings.together)
    return await store_chunks(db, work, batches, by_keys, size=settings.rows_of(importer))
