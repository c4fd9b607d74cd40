"""The rows of a plan: whether it is carried out, and its rows, to be applied."""

from __future__ import annotations

from functools import partial
from math import prod
from typing import TYPE_CHECKING, NamedTuple

import orjson

from importers.reading.limits import MAX_CHUNK
from importers.reading.record import Batch
from importers.rows.header import header_spec
from importers.rows.not_applied import NOT_APPLIED, cancelled_as
from importers.sdk.importer import Importer
from importers.sdk.references import Reference
from models.guard import TO_BE_RELEASED, find_excess, read_guard, recent_removals
from models.imports import Stage
from models.plan import Hold, end_planned, has_changes, hold, planned_page, read_standing
from models.row import RowStatus, failed_page, read_in_order

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from asyncpg import Connection

    from models.imports import ImportEnd
    from models.plan import StoredPlanRow
    from models.progress import ImportWork


class PlanDecision(NamedTuple):
    """What becomes of a plan: it is carried out, the import is held, or it has ended.

    Args:
        stage: that in which its rows are run.
    """

    is_carried_out: bool
    end: ImportEnd | None = None
    stage: Stage | None = None


async def stage_of(db: Connection, work: ImportWork, importer: Importer, rows: int) -> Stage | None:
    """Say whether rows are to be planned before anything of them is applied.

    What they would remove at most is known from their number, unless a row can be about all
    assignments of a user or of a case.
    """
    if work.is_dry_run:
        return None
    removes = header_spec(importer).at_worst == "removes"
    # Changes of a group need no row of their own: how many there are is known from a plan alone.
    if work.is_atomic or (removes and importer.group_by is not None):
        return Stage.PLAN
    guard = await read_guard(db, work.app_id)
    if guard.requires_release_of(work.type):
        return Stage.PLAN
    if not removes or guard.remove_percent is None:
        return None
    if importer._ordering is not None:
        return Stage.PLAN
    recent = await recent_removals(db, work.app_id)
    most = rows * _most_pairs(importer) + recent.rows
    return Stage.PLAN if most >= guard.remove_at_least else None


def _most_pairs(importer: Importer) -> int:
    """Return how many assignments a row can be about, given the cases and users that it names."""
    columns = importer.columns.values()
    named = [column._may_name for column in columns if isinstance(column, Reference)]
    return prod(sum(noun in nouns for nouns in named) for noun in ("case", "user"))


async def decide(db: Connection, work: ImportWork, plan_id: int) -> PlanDecision:
    """Decide about a plan: end the import, hold it, or let the plan be carried out."""
    is_own, is_cancelled = plan_id == work.id, work.is_cancelled
    failed, is_released = await read_standing(db, work.id)
    if is_own and work.is_atomic and failed and not is_cancelled:
        error = NOT_APPLIED.as_dict()
        return PlanDecision(False, await end_planned(db, work.id, RowStatus.FAILED, error))
    why = None
    if not (is_cancelled or is_released):
        why = await _find_hold(db, work, plan_id, is_own=is_own)
    if not is_own:
        # What is held has a plan of its own, for who is to release it. All or nothing of another
        # import's plan: whether all of it still holds is seen before.
        stage = Stage.PLAN if why or work.is_atomic else None
        return PlanDecision(True, stage=stage)
    if why and await hold(db, work.id, why):
        return PlanDecision(False)
    # In the second case, a client has cancelled it since the worker began.
    if is_cancelled or why:
        return PlanDecision(False, await end_cancelled(db, work))
    return PlanDecision(True, stage=Stage.APPLY)


async def end_cancelled(db: Connection, work: ImportWork) -> ImportEnd | None:
    """End an import that was cancelled when its rows were planned."""
    status, error = cancelled_as(work)
    return await end_planned(db, work.id, status, error.as_dict() if error else None)


async def _find_hold(
    db: Connection, work: ImportWork, plan_id: int, *, is_own: bool
) -> Hold | None:
    if not await has_changes(db, plan_id, is_own=is_own):
        return None
    guard = await read_guard(db, work.app_id)
    excess = await find_excess(db, work.app_id, plan_id, guard, is_own=is_own)
    if not guard.requires_release_of(work.type):
        return excess
    if excess is None:
        return TO_BE_RELEASED
    return Hold(TO_BE_RELEASED.code, f"{TO_BE_RELEASED.message} {excess.message}")


async def planned_rows(
    db: Connection, work: ImportWork, plan_id: int, importer: Importer
) -> AsyncIterator[Batch]:
    """Read the rows of a plan that have passed, page by page.

    Where `check_chunk` or `change_group` looks at rows together, the others come as context: it has
    seen them when it judged those that have passed.
    """
    await read_in_order(db)
    read = partial(
        planned_page,
        db,
        plan_id,
        most=MAX_CHUNK,
        is_own=plan_id == work.id,
        has_context=looks_at_rows_together(importer),
    )
    last = 0
    while rows := await read(after=last):
        yield _batch_of_plan(rows)
        last = abs(rows[-1].number)
    if importer.group_by is not None and plan_id == work.id:
        async for batch in left_out_rows(db, work):
            yield batch


def _batch_of_plan(rows: Sequence[StoredPlanRow]) -> Batch:
    cells = orjson.loads(f"[{','.join([row.cells for row in rows])}]")
    return Batch([row.number for row in rows], cells, [row.line.encode() for row in rows])


def looks_at_rows_together(importer: Importer) -> bool:
    """Tell whether what becomes of a row can depend on others, those that have failed included."""
    has_check = type(importer).check_chunk is not Importer.check_chunk
    return importer.group_by is not None or has_check


async def left_out_rows(db: Connection, work: ImportWork) -> AsyncIterator[Batch]:
    """Read as context the rows that have failed in the dry run that an import carries out.

    The import itself has only those that have passed in it.
    """
    if work.applied_from_id is None:
        return
    read = partial(failed_page, db, work.app_id, work.applied_from_id, most=MAX_CHUNK)
    last = 0
    while page := await read(after=last):
        last = page[-1].number
        yield Batch.of([(-row.number, row.cells) for row in page])
