"""Rows of a plan that would come to something else by now: found, and what has changed since."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from importers.sdk.errors import ErrorDetail
from models.last_changes import find_last_changes
from models.plan import signature_of
from models.row import RowStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from asyncpg import Connection

    from importers.run.chunk_context import ChunkContext
    from importers.run.settle import Settled
    from models.last_changes import LastChange, LastChanges
    from models.plan import Signature
    from models.row import RowResult

_CODE = "CHANGED_SINCE"
_OTHERWISE = (ErrorDetail(code=_CODE, message="The row would do something else by now."),)


def find_changed(
    context: ChunkContext, results: Iterable[RowResult]
) -> dict[int, Sequence[ErrorDetail]]:
    """Find rows that would pass and do something else than the plan said, by their numbers."""
    plan = context.plan
    if plan is None:
        return {}
    return {
        result.number: _OTHERWISE
        for result in results
        if result.status is RowStatus.PASSED and signature_of(result) != plan.get(result.number)
    }


async def name_changes(
    db: Connection, plan_id: int, settled: Settled, plan: Mapping[int, Signature]
) -> Settled:
    """Say of the rows that have failed what has changed since the plan was made."""
    failed = [result for result in settled.results if result.status is RowStatus.FAILED]
    if not failed:
        return settled
    touched = {result.number: _touched(plan.get(result.number)) for result in failed}
    causes = await find_last_changes(db, plan_id, touched.values())
    named = {
        result.number: result._replace(
            errors=[asdict(_changed_since(result, touched[result.number], causes))]
        )
        for result in failed
    }
    return settled._replace(
        results=[named.get(result.number, result) for result in settled.results]
    )


def _touched(signature: Signature | None) -> tuple[int | None, int | None]:
    """Return the case and the user that a planned row is about first, by primary key."""
    if signature is None:
        return None, None
    _, edits, others = signature
    for case_id, user_id, *_ in (*edits, *others):
        return case_id, user_id
    return None, None


def _changed_since(
    result: RowResult, touched: tuple[int | None, int | None], causes: LastChanges
) -> ErrorDetail:
    error: dict[str, Any] = result.errors[0]
    cause = causes.of(touched)
    said = f"{_told(cause)} since the plan was made" if cause else "This is not as it was planned"
    if error["code"] != _CODE:
        # The row's own error, such as a case that is closed by now.
        said = f"{said}: {error['message'].rstrip('.')}"
    message = f"{said}; make a new plan."
    return ErrorDetail(code=_CODE, message=message, column=error["column"], value=error["value"])


def _told(cause: LastChange) -> str:
    when = f"{cause.changed_at:%Y-%m-%d at %H:%M} UTC"
    if cause.import_name is not None:
        doer = f"row {cause.row} of the import '{cause.import_name}'"
    else:
        doer = f"the token '{cause.actor}'"
    return f"The {cause.what} was changed by {doer} on {when},"
