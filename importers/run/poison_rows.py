"""Finding the rows that end the worker which runs them, so that they fail alone."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from importers.isolation.attempts import PATIENCE_SECONDS, most_attempts
from importers.isolation.guard import guard_of, guarding
from importers.rows.cell_reader import read_rows
from importers.rows.layout import layout_of
from importers.rows.payload import unpack_rows
from importers.run.carried_keys import CarriedKeys
from importers.run.chunk_context import open_context
from importers.run.chunk_store import DatabaseStore
from importers.run.plan_rows import plan_rows
from models.chunk import Trial, end_trial, lock_chunk, note_trial, read_trial
from models.db import connection, persist, transaction
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

_PIECES = 32


async def find_suspects(
    import_id: int, claim: ClaimedChunk, importers: Mapping[str, Importer]
) -> None:
    """Try out the rows of a chunk whose worker has died, and note each time which ones.

    Only plugins' importers are tried; Caseroll's own do not end workers.

    A first trial takes the rows in some thirty pieces. When the worker dies of one of these as
    well, the next trial takes that piece's rows one by one; a row that ends this trial too is
    condemned: it is left out when the chunk is run. So three deaths in succession point at it, and
    accidents at none.

    Raises:
        asyncpg.PostgresError, OSError: the database is not well.
    """
    noted: Trial | None = None
    try:
        # What is noted has to stay when the transaction doesn't, so it has a connection of its own.
        async with connection() as notes, transaction() as db:
            trials = await _prepare(db, notes, import_id, claim, importers)
            if trials is None:
                return
            for noted in trials.pieces():
                # A worker that has lost the chunk while it hung must not write over what others
                # have noted.
                await db.execute("SELECT 1")
                await note_trial(notes, claim.chunk_id, noted)
                await trials.run(noted)
            await note_trial(notes, claim.chunk_id, Trial(0, 0, trials.condemned))
    except Exception:  # the worker is alive, so whatever it was is no fault of the rows
        if noted:
            await _take_back(claim.chunk_id, noted)
        raise


async def _take_back(chunk_id: int, trial: Trial) -> None:
    """Take a note back, also when the database is away for a while."""
    if not await persist(lambda db: end_trial(db, chunk_id, trial), seconds=PATIENCE_SECONDS):
        logger.warning("what was noted of chunk %d could not be taken back", chunk_id)


async def _prepare(
    db: Connection,
    notes: Connection,
    import_id: int,
    claim: ClaimedChunk,
    importers: Mapping[str, Importer],
) -> _Trials | None:
    """Lock the chunk, and read what earlier trials have found; None when there is none to try."""
    chunk = await lock_chunk(db, claim.chunk_id)
    work = await read_work(db, import_id) if chunk else None
    importer = importers.get(work.type) if work else None
    guard = guard_of(importer) if importer else None
    if chunk is None or work is None or importer is None or guard is None or work.is_cancelled:
        return None
    rows = unpack_rows(chunk.payload)
    found = await read_trial(notes, claim.chunk_id)
    condemned = list(found.condemned)
    if found.until - found.since == 1:
        condemned.append(found.since)
        number = rows[found.since].number
        logger.error("importer %r ends its worker on row %d", importer.key, number)
    return _Trials(
        db=db,
        work=work,
        importer=importer,
        guard=guard,
        chunk=chunk,
        rows=rows,
        suspects=(found.since, found.until),
        condemned=condemned,
        is_worth_it=claim.attempts <= most_attempts(condemned),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trials:
    """The trials of one chunk's rows, in a transaction that holds the chunk and changes nothing.

    Args:
        suspects: the places of the rows, from the first to before the last, that the last worker
            has died of; none if both are the same.
        condemned: the places of the rows that are known to end workers.
        is_worth_it: whether the chunk is run at all after this.
    """

    db: Connection
    work: ImportWork
    importer: Importer
    guard: Guard
    chunk: ChunkWork
    rows: Sequence[ReadRow]
    suspects: tuple[int, int]
    condemned: Sequence[int]
    is_worth_it: bool

    def pieces(self) -> Iterator[Trial]:
        """Say which rows are tried out together."""
        if not self.is_worth_it:
            return
        since, until = self.suspects
        if until - since > 1:
            for place in range(since, min(until, len(self.rows))):
                yield Trial(place, place + 1, self.condemned)
            return
        size = max(2, ceil(len(self.rows) / _PIECES))  # one row alone is what the next trial is for
        for place in range(0, len(self.rows), size):
            yield Trial(place, place + size, self.condemned)

    async def run(self, trial: Trial) -> None:
        """Read and plan rows, as running them does, but for those that are condemned."""
        places = range(trial.since, min(trial.until, len(self.rows)))
        rows = [self.rows[place] for place in places if place not in self.condemned]
        if not rows:
            return
        layout = layout_of(self.work.header or [], self.importer)
        with guarding(self.guard):
            context = await open_context(self.importer, layout, DatabaseStore(self.db, self.work))
            await read_rows(context.importer, context.layout, rows, context.directory)
            await plan_rows(context, rows, CarriedKeys.unpack(self.chunk.carry))
