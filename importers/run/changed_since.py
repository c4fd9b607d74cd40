"""Rows of a plan that would come to something else by now: found, and what has changed since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from importers.sdk.errors import ErrorDetail
from models.last_changes import Touched, find_last_changes, find_namesakes
from models.plan import created_by, signature_of, touched_by
from models.row import RowStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from asyncpg import Connection

    from importers.rows.cell_reader import ReadRow
    from importers.run.chunk_context import ChunkContext
    from importers.run.settle import Settled
    from importers.sdk.entities import Case, User
    from importers.sdk.importer import Importer
    from models.last_changes import LastChange
    from models.plan import Signature
    from models.row import RowResult

_CODE = "CHANGED_SINCE"
_UNKNOWN = "This is not as it was planned"
_BY_ACTOR = "The {what} has been changed since, by '{actor}' at {time} UTC"
_BY_IMPORT = (
    "The {what} has been changed since, by row {row} of the import '{import_name}' at {time} UTC"
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
    touched = {
        result.number: touched_by(plan[result.number]) if result.number in plan else Touched()
        for result in failed
    }
    created = {
        number: fields for number in touched if (fields := created_by(plan.get(number))) is not None
    }
    if created:
        touched |= await find_namesakes(db, plan_id, created)
    return await _named(db, plan_id, settled, touched)


async def name_changes_of_undo(
    db: Connection, undo_of_id: int, settled: Settled, rows: Sequence[ReadRow], importer: Importer
) -> Settled:
    """Say of rows that undo nothing what has changed since the import that they would undo."""
    changed = {
        result.number
        for result in settled.results
        if result.errors and result.errors[0]["code"] == _CODE
    }
    names = list(importer.columns)
    case, user, record = map(names.index, ("case_id", "user_id", "record"))
    touched = {
        row.number: Touched(_key(row.values[case]), _key(row.values[user]), row.values[record])
        for row in rows
        if row.number in changed
    }
    return await _named(db, undo_of_id, settled, touched)


def _key(entity: Case | User | None) -> int | None:
    return entity.id if entity else None


async def _named(
    db: Connection, since_id: int, settled: Settled, touched: Mapping[int, Touched]
) -> Settled:
    """Name what has changed what rows are about, by their numbers, since an import has begun."""
    if not touched:
        return settled
    failed = [result for result in settled.results if result.number in touched]
    causes = await find_last_changes(db, since_id, touched.values())
    named = {
        result.number: result._replace(errors=[error.as_dict()])
        for result in failed
        if (error := _changed_since(result, causes.of(touched[result.number])))
    }
    return settled._replace(
        results=[named.get(result.number, result) for result in settled.results]
    )


def _changed_since(result: RowResult, cause: LastChange | None) -> ErrorDetail | None:
    """Return the error that names what has changed; None if the row's own one says all."""
    error: dict[str, Any] = result.errors[0]
    if cause is None and error["code"] == _CODE and error["message"] != _OTHERWISE[0].message:
        return None
    template, params = _told(cause)
    if error["message"] != _OTHERWISE[0].message:
        # The row's own error, such as a case that is closed by now.
        template += ": {now}"
        params["now"] = error["message"].rstrip(".")
    template += "."
    return ErrorDetail.of(_CODE, template, column=error["column"], value=error["value"], **params)


def _told(cause: LastChange | None) -> tuple[str, dict[str, Any]]:
    """Return the part of a template that names what has changed, and its params."""
    if cause is None:
        return _UNKNOWN, {}
    params = {"what": cause.what, "time": cause.shown_time}
    if cause.import_name is None:
        return _BY_ACTOR, {**params, "actor": cause.actor or "command line"}
    return _BY_IMPORT, {**params, "row": cause.row, "import_name": cause.import_name}
