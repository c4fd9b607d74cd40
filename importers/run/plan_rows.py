"""Planning: from the values of rows to the changes that they ask for, repeats left out."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast, get_args

from importers.isolation.guard import TooSlowError, guarded
from importers.rows.cell_reader import error_detail, refusal_detail
from importers.rows.layout import Layout
from importers.run.seen_keys import FirstMention, keys_of, pack_memo, wish_of
from importers.sdk.changes import Assign, Change, Modify, OwnChange, Unchanged
from importers.sdk.entities import Case, Role, User
from importers.sdk.errors import ErrorDetail, RowError, storable
from importers.sdk.importer import Importer
from importers.sdk.row import row_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.rows.cell_reader import ReadRow
    from importers.rows.layout import Layout
    from importers.run.seen_keys import Memo, SeenKeys
    from importers.sdk.changes import Answer, Key, Wish
    from importers.sdk.row import Row

logger = logging.getLogger(__name__)

_KINDS = (*get_args(Change), Unchanged)
_TEXTS = frozenset({str, bool, type(None)})


class Asked(NamedTuple):
    """A change with what it is about and what it wishes, as the change itself says."""

    keys: tuple[Key, ...]
    wish: Wish
    change: Change


@dataclass(slots=True)
class PlannedRow:
    """What a row asks for, once the rows before it are known.

    Args:
        changes: those that no earlier row of the file has asked for, each with its keys.
        repeats: claims of earlier rows that this row only says again.
        errors: why the row can't be carried out.
        messages: what the importer has to say on a row that it wants unchanged.
    """

    row: ReadRow
    changes: Sequence[tuple[tuple[Key, ...], Change]] = ()
    repeats: Sequence[FirstMention] = ()
    errors: tuple[ErrorDetail, ...] = ()
    messages: Sequence[str] = ()


# What Caseroll's own kinds of change say is known to be sound.
_BUILT_IN = "importers.sdk.entity_changes"


class Planner:
    """Asks the importer what each row means, and finds out which rows say the same or conflict.

    Rows come in the order of the file; `claims` is added to.
    """

    def __init__(self, importer: Importer, layout: Layout, claims: SeenKeys) -> None:
        self._importer = importer
        self._layout = layout
        self._memo = claims.memo
        self._claiming = _Claiming(importer, layout, claims)
        self._make_row = row_type([*importer.columns, *importer.assignments])

    def check(self, rows: Sequence[ReadRow]) -> None:
        """Let the importer look at all rows of a chunk; those that it names get their errors."""
        if type(self._importer).check_chunk is Importer.check_chunk:
            return
        good = {row.number: row for row in rows if not row.errors}
        carried = copy.deepcopy(self._memo)
        try:
            made = [self._made(row) for row in good.values()]
            wrong = guarded(_named, self._importer, made, self._memo)
            for number, error in wrong:
                good[number].errors = (*good[number].errors, self._detail(error, good[number]))
        except Exception:
            logger.exception("importer %r failed on a chunk; its rows fail", self._importer.key)
            for row in good.values():
                row.errors = (_FAILED,)
            self._memo.clear()
            self._memo.update(carried)

    def plan(self, row: ReadRow) -> PlannedRow:
        """Plan the next row."""
        if row.errors:
            return PlannedRow(row, errors=tuple(row.errors))
        plan = PlannedRow(row)
        self._claiming.claim(plan, self._ask(plan))
        return plan

    def _made(self, row: ReadRow) -> Row:
        return self._make_row(row.number, *row.values, *row.present)

    def _ask(self, plan: PlannedRow) -> list[Asked]:
        row, importer = plan.row, self._importer
        try:
            answers = guarded(_answers, importer, self._made(row))
            return [_asked(each) for each in _changes(answers, plan)]
        except RowError as error:
            plan.errors = (self._detail(error, row),)
        except TooSlowError:
            logger.exception("importer %r took too long on row %d", importer.key, row.number)
            plan.errors = (_TOO_SLOW,)
        except Exception:
            logger.exception(
                "importer %r failed on row %d; the row fails", importer.key, row.number
            )
            plan.errors = (_FAILED,)
        return []

    def _detail(self, error: RowError, row: ReadRow) -> ErrorDetail:
        return error_detail(self._importer, error, error.column, row, self._layout)


def plan_rows(
    importer: Importer, layout: Layout, rows: Sequence[ReadRow], claims: SeenKeys
) -> list[PlannedRow]:
    """Plan all rows of a chunk."""
    planner = Planner(importer, layout, claims)
    planner.check(rows)
    return [planner.plan(row) for row in rows]


def _answers(importer: Importer, row: Row) -> list[Answer]:
    """Ask what a row means, and look at what comes back."""
    answer = importer.change(row)
    if answer is None:
        return []
    if isinstance(answer, OwnChange):
        return [answer]
    is_one = isinstance(answer, _KINDS) or not isinstance(answer, Iterable)
    found: list[Any] = [answer] if is_one else list(answer)  # type: ignore[arg-type]
    for each in found:
        if not isinstance(each, _KINDS) or not _is_sound(each):
            raise TypeError(f"change() returned {each!r:.200}, which can't be carried out")
    return found


def _changes(answers: Sequence[Answer], plan: PlannedRow) -> Sequence[Change]:
    """Return what is to be carried out; what the importer has to say goes into the plan."""
    if Unchanged not in map(type, answers):
        return cast("Sequence[Change]", answers)
    plan.messages = [storable(each.message) for each in answers if isinstance(each, Unchanged)]
    return [each for each in answers if not isinstance(each, Unchanged)]


def _named(importer: Importer, rows: Sequence[Row], memo: Memo) -> list[tuple[int, RowError]]:
    """Ask which rows of a chunk are wrong, and look at what comes back."""
    found = list(importer.check_chunk(rows, memo))
    pack_memo(memo)
    known = set(map(id, rows))
    for row, error in found:
        if not (id(row) in known and isinstance(error, RowError)):
            raise TypeError(f"check_chunk() returned {(row, error)!r:.200}, no row and its error")
    return [(row.number, error) for row, error in found]


def _asked(change: Change) -> Asked:
    asked = Asked(keys_of(change), wish_of(change), change)
    if isinstance(change, OwnChange) and type(change).__module__ != _BUILT_IN:
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
    if _TEXTS.issuperset(map(type, values)):
        return True
    return all(
        isinstance(each, str | None) or (isinstance(each, int) and abs(each) < 1 << 63)
        for each in values
    )


def _is_sound(change: Answer) -> bool:
    """Tell whether the change's values are of the types that it declares."""
    if isinstance(change, OwnChange):
        return True
    if isinstance(change, Unchanged):
        return isinstance(change.message, str)
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


_FAILED = importer_error("the importer failed on this row; the worker's log says why.")
_TOO_SLOW = importer_error("the importer took too long on this row; the worker's log says where.")


@dataclass(frozen=True, slots=True)
class _Claiming:
    """Finds out which of a row's changes are new, and which repeat or contradict earlier rows."""

    importer: Importer
    layout: Layout
    claims: SeenKeys

    def claim(self, plan: PlannedRow, asked: Sequence[Asked]) -> None:
        claims = self.claims
        if len(asked) == 1 and claims.keys().isdisjoint(asked[0].keys):
            (only,) = asked
            claims.update(dict.fromkeys(only.keys, FirstMention(plan.row.number, only.wish)))
            plan.changes = [(only.keys, only.change)]
            return
        own: list[FirstMention] = []
        changes, repeats = [], []
        for each in asked:
            held = [(key, claims[key]) for key in each.keys if key in claims]
            if not held:
                claim = FirstMention(plan.row.number, each.wish)
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
        self, row: ReadRow, asked: Asked, held: Sequence[tuple[Key, FirstMention]]
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


def _is_repeat(asked: Asked, held: Sequence[tuple[Key, FirstMention]]) -> bool:
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
