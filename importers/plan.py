"""Planning: from the values of rows to the changes that they ask for, repeats left out."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from importers.changes import Assign, Change, Modify, OwnChange
from importers.claims import Claim, keys_of, wish_of
from importers.entity import Case, Role, User
from importers.errors import ErrorDetail, RowError
from importers.read import error_detail, refusal_detail
from importers.row import row_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from importers.base import Importer
    from importers.changes import Key, Wish
    from importers.claims import Claims
    from importers.read import Layout, ReadRow
    from importers.row import Row

logger = logging.getLogger(__name__)

_KINDS = get_args(Change)


class Asked(NamedTuple):
    """A change with what it is about and what it wishes, as the change itself says."""

    keys: tuple[Key, ...]
    wish: Wish
    change: Change


@dataclass(slots=True)
class Plan:
    """What a row asks for, once the rows before it are known.

    Args:
        changes: those that no earlier row of the file has asked for, each with its keys.
        repeats: claims of earlier rows that this row only says again.
        errors: why the row can't be carried out.
    """

    row: ReadRow
    changes: Sequence[tuple[tuple[Key, ...], Change]] = ()
    repeats: Sequence[Claim] = ()
    errors: tuple[ErrorDetail, ...] = ()


def plan_rows(
    importer: Importer, layout: Layout, rows: Sequence[ReadRow], claims: Claims
) -> list[Plan]:
    """Ask the importer what each row means, and find out which rows say the same or conflict.

    Rows come in the order of the file; `claims` is added to.
    """
    make_row = row_type(importer.columns)
    claiming = _Claiming(importer, layout, claims)
    plans = []
    for row in rows:
        plan = Plan(row, errors=tuple(row.errors))
        if not plan.errors:
            claiming.claim(plan, _ask(importer, layout, make_row, plan))
        plans.append(plan)
    return plans


def _ask(importer: Importer, layout: Layout, make_row: type[Row], plan: Plan) -> list[Asked]:
    row = plan.row
    try:
        changes = _listed(importer.change(make_row(row.number, *row.values)))
        return [_asked(change) for change in changes]
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


def _asked(change: Change) -> Asked:
    asked = Asked(keys_of(change), wish_of(change), change)
    if isinstance(change, OwnChange):
        if not (asked.keys and all(map(_is_plain, (*asked.keys, asked.wish)))):
            raise TypeError(f"keys and wish of {change!r:.200} have to be tuples, a word first")
        for name, code in change.taken.values():
            if not (hasattr(change, name) and isinstance(code, str)):
                raise TypeError(f"{type(change).__name__}.taken does not fit its fields")
    return asked


def _is_plain(values: Any) -> bool:
    """Tell whether it is a tuple that can be handed over to the next chunk."""
    if not (isinstance(values, tuple) and values and isinstance(values[0], str)):
        return False
    return all(
        isinstance(each, str | None) or (isinstance(each, int) and abs(each) < 1 << 63)
        for each in values
    )


def _is_sound(change: Change) -> bool:
    """Tell whether the change's values are of the types that it declares."""
    if isinstance(change, OwnChange):
        return True
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


@dataclass(frozen=True, slots=True)
class _Claiming:
    """Finds out which of a row's changes are new, and which repeat or contradict earlier rows."""

    importer: Importer
    layout: Layout
    claims: Claims

    def claim(self, plan: Plan, asked: Sequence[Asked]) -> None:
        claims = self.claims
        own: list[Claim] = []
        changes, repeats = [], []
        for each in asked:
            held = [(key, claims[key]) for key in each.keys if key in claims]
            if not held:
                claim = Claim(plan.row.number, each.wish)
                claims.update(dict.fromkeys(each.keys, claim))
                own.append(claim)
                changes.append((each.keys, each.change))
            elif not _is_repeat(each, held):
                plan.errors = self._conflicts(plan.row, each, held)
                break
            elif held[0][1] not in own:
                repeats.append(held[0][1])
        if plan.errors:
            for claim in own:
                claim.errors = plan.errors
            return
        plan.changes, plan.repeats = changes, repeats

    def _conflicts(
        self, row: ReadRow, asked: Asked, held: Sequence[tuple[Key, Claim]]
    ) -> tuple[ErrorDetail, ...]:
        taken = asked.change.taken if isinstance(asked.change, OwnChange) else {}
        errors = []
        for key, claim in held:
            if key[0] in taken:
                name, code = taken[str(key[0])]
                error = RowError(None, code, f"row {claim.row} of this file has it too.")
                at_fault = getattr(asked.change, name)
                errors.append(refusal_detail(self.importer, error, at_fault, row, self.layout))
            else:
                errors.append(_conflict(asked.change, str(key[0]), claim.row))
        return tuple(dict.fromkeys(errors))


def _is_repeat(asked: Asked, held: Sequence[tuple[Key, Claim]]) -> bool:
    """Tell whether one earlier row has asked for just this."""
    return (
        len(held) == len(asked.keys)
        and len({claim.row for _, claim in held}) == 1
        and all(claim.wish == asked.wish for _, claim in held)
    )


def _conflict(change: Change, kind: str, number: int) -> ErrorDetail:
    what = kind if isinstance(change, OwnChange) else "user on the same case"
    return ErrorDetail(
        code="CONFLICTS_WITH_ROW",
        message=f"The row says something else of the same {what} than row {number};"
        " keep one of them.",
        value=str(number),
    )
