"""Finding the rows that end the worker which runs them, so that they fail alone."""

from __future__ import annotations

import logging
from contextlib import suppress
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from importers.isolation.attempts import PATIENCE_SECONDS, most_attempts
from importers.isolation.guard import GUARDED_SECONDS, guard_of, guarding
from importers.rows.cell_reader import read_rows
from importers.rows.layout import stored_layout
from importers.rows.payload import unpack_rows
from importers.run.carried_keys import CarriedKeys
from importers.run.chunk_context import DatabaseStore, open_context
from importers.run.plan_rows import plan_rows
from models.chunk import Trial, end_trial, lock_chunk, note_trial, read_trial
from models.db import RaceError, allow_long, connection, persist, transaction
from models.progress import read_work

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from asyncpg import Connection

    from importers.isolation.guard import Guard
    from importers.rows.cell_reader import ReadRow
    from importers.sdk.importer import Importer
    from models.chunk import ChunkWork, ClaimedChunk
    from models.progress import ImportWork

logger = logging.getLogger(__name__)

# Of 10,000 rows, a first trial then takes 32 pieces, and writes as many notes; a second one takes
# the 313 rows of one piece.
_PIECES = 32


async def find_suspects(
    import_id: int, claim: ClaimedChunk, importers: Mapping[str, Importer]
) -> None:
    """Try out the rows of a chunk whose worker has died, and note each time which ones.

    Only plugins' importers are tried; Caseroll's own do not end workers. Those that take groups as
    a whole can't be tried with a part of a group.

    A first trial takes the rows in some thirty pieces. When the worker dies of one of these as
    well, the next trial takes that piece's rows one by one; a row that ends this trial too is
    condemned: it is left out when the chunk is run. So three deaths in succession point at it, and
    accidents at none.

    Raises:
        asyncpg.PostgresError, OSError: the database is not well.
    """
    chunk_id = claim.chunk_id
    noted: Trial | None = None
    try:
        # What is noted has to stay when the transaction doesn't, so it has a connection of its own.
        async with connection() as notes, transaction() as db:
            tried = await _lock_tried(db, import_id, claim, importers)
            if tried is None:
                return
            found = await read_trial(notes, chunk_id)
            condemned = _condemned(tried, found)
            is_worth_it = claim.attempts <= most_attempts(condemned)  # the chunk is run after this
            for trial in _pieces(found, condemned, len(tried.rows)) if is_worth_it else ():
                # A worker that has lost the chunk while it hung must not write over what others
                # have noted.
                await db.execute("SELECT 1")
                # Not before: if the line above fails, the note of the rows before these has to go,
                # or the next worker takes them for those that its predecessor has died of.
                noted = trial
                await note_trial(notes, chunk_id, trial)
                await _try_out(tried, trial)
            await note_trial(notes, chunk_id, Trial(0, 0, condemned))
    except Exception:  # the worker is alive, so whatever it was is no fault of the rows
        if noted and not await persist(
            lambda db: end_trial(db, chunk_id, noted), seconds=PATIENCE_SECONDS
        ):
            logger.warning("what was noted of chunk %d could not be taken back", chunk_id)
        raise


class _Tried(NamedTuple):
    """A chunk whose rows are tried, in a transaction that holds it and changes nothing."""

    work: ImportWork
    chunk: ChunkWork
    importer: Importer
    guard: Guard
    store: DatabaseStore
    rows: Sequence[ReadRow]


async def _lock_tried(
    db: Connection, import_id: int, claim: ClaimedChunk, importers: Mapping[str, Importer]
) -> _Tried | None:
    chunk = await lock_chunk(db, claim.chunk_id)
    work = await read_work(db, import_id) if chunk else None
    importer = importers.get(work.type) if work else None
    if chunk is None or work is None or importer is None or work.is_cancelled:
        return None
    if importer.group_by is not None:
        return None
    store = DatabaseStore(db, work.app_id, work.id, work.is_dry_run)
    guard = guard_of(importer, store.keep_alive)
    if guard is None:
        return None
    await allow_long(db, GUARDED_SECONDS, statements=False)
    return _Tried(work, chunk, importer, guard, store, unpack_rows(chunk.payload))


def _condemned(tried: _Tried, found: Trial) -> Sequence[int]:
    """Return the places of the rows that end workers, with the one that was tried out alone."""
    if found.until - found.since != 1:
        return found.condemned
    number = tried.rows[found.since].number
    logger.error("importer %r ends its worker on row %d", tried.importer.key, number)
    return [*found.condemned, found.since]


def _pieces(found: Trial, condemned: Sequence[int], rows: int) -> Iterator[Trial]:
    """Say which rows are tried out together, given those that the last worker has died of."""
    first, until, size = 0, rows, max(2, ceil(rows / _PIECES))  # one alone is for the next trial
    if found.until - found.since > 1:
        first, until, size = found.since, min(found.until, rows), 1
    for place in range(first, until, size):
        yield Trial(place, place + size, condemned)


async def _try_out(tried: _Tried, trial: Trial) -> None:
    """Read and plan rows, as running them does, but for those that are condemned."""
    places = range(trial.since, min(trial.until, len(tried.rows)))
    rows = [tried.rows[place] for place in places if place not in trial.condemned]
    if not rows:
        return
    work, importer = tried.work, tried.importer
    try:
        with guarding(tried.guard):
            layout = stored_layout(work, importer)
    except Exception:  # where columns can't be laid out, the run of the chunk says so
        return
    # A race is lost by a worker that is alive; the chunk itself is run again then.
    with guarding(tried.guard), suppress(RaceError):
        context = await open_context(importer, layout, tried.store)
        await read_rows(importer, layout, rows, context.directory)
        await plan_rows(context, rows, CarriedKeys.unpack(tried.chunk.carry))
