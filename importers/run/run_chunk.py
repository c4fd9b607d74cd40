"""Running a chunk: one transaction that holds its rows' effects, results, history and mails."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from importers.isolation.attempts import PATIENCE_SECONDS, is_blameless, most_attempts
from importers.isolation.guard import Guard, guard_of, guarding
from importers.rows.cell_reader import read_rows
from importers.rows.layout import layout_of
from importers.rows.payload import unpack_rows
from importers.rows.stored_directory import StoredDirectory
from importers.run.apply import Applier, apply_columns
from importers.run.current_assignments import read_present
from importers.run.fast_path import Columnar
from importers.run.plan_rows import Planner, importer_error
from importers.run.poison_rows import find_suspects
from importers.run.seen_keys import SeenKeys
from importers.run.settle import Settled, failure
from importers.sdk.errors import RetryableError
from models.chunk import claim_chunk, finish_chunk, give_back, hand_over, lock_chunk
from models.db import RaceError, connection, is_passing, persist, transaction
from models.mail import enqueue_mails
from models.progress import count, read_work
from models.row import RowResult, RowStatus, delete_rows, write_rows
from models.trial import read_trial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncpg import Connection

    from importers.rows.cell_reader import ReadRow
    from importers.rows.layout import Layout
    from importers.run.plan_rows import PlannedRow
    from importers.sdk.directory import Directory
    from importers.sdk.importer import Importer
    from importers.sdk.validator import Validator
    from models.chunk import ChunkWork, ClaimedChunk
    from models.import_end import ImportEnd
    from models.progress import ImportWork

logger = logging.getLogger(__name__)

_MOST_RACES = 5
# PostgreSQL ends a transaction that is silent for 15 seconds, and one call may take 10: a slow
# importer gives signs of life.
_ROWS_BETWEEN_SIGNS = 500
_SECONDS_OF_SILENCE = 3.0
# What is worth a line in the log.
_SLOW_CHUNK_SECONDS = 3.0
_SLOW_ROW_SECONDS = 0.001


class ChunkEnd(NamedTuple):
    """What has become of a chunk.

    Args:
        app_id: the app of its import.
        has_successor: whether a chained chunk can run now.
        has_notifications: whether it has put mails into the outbox.
        import_end: the import's end, if it was the import's last chunk.
    """

    app_id: int
    has_successor: bool
    has_notifications: bool
    import_end: ImportEnd | None


async def next_chunk(import_id: int) -> ClaimedChunk | None:
    """Choose a chunk of the import to run."""
    async with connection() as db:
        return await claim_chunk(db, import_id)


async def run_chunk(
    import_id: int,
    claim: ClaimedChunk,
    importers: Mapping[str, Importer],
    validators: Sequence[Validator] = (),
) -> ChunkEnd | None:
    """Run a chunk to its end, or not at all.

    Args:
        importers: those that are on, by key.
        validators: those that are on, in the order in which they are asked.

    Returns:
        None when somebody else runs it or has run it.

    Raises:
        RetryableError: the database is not well; nothing of the chunk has been kept.
    """
    started = time.monotonic()
    try:
        if claim.attempts > 1:
            await find_suspects(import_id, claim, importers)
        async with transaction() as db:
            chunk = await lock_chunk(db, claim.chunk_id)
            work = await read_work(db, import_id) if chunk else None
            if chunk is None or work is None:
                return None
            trial = await read_trial(db, claim.chunk_id) if claim.attempts > 1 else None
            condemned = trial.condemned if trial else ()
            return await _run(
                db, work, chunk, importers, validators=validators, claim=claim, condemned=condemned
            )
    except Exception as error:
        if not (is_passing(error) or isinstance(error, RetryableError)):
            raise
        if claim.is_counted and is_blameless(error, started):
            # If the database stays away, the attempt stays counted.
            await persist(lambda db: give_back(db, claim.chunk_id), seconds=PATIENCE_SECONDS)
        raise RetryableError(f"chunk {claim.chunk_id} is to be run again: {error}") from error


async def _run(
    db: Connection,
    work: ImportWork,
    chunk: ChunkWork,
    importers: Mapping[str, Importer],
    *,
    validators: Sequence[Validator],
    claim: ClaimedChunk,
    condemned: Sequence[int],
) -> ChunkEnd:
    rows = unpack_rows(chunk.payload)
    most = most_attempts(condemned)
    claims = SeenKeys.unpack(chunk.carry)
    importer = importers.get(work.type)
    if work.is_cancelled:
        settled = Settled(_cancelled(rows, chunk), [], [])
    elif claim.attempts > most:
        settled = _given_up(
            rows, f"these rows stopped their worker, or took too long, {most} times."
        )
    elif importer is None:
        settled = _given_up(rows, f"the import type '{work.type}' is not switched on.")
    else:
        fit = [row for place, row in enumerate(rows) if place not in condemned]
        runner = _Runner(
            db=db, work=work, chunk=chunk, importer=importer, validators=validators, rows=fit
        )
        settled, claims = await runner.run()
        left_out = _given_up([rows[place] for place in condemned], "this row stops its worker.")
        settled.results.extend(left_out.results)
    await _write_results(db, work, chunk, settled)
    if chunk.has_successor:
        await hand_over(db, work.id, chunk.number + 1, claims.pack())
    await finish_chunk(db, work.id, claim.chunk_id)
    own = [row for row in rows if not row.is_context]
    end = await count(
        db,
        work.id,
        settled.results,
        done=len(own),
        tried_before=len(settled.results) if chunk.is_retry else 0,
    )
    return ChunkEnd(work.app_id, chunk.has_successor, bool(settled.notices), end)


def _cancelled(rows: Sequence[ReadRow], chunk: ChunkWork) -> list[RowResult]:
    """Rows that never ran are cancelled; those of a retry stay as failed as they were."""
    if chunk.is_retry:
        return []
    return [RowResult(row.number, row.text, RowStatus.CANCELLED) for row in rows]


def _given_up(rows: Sequence[ReadRow], why: str) -> Settled:
    errors = [importer_error(why)]
    return Settled([failure(row, errors) for row in rows if not row.is_context], [], [])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runner:
    """Does what the rows of a chunk ask for, within the chunk's transaction."""

    db: Connection
    work: ImportWork
    chunk: ChunkWork
    importer: Importer
    validators: Sequence[Validator]
    rows: Sequence[ReadRow]

    async def run(self) -> tuple[Settled, SeenKeys]:
        """Do it, once more when somebody else has changed the same things meanwhile.

        Raises:
            RetryableError: others keep changing them.
        """
        guard = guard_of(self.importer)
        with guarding(guard):
            for attempt in range(1, _MOST_RACES + 1):
                with suppress(RaceError):
                    async with self.db.transaction():
                        found = await self._try(attempt)
                    if guard:
                        self._tell_if_slow(guard)
                    return found
        raise RetryableError("the same things kept changing under this chunk")

    async def _try(self, attempt: int) -> tuple[Settled, SeenKeys]:
        is_first = attempt == 1
        importer, rows = self.importer, self.rows
        claims = SeenKeys.unpack(self.chunk.carry)
        layout = layout_of(self.work.header or [], importer)
        directory = StoredDirectory(self.db, self.work.app_id)
        if not is_first:
            for row in rows:
                row.forget()
        await read_rows(importer, layout, rows, directory)
        if settled := await self._try_columns(layout, directory, is_first=is_first):
            return settled, claims
        seen = await read_present(importer, rows, directory, claims)
        plans = await self._plan(Planner(importer, layout, claims))
        applier = Applier(
            db=self.db,
            work=self.work,
            importer=importer,
            validators=self.validators,
            layout=layout,
            directory=directory,
            claims=claims,
            seen=seen,
            is_last=attempt == _MOST_RACES,
        )
        settled = await applier.apply(plans)
        if self.chunk.has_successor and (importer.assignments or self.validators):
            claims.note_edits(settled.edits)
        return settled, claims

    async def _try_columns(
        self, layout: Layout, directory: Directory, *, is_first: bool
    ) -> Settled | None:
        """Take all rows at once; None when they have to be taken one by one."""
        is_chained = self.chunk.has_successor or self.chunk.carry
        if is_chained or self.validators or self.importer.assignments:
            return None
        columnar = Columnar.of(self.importer, layout, self.rows)
        if columnar is None:
            return None
        return await apply_columns(self.db, self.work, columnar, directory, is_first=is_first)

    async def _plan(self, planner: Planner) -> list[PlannedRow]:
        planner.check(self.rows)
        await self.db.execute("SELECT 1")
        plans: list[PlannedRow] = []
        signed = time.monotonic()
        for row in self.rows:
            is_due = len(plans) % _ROWS_BETWEEN_SIGNS == 0 and plans
            if is_due or time.monotonic() - signed > _SECONDS_OF_SILENCE:
                await self.db.execute("SELECT 1")
                signed = time.monotonic()
            plans.append(planner.plan(row))
        return plans

    def _tell_if_slow(self, guard: Guard) -> None:
        each = guard.spent / max(1, len(self.rows))
        if guard.spent > _SLOW_CHUNK_SECONDS and each > _SLOW_ROW_SECONDS:
            logger.warning(
                "%s is slow: it took %.1f s for %d rows of import %d, %.1f ms a row",
                guard.plugin,
                guard.spent,
                len(self.rows),
                self.work.id,
                each * 1_000,
            )


async def _write_results(
    db: Connection, work: ImportWork, chunk: ChunkWork, settled: Settled
) -> None:
    if chunk.is_retry:
        await delete_rows(db, work.id, [result.number for result in settled.results])
    await write_rows(db, work.app_id, work.id, settled.results)
    if settled.notices:
        await enqueue_mails(db, work.app_id, work.id, settled.notices)
