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
from importers.rows.stored_directory import StoredDirectory
from importers.run.current_assignments import read_present
from importers.run.plan_rows import plan_rows
from importers.run.seen_keys import SeenKeys
from models.chunk import lock_chunk
from models.db import connection, persist, transaction
from models.progress import read_work
from models.trial import Trial, end_trial, note_trial, read_trial

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from asyncpg import Connection

    from importers.isolation.guard import Guard
    from importers.rows.cell_reader import ReadRow
    from importers.sdk.importer import Importer
    from models.chunk import ClaimedChunk
    from models.progress import ImportWork

logger = logging.getLogger(__name__)

_PIECES = 32


async def find_suspects(
    import_id: int, claim: ClaimedChunk, importers: Mapping[str, Importer]
) -> None:
    """Try out the rows of a chunk whose worker has died, and note each time which ones.

    Only strangers' importers are tried; Caseroll's own do not end workers.

    A first trial takes the rows in some thirty pieces. When the worker dies of one of these as
    well, the next trial takes that piece's rows one by one; a row that ends this trial too is
    condemned: it is to be left out when the chunk is run. So three deaths in succession point at
    it, and accidents at none.

    Raises:
        asyncpg.PostgresError, OSError: the database is not well.
    """
    noted: list[Trial] = []
    try:
        await _try_out(import_id, claim, importers, noted)
    except Exception:  # the worker is alive, so whatever it was is no fault of the rows
        if noted:
            await _take_back(claim.chunk_id, noted[-1])
        raise


async def _take_back(chunk_id: int, trial: Trial) -> None:
    """Take a note back, also when the database is away for a while."""
    if not await persist(lambda db: end_trial(db, chunk_id, trial), seconds=PATIENCE_SECONDS):
        logger.warning("what was noted of chunk %d could not be taken back", chunk_id)


async def _try_out(
    import_id: int, claim: ClaimedChunk, importers: Mapping[str, Importer], noted: list[Trial]
) -> None:
    # What is noted has to stay when the transaction doesn't, so it has a connection of its own.
    async with connection() as notes, transaction() as db:
        chunk = await lock_chunk(db, claim.chunk_id)
        work = await read_work(db, import_id) if chunk else None
        importer = importers.get(work.type) if work else None
        guard = guard_of(importer) if importer else None
        if chunk is None or work is None or importer is None or guard is None or work.is_cancelled:
            return
        trials = _Trials(
            db=db,
            notes=notes,
            work=work,
            importer=importer,
            guard=guard,
            claim=claim,
            rows=unpack_rows(chunk.payload),
            carry=chunk.carry,
            noted=noted,
        )
        await trials.run()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trials:
    """Tries out the rows of one chunk, within a transaction that holds it and changes nothing.

    Args:
        noted: gets what is noted, the last one last.
    """

    db: Connection
    notes: Connection
    work: ImportWork
    importer: Importer
    guard: Guard
    claim: ClaimedChunk
    rows: Sequence[ReadRow]
    carry: bytes | None
    noted: list[Trial]

    async def run(self) -> None:
        found = await read_trial(self.notes, self.claim.chunk_id)
        condemned = list(found.condemned)
        if found.until - found.since == 1:
            condemned.append(found.since)
            row = self.rows[found.since].number
            logger.error("importer %r ends its worker on row %d", self.importer.key, row)
        if self.claim.attempts <= most_attempts(condemned):
            for since, until in _pieces(found, len(self.rows)):
                # Who has lost the chunk while it hung must not write over what others have noted.
                await self.db.execute("SELECT 1")
                await self._note(Trial(since, until, condemned))
                rows = enumerate(self.rows[since:until], since)
                await self._try([row for place, row in rows if place not in condemned])
        await self._note(Trial(0, 0, condemned))

    async def _note(self, trial: Trial) -> None:
        self.noted.append(trial)
        await note_trial(self.notes, self.claim.chunk_id, trial)

    async def _try(self, rows: Sequence[ReadRow]) -> None:
        if not rows:
            return
        importer, claims = self.importer, SeenKeys.unpack(self.carry)
        layout = layout_of(self.work.header or [], importer)
        directory = StoredDirectory(self.db, self.work.app_id)
        with guarding(self.guard):
            await read_rows(importer, layout, rows, directory)
            await read_present(importer, rows, directory, claims)
            plan_rows(importer, layout, rows, claims)


def _pieces(found: Trial, rows: int) -> Iterator[tuple[int, int]]:
    """Say which rows are tried out together, given those of which the last worker has died."""
    if found.until - found.since > 1:
        yield from ((place, place + 1) for place in range(found.since, min(found.until, rows)))
        return
    size = max(2, ceil(rows / _PIECES))  # one row alone is what the next trial is for
    yield from ((since, since + size) for since in range(0, rows, size))
