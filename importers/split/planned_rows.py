"""The rows of a plan: whether it is carried out, and its rows, to be applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from importers.reading.limits import MAX_CHUNK
from importers.reading.record import Batch
from importers.rows.header import header_spec
from importers.rows.not_applied import NOT_APPLIED
from models.guard import TO_BE_RELEASED, find_excess, read_guard, recent_removals
from models.imports import Stage
from models.plan import Hold, end_planned, hold, planned_page, read_standing
from models.row import RowStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asyncpg import Connection

    from importers.sdk.importer import Importer
    from models.imports import ImportEnd
    from models.progress import ImportWork


class PlanDecision(NamedTuple):
    """What becomes of a plan: it is carried out, the import is held, or it has ended."""

    is_carried_out: bool
    end: ImportEnd | None = None


async def stage_of(db: Connection, work: ImportWork, importer: Importer, rows: int) -> Stage | None:
    """Say whether rows are to be planned before anything of them is applied.

    What they would remove at most is known from their number.
    """
    if work.is_dry_run:
        return None
    if work.is_atomic:
        return Stage.PLAN
    guard = await read_guard(db, work.app_id)
    if guard.requires_release_of(work.type):
        return Stage.PLAN
    if header_spec(importer).at_worst != "removes" or guard.remove_percent is None:
        return None
    recent = await recent_removals(db, work.app_id, work.id)
    return Stage.PLAN if rows + recent.rows >= guard.remove_at_least else None


async def decide(db: Connection, work: ImportWork, plan_id: int) -> PlanDecision:
    """Decide about a plan: end the import, hold it, or let the plan be carried out."""
    is_own = plan_id == work.id
    failed, is_released = await read_standing(db, work.id)
    if is_own and work.is_cancelled:
        return PlanDecision(False, await end_planned(db, work.id, RowStatus.CANCELLED))
    if is_own and work.is_atomic and failed:
        error = NOT_APPLIED.as_dict()
        return PlanDecision(False, await end_planned(db, work.id, RowStatus.FAILED, error))
    if work.is_cancelled or is_released:
        return PlanDecision(True)
    why = await _find_hold(db, work, plan_id)
    if why:
        await hold(db, work.id, why)
    return PlanDecision(why is None)


async def _find_hold(db: Connection, work: ImportWork, plan_id: int) -> Hold | None:
    guard = await read_guard(db, work.app_id)
    recent = await recent_removals(db, work.app_id, work.id)
    excess = await find_excess(db, work.app_id, plan_id, guard, recent, is_own=plan_id == work.id)
    if not guard.requires_release_of(work.type):
        return excess
    if excess is None:
        return TO_BE_RELEASED
    return Hold(TO_BE_RELEASED.code, f"{TO_BE_RELEASED.message} {excess.message}")


async def planned_rows(db: Connection, work: ImportWork, plan_id: int) -> AsyncIterator[Batch]:
    """Read the rows of a plan that have passed, page by page."""
    last, is_own = 0, plan_id == work.id
    while rows := await planned_page(db, plan_id, after=last, most=MAX_CHUNK, is_own=is_own):
        yield Batch.of(rows)
        last = rows[-1][0]
