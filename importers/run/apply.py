"""Applying: plans are decided, settled and written, and a row that can't be written fails alone."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import asyncpg

from importers.run.changed_since import find_changed
from importers.run.current_assignments import read_again
from importers.run.custom_changes import CustomChangeError, carry_out
from importers.run.plan_rows import IMPORTER_FAILED
from importers.run.row_groups import withhold
from importers.run.settle import Settled, settle
from importers.run.validation import prepare_validation
from importers.sdk.errors import ErrorDetail
from models.db import is_passing
from models.row import WRITTEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from importers.run.carried_keys import CarriedKeys, Verdicts
    from importers.run.chunk_context import ChunkContext
    from importers.run.current_assignments import SeenAssignments
    from importers.run.plan_rows import Plan
    from importers.run.planned_row import PlannedChange, PlannedRow
    from importers.run.rules import Decision
    from importers.sdk.changes import Key
    from importers.validation.counting_directory import Counts
    from models.assignment import Pair, Present

logger = logging.getLogger(__name__)


class _UndoError(Exception):
    """What was written is to be undone."""


async def apply(context: ChunkContext, plan: Plan) -> Settled:
    """Apply a chunk's rows; halve those that can't be written, down to the row at fault.

    Raises:
        RaceError: another transaction has changed what the plan was made for; undo all.
    """
    earlier, told = plan.carried, plan.told
    # A stack: halves are applied in the order of the file, as later rows may repeat earlier ones.
    waiting, done = [plan.rows], []
    while waiting:
        rows = waiting.pop()
        try:
            settled = await _apply_whole_rows(context, rows, earlier, told)
        except (asyncpg.PostgresError, CustomChangeError) as error:
            if is_passing(error):
                raise
            if parts := _halves(rows):
                first, second = parts
                waiting += [second, first]
                continue
            settled = _fail_rows(context, rows, earlier.verdicts, error)
        done.append(settled)
        if waiting:
            earlier = earlier.after(settled.verdicts, settled.edits)
            # The history of the others is written with the results of the whole chunk.
            earlier = replace(earlier, unseen=earlier.unseen + _beside_assignments(settled))
            # Our own edits are no race; those of a dry run are undone by now.
            if not context.is_dry_run:
                told = told.without({(edit.case_id, edit.user_id) for edit in settled.edits})
    return Settled(
        [result for each in done for result in each.results],
        [edit for each in done for edit in each.edits],
        [notification for each in done for notification in each.notifications],
        done[-1].verdicts if done else earlier.verdicts,
        sum((Counter(each.effects) for each in done), Counter()),
    )


def _halves(
    plans: Sequence[PlannedRow],
) -> tuple[Sequence[PlannedRow], Sequence[PlannedRow]] | None:
    """Divide rows into two parts; None for a row, or a group that is taken as a whole."""
    units = list(dict.fromkeys(map(_unit_of, plans)))
    if len(units) < 2:
        return None
    first = set(units[: len(units) // 2])
    return (
        [plan for plan in plans if _unit_of(plan) in first],
        [plan for plan in plans if _unit_of(plan) not in first],
    )


def _unit_of(plan: PlannedRow) -> tuple[bool, int]:
    is_alone = plan.group is None
    return is_alone, plan.row.number if plan.group is None else plan.group


def carry_on(context: ChunkContext, plan: Plan, settled: Settled) -> CarriedKeys:
    """Return what the next chunk of a chain has to know, once this one is applied."""
    carried = plan.carried.after(settled.verdicts, settled.edits if context.is_watched else ())
    if not context.is_dry_run:
        return carried
    return replace(carried, unseen=carried.unseen + _beside_assignments(settled))


def _beside_assignments(settled: Settled) -> Counts:
    """Count effects on all else than assignments.

    Those on assignments are in the history by then or, in a dry run, noted again.
    """
    return Counter({key: n for key, n in settled.effects.items() if key[0] != "assignment"})


async def _apply_whole_rows(
    context: ChunkContext, plans: Sequence[PlannedRow], earlier: CarriedKeys, told: SeenAssignments
) -> Settled:
    """Do all or nothing of each row: while one has failed after a part of it was done, all is
    undone and done again without that row."""
    # Each round fails at least one more row, or takes its changes from a group: so there is a last.
    plans = withhold(context, plans, {plan.row.number for plan in plans if plan.errors})
    while True:
        spoilt: Mapping[int, Sequence[ErrorDetail]] = {}
        with suppress(_UndoError):
            async with context.store.savepoint():
                settled, spoilt = await _settle_rows(context, plans, earlier, told)
                changed = find_changed(context, settled.results)
                spoilt = {
                    place: errors
                    for place, plan in enumerate(plans)
                    if (errors := spoilt.get(place) or changed.get(plan.row.number))
                }
                failed = {each.number for each in settled.results if each.errors}
                fit = plans if spoilt else withhold(context, plans, failed)
                # A dry run has carried custom changes out, as only the database knows what it would
                # refuse.
                if spoilt or fit is not plans or context.is_dry_run:
                    raise _UndoError
                await context.store.write_edits(settled.edits)
        if fit is not plans:
            plans = fit
            continue
        if not spoilt:
            return settled._replace(notifications=[]) if context.is_dry_run else settled
        plans = [
            plan.failed(spoilt[place]) if place in spoilt else plan
            for place, plan in enumerate(plans)
        ]


async def _settle_rows(
    context: ChunkContext, plans: Sequence[PlannedRow], earlier: CarriedKeys, told: SeenAssignments
) -> tuple[Settled, Mapping[int, Sequence[ErrorDetail]]]:
    """Decide about the rows and settle them.

    Returns:
        also the errors of rows that have failed although a change of theirs was made, by place.
    """
    changes = [each for plan in plans if plan.is_to_apply for each in plan.changes]
    custom = [each for each in changes if each.rule is None]
    validation = None
    # Before anything is written: validators count what is stored, and note these rows on top of it.
    if context.validators:
        validation = await prepare_validation(context, [each.change for each in changes], earlier)
    decisions = await carry_out(context, custom)
    decisions |= await _decide(context, changes, told)
    settled = settle(context, plans, decisions, earlier.verdicts, validation)
    if validation:
        settled = settled._replace(effects=validation.passed)
    spoilt = {}
    if custom and settled.verdicts:
        for place, plan in enumerate(plans):
            if not plan.is_to_apply:
                continue
            own = [decisions[each.keys] for each in plan.changes if each.rule is None]
            errors = own and settled.verdicts.get(plan.changes[0].keys[0])
            if errors and any(decision.outcome in WRITTEN for decision in own):
                spoilt[place] = errors
    return settled, spoilt


async def _decide(
    context: ChunkContext, changes: Sequence[PlannedChange], told: SeenAssignments
) -> dict[tuple[Key, ...], Decision]:
    """Decide about changes of assignments, as these are now, and those that changes depend on.

    Raises:
        RaceError: the assignments are no longer as the rows have seen them.
    """
    changed = cast("set[Pair]", {keys[0] for keys, _, _, rule in changes if rule})
    if not (changed or told):
        return {}
    # What is only created needs no lock: a pair that another transaction adds breaks the unique
    # key. What rows have seen is locked, so that it stays so until the chunk is written.
    writes_over = any(rule and not rule.creates_only for _, _, _, rule in changes)
    lock = bool(writes_over or told) and not context.is_dry_run
    found = await read_again(context, told, changed, lock=lock)
    current = cast("Mapping[Key, Present]", found)
    role_keys = context.role_keys
    return {
        keys: rule.decide(change, current.get(keys[0]), role_keys)
        for keys, _, change, rule in changes
        if rule
    }


def _fail_rows(
    context: ChunkContext, plans: Sequence[PlannedRow], verdicts: Verdicts, error: Exception
) -> Settled:
    """Fail the one row, or the group, that can't be written, and with it those that repeat it."""
    is_importers = isinstance(error, CustomChangeError)
    why = [IMPORTER_FAILED if is_importers else _NOT_WRITTEN]
    for plan in plans:
        if plan.is_to_apply:
            logger.error(
                "the %s refused row %d of import %d; the row fails",
                "importer" if is_importers else "database",
                plan.row.number,
                context.store.import_id,
                exc_info=error,
            )
    failed = [plan.failed(why) if plan.is_to_apply else plan for plan in plans]
    return settle(context, failed, {}, verdicts)


_NOT_WRITTEN = ErrorDetail(
    code="NOT_WRITTEN", message="The database refused this row; the worker's log says why."
)
