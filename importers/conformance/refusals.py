"""Whether what an importer's look-ups refuse is refused."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from importers.conformance.problem import Problem
from importers.conformance.subject import describe
from importers.sdk.errors import RowError
from importers.sdk.references import Reference
from importers.testkit.fixture_app import WorldDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importers.conformance.subject import Subject


def check_refusals(subject: Subject) -> Iterator[Problem]:
    """Name in each column all that the world holds, closed cases and disabled users as well."""
    for name, column in subject.importer.columns.items():
        if not isinstance(column, Reference) or type(column).refusal is Reference.refusal:
            continue
        cells = [column.example or "", *column._specimens(subject.world.cases, subject.world.users)]
        for cell in filter(None, dict.fromkeys(cells)):
            problem = _refusal_problem(subject, name, column, cell)
            if problem:
                yield problem
                break


def _refusal_problem(
    subject: Subject, name: str, column: Reference[Any], cell: str
) -> Problem | None:
    where = f"column {name!r}, cell {cell!r}"
    try:
        key = column.read(cell)
        found = asyncio.run(_resolved(column, key, subject))
    except Exception:  # other checks tell of it
        return None
    if key not in found:
        return None
    try:
        error = column.refusal(found[key])
    except Exception as raised:
        return Problem(where, f"`refusal` raises {describe(raised)}", _RETURN)
    if not isinstance(error, RowError | None):
        return Problem(where, f"`refusal` returns {error!r:.80}", _RETURN)
    row = subject.run({2: subject.with_cell(name, cell)}).only
    if error is None or row.errors or row.outcome == "UNCHANGED":
        return None
    what = f"`refusal` objects with {error.code}, and the row comes to {row}"
    return Problem(
        where, what, "Let no override of `read` or `_may_refuse` keep it from being asked."
    )


async def _resolved(column: Reference[Any], key: Any, subject: Subject) -> Any:
    return await column.resolve(WorldDirectory(subject.world), [key])


_RETURN = "Return a RowError for what can't be used, and None for all else."
