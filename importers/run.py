"""Running a chunk: one transaction that holds its rows' effects, results, history and mails."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from importers.apply import Applier
from importers.claims import Claims
from importers.errors import RetryableError
from importers.payload import unpack_rows
from importers.plan import importer_error, plan_rows
from importers.read import read_rows
from importers.settle import Settled, failure
from importers.split import layout_of
from importers.stored import StoredDirectory
from models.chunk import claim_chunk, finish_chunk, give_back, hand_over, lock_chunk
from models.db import connection, is_passing, transaction
from models.mail import leave_mails
from models.progress import count, read_work
from models.row import RowResult, RowStatus, delete_rows, write_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncpg import Connection

    from importers.base import Importer
    from importers.read import ReadRow
    from models.chunk import ChunkWork, Claim
    from models.progress import Work

MOST_ATTEMPTS = 5
# PostgreSQL ends a transaction that is silent for 15 seconds: a slow importer gives signs of life.
_ROWS_BETWEEN_SIGNS = 500
# A chunk that lost its transaction sooner than this is not to blame for it.
_BLAMELESS_SECONDS = 10.0


class ChunkEnd(NamedTuple):
    """What has become of a chunk.

    Args:
        app_id: the app of its import.
        is_last: whether the import is finished with it.
        has_successor: whether a chained chunk can run now.
        has_mails: whether it has left mails.
    """

    app_id: int
    is_last: bool
    has_successor: bool
    has_mails: bool


async def next_chunk(import_id: int) -> Claim | None:
    """Choose a chunk of the import to run."""
    async with connection() as db:
        return await claim_chunk(db, import_id)


async def run_chunk(
    import_id: int, claim: Claim, importers: Mapping[str, Importer]
) -> ChunkEnd | None:
    """Run a chunk to its end, or not at all.

    Returns:
        None when somebody else runs it or has run it.

    Raises:
        RetryableError: the database is not well; nothing of the chunk has been kept.
    """
    started = time.monotonic()
    try:
        async with transaction() as db:
            chunk = await lock_chunk(db, claim.chunk_id)
            work = await read_work(db, import_id) if chunk else None
            if chunk is None or work is None:
                return None
            return await _run(db, work, chunk, claim, importers)
    except Exception as error:
        if not (is_passing(error) or isinstance(error, RetryableError)):
            raise
        if time.monotonic() - started < _BLAMELESS_SECONDS:
            await _give_back(claim)
        raise RetryableError(f"chunk {claim.chunk_id} is to be run again: {error}") from error


async def _give_back(claim: Claim) -> None:
    """The chunk is not to blame; if the database is out of reach, the attempt stays counted."""
    try:
        async with connection() as db:
            await give_back(db, claim.chunk_id)
    except Exception as error:
        if not is_passing(error):
            raise


async def _run(
    db: Connection,
    work: Work,
    chunk: ChunkWork,
    claim: Claim,
    importers: Mapping[str, Importer],
) -> ChunkEnd:
    rows = sorted(unpack_rows(chunk.payload), key=lambda row: (row.number, not row.is_context))
    claims = Claims.unpack(chunk.carry)
    importer = importers.get(work.type)
    if work.is_cancelled:
        settled = Settled(_cancelled(rows, chunk), [], [])
    elif claim.attempts > MOST_ATTEMPTS:
        settled = _given_up(
            rows, f"these rows stopped their worker, or took too long, {MOST_ATTEMPTS} times."
        )
    elif importer is None:
        settled = _given_up(rows, f"the import type '{work.type}' is not switched on.")
    else:
        settled = await _carry_out(db, work, importer, rows, claims)
    await _write_results(db, work, chunk, settled)
    if chunk.has_successor:
        await hand_over(db, work.id, chunk.number + 1, claims.pack())
    await finish_chunk(db, work.id, claim.chunk_id)
    own = [row for row in rows if not row.is_context]
    is_last = await count(
        db,
        work.id,
        settled.results,
        done=len(own),
        tried_before=len(settled.results) if chunk.is_retry else 0,
    )
    return ChunkEnd(work.app_id, is_last, chunk.has_successor, bool(settled.notices))


def _cancelled(rows: Sequence[ReadRow], chunk: ChunkWork) -> list[RowResult]:
    """Rows that never ran are cancelled; those of a retry stay as failed as they were."""
    if chunk.is_retry:
        return []
    return [RowResult(row.number, row.cells, RowStatus.CANCELLED) for row in rows]


def _given_up(rows: Sequence[ReadRow], why: str) -> Settled:
    errors = [importer_error(why)]
    return Settled([failure(row, errors) for row in rows if not row.is_context], [], [])


async def _carry_out(
    db: Connection,
    work: Work,
    importer: Importer,
    rows: Sequence[ReadRow],
    claims: Claims,
) -> Settled:
    layout = layout_of(work.header or [], importer, {importer.key: importer})
    directory = StoredDirectory(db, work.app_id)
    await read_rows(importer, layout, rows, directory)
    plans = []
    for start in range(0, len(rows), _ROWS_BETWEEN_SIGNS):
        plans += plan_rows(importer, layout, rows[start : start + _ROWS_BETWEEN_SIGNS], claims)
        await db.execute("SELECT 1")
    role_keys = {role.id: role.key for role in (await directory.roles()).values()}
    applier = Applier(
        db=db, work=work, importer=importer, layout=layout, claims=claims, role_keys=role_keys
    )
    return await applier.apply(plans)


async def _write_results(db: Connection, work: Work, chunk: ChunkWork, settled: Settled) -> None:
    if chunk.is_retry:
        await delete_rows(db, work.id, [result.number for result in settled.results])
    await write_rows(db, work.app_id, work.id, settled.results)
    if settled.notices:
        await leave_mails(db, work.app_id, work.id, settled.notices)
