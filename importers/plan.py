"""Planning: from the values of rows to the changes that they ask for, repeats left out."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from importers.changes import Assign, Change, Modify
from importers.claims import Claim, pair_of, wish_of
from importers.entity import Case, Role, User
from importers.errors import ErrorDetail, RowError
from importers.read import error_detail
from importers.row import row_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from importers.base import Importer
    from importers.claims import Claims
    from importers.read import Layout, ReadRow
    from importers.row import Row
    from models.assignment import Pair

logger = logging.getLogger(__name__)

_KINDS = get_args(Change)


@dataclass(slots=True)
class Plan:
    """What a row asks for, once the rows before it are known.

    Args:
        changes: those that no earlier row of the file has asked for, each with its pair.
        repeats: claims of earlier rows that this row only says again.
        errors: why the row can't be carried out.
    """

    row: ReadRow
    changes: Sequence[tuple[Pair, Change]] = ()
    repeats: Sequence[Claim] = ()
    errors: tuple[ErrorDetail, ...] = ()


def plan_rows(
    importer: Importer, layout: Layout, rows: Sequence[ReadRow], claims: Claims
) -> list[Plan]:
    """Ask the importer what each row means, and find out which rows say the same or conflict.

    Rows come in the order of the file; `claims` is added to.
    """
    make_row = row_type(importer.columns)
    plans = []
    for row in rows:
        plan = Plan(row, errors=tuple(row.errors))
        if not plan.errors:
            _claim(plan, _ask(importer, layout, make_row, plan), claims)
        plans.append(plan)
    return plans


def _ask(importer: Importer, layout: Layout, make_row: type[Row], plan: Plan) -> list[Change]:
    row = plan.row
    try:
        return _listed(importer.change(make_row(row.number, *row.values)))
    except RowError as error:
        plan.errors = (error_detail(importer, error, error.column, row, layout),)
    except Exception:
        logger.exception("importer %r failed on row %d; the row fails", importer.key, row.number)
        plan.errors = (importer_error("the importer failed on this row; its log says why."),)
    return []


def _listed(changes: Change | Iterable[Change] | None) -> list[Change]:
    if changes is None:
        return []
    found: list[Any] = [changes] if isinstance(changes, _KINDS) else list(changes)  # type: ignore[arg-type]
    for change in found:
        if not isinstance(change, _KINDS) or not _is_sound(change):
            raise TypeError(f"change() returned {change!r:.200}, which can't be carried out")
    return found


def _is_sound(change: Change) -> bool:
    """Tell whether the change's values are of the types that it declares."""
    if not (isinstance(change.case, Case) and isinstance(change.user, User)):
        return False
    if isinstance(change, Assign):
        return isinstance(change.role, Role) and isinstance(change.notify, bool)
    if isinstance(change, Modify):
        return isinstance(change.role, Role | None) and isinstance(change.notify, bool | None)
    return True


def importer_error(message: str) -> ErrorDetail:
    """Describe a failure that is the importer's fault, not the file's."""
    return ErrorDetail(code="IMPORTER_ERROR", message=message[0].upper() + message[1:])


def _claim(plan: Plan, changes: Sequence[Change], claims: Claims) -> None:
    own: dict[Pair, Change] = {}
    repeats = []
    for change in changes:
        pair, wish = pair_of(change), wish_of(change)
        claim = claims.get(pair)
        if claim is None:
            claims[pair] = Claim(plan.row.number, wish)
            own[pair] = change
        elif claim.wish != wish:
            plan.errors = (_conflict(claim.row),)
            break
        elif pair not in own:
            repeats.append(claim)
    if plan.errors:
        for pair in own:
            claims[pair].errors = plan.errors
        return
    plan.changes = list(own.items())
    plan.repeats = repeats


def _conflict(number: int) -> ErrorDetail:
    return ErrorDetail(
        code="CONFLICTS_WITH_ROW",
        message=f"The row says something else of the same user on the same case than row {number};"
        " keep one of them.",
        value=str(number),
    )
