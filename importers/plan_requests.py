"""Requests about plans: a dry run is applied, an import that is held is released."""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers.request_error import RequestError, taken_error
from models.audit import Action, record
from models.guard import TO_BE_RELEASED
from models.imports import ImportStatus
from models.new_import import NewName, find_applied, insert_applied
from models.plan import find_untold_row, lock_held, lock_plan, release

if TYPE_CHECKING:
    from asyncpg import Connection

    from models.audit import Actor
    from models.plan import StoredPlan


class PlanError(RequestError):
    """The plan can't be applied, or the import not be released."""


async def request_apply(
    db: Connection, app_id: int, plan_id: int, new: NewName, *, by: Actor
) -> int:
    """Create an import that carries out the plan of a dry run, exactly; return its primary key.

    Asked once more with the same idempotency key, it returns the same import. A plan is applied
    once: of two requests at the same moment, one is refused. If an import has ended before it has
    done anything of the plan, as one that was held and cancelled, another one may.

    Raises:
        RequestError: the request is refused; nothing has changed.
    """
    # The second of two requests waits here for the first.
    plan = await lock_plan(db, app_id, plan_id)
    if plan is None:
        raise PlanError("NOT_FOUND", "There is no such import.", "id")
    applied = await find_applied(db, plan_id)
    if applied and new.idempotency_key and applied.idempotency_key == new.idempotency_key:
        return applied.id
    _require_plan(plan)
    if applied and not applied.has_done_nothing:
        message = f"This plan was applied already, by the import '{applied.name}'."
        raise PlanError("ALREADY_APPLIED", message, "id")
    untold = await find_untold_row(db, plan_id)
    if untold is not None:
        raise PlanError(
            "NOT_APPLICABLE",
            f"Row {untold} does not say what it would change, so it can't be known whether it "
            "still does the same; upload the file without dryRun.",
            "id",
        )
    key = await insert_applied(db, app_id, plan_id, new, by=by)
    if key is None:
        raise await taken_error(db, app_id, new)
    return key


def _require_plan(plan: StoredPlan) -> None:
    if not plan.is_dry_run:
        raise PlanError("NOT_A_PLAN", "Only a dry run can be applied.", "id")
    if not plan.status.is_final:
        raise PlanError("NOT_FINISHED", "The dry run is not finished; wait for its end.", "id")
    if plan.status is ImportStatus.CANCELLED:
        message = "The dry run was cancelled, so its plan is not whole; make a new one."
        raise PlanError("CANCELLED", message, "id")
    if plan.purged_at:
        raise PlanError(
            "PURGED",
            f"The rows of this plan were removed on {plan.purged_at:%Y-%m-%d}, when their "
            "retention time was over; make a new one.",
            "id",
        )
    if not plan.passed:
        raise PlanError("NOTHING_TO_APPLY", "No row of the dry run has passed.", "id")
    if plan.is_atomic and plan.failed:
        message = f"The import is all or nothing, and {plan.failed:,} rows of the dry run failed."
        raise PlanError("NOTHING_TO_APPLY", message, "id")


async def request_release(db: Connection, app_id: int, import_id: int, *, by: Actor) -> None:
    """Let an import that is held go on: what it was held with is applied.

    Raises:
        PlanError: the request is refused; nothing has changed.
    """
    held = await lock_held(db, app_id, import_id, by.token_id)
    if held is None:
        raise PlanError("NOT_FOUND", "There is no such import.", "id")
    if held.code is None:
        raise PlanError("NOT_HELD", "The import is not held.", "id")
    if held.code == TO_BE_RELEASED.code and (held.is_uploader or held.has_retried):
        deed = "uploaded" if held.is_uploader else "retried"
        message = f"Another token than the one that {deed} the import must release it."
        raise PlanError("SAME_TOKEN", message, "id")
    await release(db, import_id)
    await record(db, app_id, by, Action.IMPORT_RELEASED, import_id, name=held.name)
