"""Running a chunk: one transaction that holds its rows' effects, results, history and mails."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from importers.isolation.attempts import PATIENCE_SECONDS, is_blameless, most_attempts
from importers.isolation.guard import (
    GUARDED_SECONDS,
    guard_of,
    guarding,
    is_guest,
    is_of_plugin,
)
from importers.rows.cell_reader import ReadRow, failed_result, read_rows
from importers.rows.layout import stored_layout
from importers.rows.not_applied import cancelled_as
from importers.rows.payload import unpack_rows
from importers.run.apply import apply, carry_on
from importers.run.carried_keys import CarriedKeys
from importers.run.changed_since import name_changes, name_changes_of_undo
from importers.run.chunk_context import MOST_RACES, DatabaseStore, open_context
from importers.run.fast_path import apply_columns
from importers.run.plan_rows import importer_error, plan_rows
from importers.run.poison_rows import find_suspects
from importers.run.settle import Settled
from importers.sdk.errors import ErrorDetail, FileRefusedError, RetryableError
from models.chunk import claim_chunk, finish_chunk, give_back, hand_over, lock_chunk, read_trial
from models.db import RaceError, allow_long, connection, is_passing, persist, transaction
from models.entity_history import write_entity_history
from models.imports import Stage
from models.mail import enqueue_mails
from models.plan import unpack_plans
from models.progress import count, read_work
from models.row import RowResult, find_not_passed, replace_rows, write_rows
from models.tally import Tally, tally_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncpg import Connection

    from importers.isolation.guard import Guard
    from importers.rows.layout import Layout
    from importers.run.chunk_context import ChunkContext
    from importers.sdk.importer import Importer
    from importers.sdk.validator import Validator
    from models.chunk import ChunkWork, ClaimedChunk
    from models.imports import ImportEnd
    from models.plan import Signature
    from models.progress import ImportWork

logger = logging.getLogger(__name__)

# What is worth a line in the log.
_SLOW_CHUNK_SECONDS = 3.0
_SLOW_ROW_SECONDS = 0.001


class Plugins(NamedTuple):
    """The importers that are on, by key, and the validators, in the order in which they judge."""

    importers: Mapping[str, Importer]
    validators: Sequence[Validator]

    def has_guests(self, import_type: str) -> bool:
        """Tell whether rows of this type run code that needs a guard."""
        importer = self.importers.get(import_type)
        return bool(self.validators) or (importer is not None and is_guest(importer))


class ChunkEnd(NamedTuple):
    """What has become of a chunk.

    Args:
        app_id: the app of its import.
        has_successor: whether a chained chunk can run now.
        has_notifications: whether it has put mails into the outbox.
        import_end: the import's end, if it was the import's last chunk.
        is_planned: whether it was the last chunk of a plan, which is now to be decided about.
    """

    app_id: int
    has_successor: bool
    has_notifications: bool
    import_end: ImportEnd | None
    is_planned: bool = False


class DoneChunk(NamedTuple):
    """What a chunk has done, before it is counted.

    Args:
        rows: how many it had.
        tally: what it adds to the import's counters; less than none of what its results replace.
    """

    settled: Settled
    rows: int
    tally: Tally


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
        None when another worker runs it or has run it.

    Raises:
        RetryableError: the database is not well; nothing of the chunk has been kept.
    """
    started = time.monotonic()
    try:
        # The last attempt may have ended its worker. The trial locks the chunk itself, in a
        # transaction that changes nothing.
        if claim.attempts > 1:
            await find_suspects(import_id, claim, importers)
        async with transaction() as db:
            chunk = await lock_chunk(db, claim.chunk_id)
            work = await read_work(db, import_id) if chunk else None
            if chunk is None or work is None:
                return None
            plugins = Plugins(importers, validators)
            if plugins.has_guests(work.type):
                await allow_long(db, GUARDED_SECONDS, statements=False)
            done = await carry_out_chunk(db, work, chunk, claim, plugins)
            return await _count(db, work, chunk, done)
    except Exception as error:
        if not (is_passing(error) or isinstance(error, RetryableError)):
            raise
        if claim.is_counted and is_blameless(error, started):
            # If the database stays away, the attempt stays counted.
            await persist(lambda db: give_back(db, claim.chunk_id), seconds=PATIENCE_SECONDS)
        raise RetryableError(f"chunk {claim.chunk_id} is to be run again: {error}") from error


async def _count(db: Connection, work: ImportWork, chunk: ChunkWork, done: DoneChunk) -> ChunkEnd:
    """Count a chunk's rows, and end the import with its last chunk.

    Last of all, as this locks the import's row: other workers that have finished a chunk of the
    import wait for it until the commit.
    """
    end, is_planned = await count(db, work.id, done.tally, done=done.rows)
    has_mails = bool(done.settled.notifications)
    return ChunkEnd(work.app_id, chunk.has_successor, has_mails, end, is_planned)


async def carry_out_chunk(
    db: Connection, work: ImportWork, chunk: ChunkWork, claim: ClaimedChunk, plugins: Plugins
) -> DoneChunk:
    """Do all that a chunk asks for, but for the import's counters, in its transaction."""
    rows = unpack_rows(chunk.payload)
    settled, carried = await _settle(db, work, chunk, claim, rows, plugins=plugins)
    tally = Tally.of(settled.results)
    if _retries(work, chunk):
        # Rows that were planned have passed, and are counted again from the beginning.
        numbers = [result.number for result in settled.results]
        # Rows that have passed run again in dry runs alone.
        is_mixed = work.is_dry_run
        replaced = (
            await tally_of(db, work.id, numbers) if is_mixed else Tally.of_failed(len(numbers))
        )
        tally = tally.minus(replaced)
    await _write_results(db, work, chunk, settled)
    if chunk.has_successor:
        await hand_over(db, work.id, chunk.number + 1, carried.pack())
    await finish_chunk(db, work.id, claim.chunk_id)
    return DoneChunk(settled, sum(not row.is_context for row in rows), tally)


async def _settle(
    db: Connection,
    work: ImportWork,
    chunk: ChunkWork,
    claim: ClaimedChunk,
    rows: Sequence[ReadRow],
    *,
    plugins: Plugins,
) -> tuple[Settled, CarriedKeys]:
    """Say what the rows come to: they are run, cancelled, or given up."""
    carried = CarriedKeys.unpack(chunk.carry)
    condemned = (await read_trial(db, claim.chunk_id)).condemned if claim.attempts > 1 else ()
    most = most_attempts(condemned)
    importer = plugins.importers.get(work.type)
    if work.is_cancelled:
        return Settled(_cancelled(work, chunk, rows)), carried
    if claim.attempts > most:
        template = "These rows could not be run in {attempts} attempts; the worker's log says why."
        return Settled(_given_up(rows, importer_error(template, attempts=most))), carried
    if importer is None:
        why = importer_error("The import type '{type}' is not switched on.", type=work.type)
        return Settled(_given_up(rows, why)), carried
    fit = [row for place, row in enumerate(rows) if place not in condemned]
    if importer.group_by is not None:
        await _mark_failed_context(db, work, fit)
    stops = importer_error("The importer ends its worker on this row; the log says how.")
    left_out = _given_up([rows[place] for place in condemned], stops)
    store = DatabaseStore(db, work.app_id, work.id, work.is_dry_run)
    guard = guard_of(importer, store.keep_alive)
    with guarding(guard):
        layout = _layout_or_fault(work, importer)
        if isinstance(layout, ErrorDetail):
            return Settled(_given_up(rows, layout)), carried
        is_chained = bool(chunk.has_successor or chunk.carry)
        plan = _plan_of(work, chunk, fit)
        context = await open_context(
            importer, layout, store, plugins.validators, is_chained=is_chained, plan=plan
        )
        settled, carried = await _run_until_no_race(context, fit, carried)
        if plan and work.plan_id:
            settled = await name_changes(db, work.plan_id, settled, plan)
        elif work.undo_of_id:
            settled = await name_changes_of_undo(db, work.undo_of_id, settled, fit, importer)
    if guard:
        _tell_if_slow(guard, work, len(fit))
    return settled._replace(results=[*settled.results, *left_out]), carried


def _layout_or_fault(work: ImportWork, importer: Importer) -> Layout | ErrorDetail:
    """Lay out the rows of an import, or say why its importer, as it is by now, can't."""
    try:
        return stored_layout(work, importer)
    except FileRefusedError:
        template = "The importer has other columns by now than when this file was read; upload the"
        return importer_error(template + " row again.")
    except Exception as error:
        if is_passing(error) and not is_of_plugin(error):
            raise
        logger.exception("importer %r failed on the columns of import %d", work.type, work.id)
        return importer_error(
            "The importer failed on the file's columns; the worker's log says why."
        )


async def _mark_failed_context(db: Connection, work: ImportWork, rows: Sequence[ReadRow]) -> None:
    """Find which rows that are only context, those of groups that run again, are not in effect."""
    numbers = [row.number for row in rows if row.is_context]
    failed: set[int] = set()
    # What has failed in a dry run is not among the rows of the import that carries it out.
    for import_id in filter(None, (work.id, work.applied_from_id) if numbers else ()):
        failed |= await find_not_passed(db, import_id, numbers)
    for row in rows:
        row.has_failed = row.is_context and row.number in failed


def _cancelled(work: ImportWork, chunk: ChunkWork, rows: Sequence[ReadRow]) -> list[RowResult]:
    # The rows of a retry have run before: they stay as failed as they were.
    if _retries(work, chunk):
        return []
    status, error = cancelled_as(work)
    if error:
        return _given_up(rows, error)
    return [RowResult(row.number, row.text, status) for row in rows if not row.is_context]


def _retries(work: ImportWork, chunk: ChunkWork) -> bool:
    """Tell whether a chunk's rows have failed before."""
    return chunk.is_retry and work.stage is not Stage.APPLY


def _plan_of(
    work: ImportWork, chunk: ChunkWork, rows: Sequence[ReadRow]
) -> Mapping[int, Signature] | None:
    """Return what the rows have to come to, by their numbers, if they carry out a plan."""
    if work.plan_id is None or _retries(work, chunk):
        return None
    planned = [row for row in rows if row.plan]
    plans = unpack_plans([row.plan for row in planned])
    return {row.number: plan for row, plan in zip(planned, plans, strict=True)}


def _given_up(rows: Sequence[ReadRow], error: ErrorDetail) -> list[RowResult]:
    errors = [error]
    return [failed_result(row, errors) for row in rows if not row.is_context]


async def _run_until_no_race(
    context: ChunkContext, rows: Sequence[ReadRow], carried: CarriedKeys
) -> tuple[Settled, CarriedKeys]:
    """Do what the rows ask for, once more when others have changed the same things meanwhile.

    Raises:
        RetryableError: others keep changing them.
    """
    while context.attempt <= MOST_RACES:
        # Undoes the attempt alone: the chunk's transaction, and so its lock, outlive a lost race.
        with suppress(RaceError):
            async with context.store.savepoint():
                await read_rows(context.importer, context.layout, rows, context.directory)
                if not (context.is_chained or context.is_watched):
                    settled = await apply_columns(context, rows)
                    if settled:
                        return settled, carried
                plan = await plan_rows(context, rows, carried)
                settled = await apply(context, plan)
                return settled, carry_on(context, plan, settled)
        context = await context.again()
        # Values and errors are those of the attempt that was lost.
        rows = [
            ReadRow(row.number, row.cells, row.is_context, row.text, has_failed=row.has_failed)
            for row in rows
        ]
    raise RetryableError("the same things kept changing under this chunk")


def _tell_if_slow(guard: Guard, work: ImportWork, rows: int) -> None:
    each = guard.spent / max(1, rows)
    if guard.spent > _SLOW_CHUNK_SECONDS and each > _SLOW_ROW_SECONDS:
        took = f"it took {guard.spent:.1f} s for {rows} rows of import {work.id}"
        logger.warning("%s is slow: %s, %.1f ms a row", guard.plugin, took, each * 1_000)


async def _write_results(
    db: Connection, work: ImportWork, chunk: ChunkWork, settled: Settled
) -> None:
    write = replace_rows if chunk.is_retry else write_rows
    is_plan = work.stage is Stage.PLAN
    plan_chunk = chunk.of_plan if is_plan or work.is_dry_run else None
    results = settled.results
    await write(db, work.app_id, work.id, results, is_plan=is_plan, plan_chunk=plan_chunk)
    edits = [edit for result in settled.results for edit in result.entity_edits]
    if edits and not work.is_dry_run:
        await write_entity_history(db, work.app_id, work.id, edits)
    if settled.notifications:
        await enqueue_mails(db, work.app_id, work.id, settled.notifications)
