"""Rows of a plan that would come to something else by now: found, and what has changed since."""

from __future__ import annotations

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
_UNKNOWN = "This is not as it was planned"
_BY_ACTOR = "The {what} was changed by '{actor}' at {time} UTC, since the plan was made"
_BY_IMPORT = (
    "The {what} was changed by row {row} of the import '{import_name}' at {time} UTC, since the "
    "plan was made"
)
_OTHERWISE = (ErrorDetail.of(_CODE, "The row would do something else by now."),)


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
            errors=[_changed_since(result, touched[result.number], causes).as_dict()]
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
    template, params = _told(causes.of(touched))
    if error["code"] != _CODE:
        # The row's own error, such as a case that is closed by now.
        template += ": {now}"
        params["now"] = error["message"].rstrip(".")
    template += "; make a new plan."
    return ErrorDetail.of(_CODE, template, column=error["column"], value=error["value"], **params)


def _told(cause: LastChange | None) -> tuple[str, dict[str, Any]]:
    """Return the part of a template that names what has changed, and its params."""
    if cause is None:
        return _UNKNOWN, {}
    params = {"what": cause.what, "time": cause.shown_time}
    if cause.import_name is None:
        return _BY_ACTOR, {**params, "actor": cause.actor or "command line"}
    return _BY_IMPORT, {**params, "row": cause.row, "import_name": cause.import_name}
