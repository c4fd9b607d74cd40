"""Running an import whose rows are applied all together, or not at all: in one transaction."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from importers.isolation.attempts import MOST_ATTEMPTS, PATIENCE_SECONDS, is_blameless
from importers.rows.not_applied import NOT_APPLIED, cancelled_as
from importers.run.plan_rows import importer_error
from importers.run.run_chunk import ChunkEnd, Plugins, carry_out_chunk
from importers.sdk.errors import RetryableError
from models.chunk import ClaimedChunk, delete_chunks, lock_chunk, lock_chunks
from models.db import allow_long, is_passing, persist, transaction
from models.plan import end_whole
from models.progress import (
    begin,
    count,
    is_cancelled,
    lock_split,
    read_work,
    take_back_begin,
)
from models.row import RowStatus, delete_rows, write_rows
from models.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncpg import Connection

    from importers.sdk.errors import ErrorDetail
    from importers.sdk.importer import Importer
    from importers.sdk.validator import Validator
    from models.progress import ImportWork
    from models.row import RowResult

logger = logging.getLogger(__name__)

_STOPS_WORKERS = importer_error(
    "The import stopped its worker, or took too long, {attempts} times.", attempts=MOST_ATTEMPTS
)
_SECONDS = 1_800
# Of rows that fail although they were planned, so many are told; then the import is given up.
_MOST_TOLD = 10_000


class _NotWholeError(Exception):
    """Some rows have failed: all that was done is to be undone."""

    def __init__(self, failed: Sequence[RowResult]) -> None:
        self.failed = failed


async def run_whole(
    import_id: int, importers: Mapping[str, Importer], validators: Sequence[Validator] = ()
) -> ChunkEnd | None:
    """Apply all chunks of an import's plan in one transaction, or nothing of it.

    Returns:
        None when another worker does it, or there is nothing to do.

    Raises:
        RetryableError: the database is not well; nothing has been kept.
    """
    started = time.monotonic()
    # Committed at once, so that the count survives a worker that dies of the import.
    async with transaction() as db:
        if not await lock_split(db, import_id):
            return None
        attempts = await begin(db, import_id)
    try:
        if attempts > MOST_ATTEMPTS:
            return await _give_up(import_id, (), _STOPS_WORKERS)
        return await _apply_all(import_id, Plugins(importers, validators))
    except _NotWholeError as error:
        return await _give_up(import_id, error.failed, NOT_APPLIED)
    except Exception as error:
        if not (is_passing(error) or isinstance(error, RetryableError)):
            raise
        if is_blameless(error, started):
            await persist(lambda db: take_back_begin(db, import_id), seconds=PATIENCE_SECONDS)
        raise RetryableError(f"import {import_id} is to be applied again: {error}") from error


async def _apply_all(import_id: int, plugins: Plugins) -> ChunkEnd | None:
    async with transaction() as db:
        work = await _hold(db, import_id)
        if work is None:
            return None
        if work.is_cancelled:
            status, why = cancelled_as(work)
            return await _end_unapplied(db, work, status, why)
        tally, rows, has_mails = Tally.of(()), 0, False
        failed: list[RowResult] = []
        for chunk_id in await lock_chunks(db, import_id):
            chunk = await lock_chunk(db, chunk_id)
            if chunk is None or await is_cancelled(db, import_id):
                raise RetryableError("it was cancelled, or lost its chunks")
            claim = ClaimedChunk(chunk_id, attempts=1, has_more=True)
            done = await carry_out_chunk(db, work, chunk, claim, plugins)
            failed += [each for each in done.settled.results if each.status is RowStatus.FAILED]
            if len(failed) >= _MOST_TOLD:
                break
            tally, rows = tally.plus(done.tally), rows + done.rows
            has_mails = has_mails or bool(done.settled.notifications)
        if failed:
            raise _NotWholeError(failed)
        end, _ = await count(db, import_id, tally, done=rows)
        return ChunkEnd(
            work.app_id, has_successor=False, has_notifications=has_mails, import_end=end
        )


async def _hold(db: Connection, import_id: int) -> ImportWork | None:
    """Keep other workers from the import until the transaction ends; None if one has it."""
    await allow_long(db, _SECONDS)
    if not await lock_split(db, import_id):
        return None
    work = await read_work(db, import_id)
    return work if work and work.is_whole else None


async def _give_up(
    import_id: int, failed: Sequence[RowResult], error: ErrorDetail
) -> ChunkEnd | None:
    """End the import with nothing applied."""
    async with transaction() as db:
        work = await _hold(db, import_id)
        if work is None:
            return None
        await delete_rows(db, import_id, [result.number for result in failed])
        await write_rows(db, work.app_id, import_id, failed)
        return await _end_unapplied(db, work, RowStatus.FAILED, error, others=len(failed))


async def _end_unapplied(
    db: Connection,
    work: ImportWork,
    status: RowStatus,
    error: ErrorDetail | None,
    *,
    others: int = 0,
) -> ChunkEnd:
    await delete_chunks(db, work.id)
    details = error.as_dict() if error else None
    end = await end_whole(db, work.id, status, details, others=others)
    return ChunkEnd(work.app_id, has_successor=False, has_notifications=False, import_end=end)
