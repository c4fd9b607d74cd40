"""Planning: from the values of rows to the changes that they ask for, repeats left out."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from importers.isolation.guard import TooSlowError, guarded, is_guest
from importers.run.carried_keys import pack_memo
from importers.run.current_assignments import read_current
from importers.run.planned_row import PlannedChange, PlannedRow, check_repeats, fail_foreign
from importers.run.row_groups import (
    GroupPlan,
    LostRows,
    failed_row,
    find_groups,
    with_group_changes,
)
from importers.run.rules import RULES, rule_of
from importers.sdk.changes import AssignmentChange, OwnChange, Unchanged
from importers.sdk.entities import Case
from importers.sdk.entity_changes import ENTITY_CHANGES
from importers.sdk.errors import ErrorDetail, RowError, storable_message
from importers.sdk.importer import Importer
from importers.sdk.row import row_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from importers.rows.cell_reader import ReadRow
    from importers.run.carried_keys import CarriedKeys, Memo
    from importers.run.chunk_context import ChunkContext
    from importers.run.current_assignments import SeenAssignments
    from importers.run.row_groups import RowGroup
    from importers.sdk.changes import Answer
    from importers.sdk.entities import User
    from importers.sdk.row import FailedRow, Row

    MakeRow = Callable[[ReadRow], Row]
    Wrong = Mapping[int, Sequence[ErrorDetail]]

logger = logging.getLogger(__name__)

# PostgreSQL ends a transaction that is silent for 15 seconds, and one call may take 10: while a
# slow importer is asked, the transaction gives signs of life.
_ROWS_BETWEEN_SIGNS = 500
_SECONDS_OF_SILENCE = 3.0
_ONE_CHANGE = (*RULES, Unchanged)
_TEXTS = frozenset({str, bool, type(None)})


class Plan(NamedTuple):
    """What the rows of a chunk ask for.

    Args:
        rows: in the order of the file.
        told: the assignments that rows have seen, which must still be so when they are applied.
        carried: what earlier chunks hand on, with the keys that are named and the memo by now.
    """

    rows: Sequence[PlannedRow]
    told: SeenAssignments
    carried: CarriedKeys


async def plan_rows(context: ChunkContext, rows: Sequence[ReadRow], carried: CarriedKeys) -> Plan:
    """Ask the importer what each row means, and find which rows say the same or conflict.

    Args:
        rows: read, in the order of the file.
        carried: what the chunks before this one hand on.
    """
    importer = context.importer
    told, show = await read_current(context, rows, carried.edits)
    row_class = row_type([*importer.columns, *importer.assignments])

    def made(row: ReadRow) -> Row:
        return row_class(row.number, *row.values, *show(row))

    wrong, memo = check_chunk(context, rows, made, carried.memo)
    # All of it was one call, which may have taken 10 seconds.
    await context.store.keep_alive()
    ask = _ask_each if importer.group_by is None else _ask_groups
    asked = await ask(context, rows, made, wrong)
    if is_guest(importer):
        asked = await fail_foreign(context, asked, IMPORTER_FAILED)
    planned, seen = check_repeats(context, asked, carried.seen)
    return Plan(planned, told, replace(carried, seen=seen, memo=memo))


async def _ask_each(
    context: ChunkContext, rows: Sequence[ReadRow], made: MakeRow, wrong: Wrong
) -> list[PlannedRow]:
    asked: list[PlannedRow] = []
    signed = time.monotonic()
    for place, row in enumerate(rows):
        is_due = place % _ROWS_BETWEEN_SIGNS == 0 and place
        if is_due or time.monotonic() - signed > _SECONDS_OF_SILENCE:
            await context.store.keep_alive()
            signed = time.monotonic()
        errors = row.errors or wrong.get(place)
        asked.append(PlannedRow(row, errors=tuple(errors)) if errors else _ask(context, row, made))
    return asked


async def _ask_groups(
    context: ChunkContext, rows: Sequence[ReadRow], made: MakeRow, wrong: Wrong
) -> list[PlannedRow]:
    # Of a row without errors that is in no group, its importer could not make the group.
    asked = [
        PlannedRow(row, errors=tuple(row.errors or wrong.get(place) or (IMPORTER_FAILED,)))
        for place, row in enumerate(rows)
    ]
    groups = find_groups(context, rows, wrong)
    grouped = {place for group in groups for place in (*group.good, *group.failed)}
    lost = [row for place, row in enumerate(rows) if place not in grouped]
    lost_rows = LostRows.of(context.importer, lost)
    signed = time.monotonic()
    for number, group in enumerate(groups):
        if time.monotonic() - signed > _SECONDS_OF_SILENCE:
            await context.store.keep_alive()
            signed = time.monotonic()
        for place, planned in _ask_group(context, group, rows, made, lost_rows).items():
            asked[place] = planned._replace(group=number)
        for place in group.failed:
            asked[place] = asked[place]._replace(group=number)
    return asked


def _ask_group(
    context: ChunkContext,
    group: RowGroup,
    rows: Sequence[ReadRow],
    made: MakeRow,
    lost: LostRows,
) -> Mapping[int, PlannedRow]:
    """Ask the importer what the rows of a group mean; if it fails, they all fail."""
    key, good = context.importer.key, [rows[place] for place in group.good]
    if all(row.is_context for row in good):
        return {place: PlannedRow(rows[place]) for place in group.good}
    failed = [failed_row(context.importer, rows[place]) for place in group.failed]
    shown = {place: made(rows[place]) for place in group.good}
    try:
        answers = guarded(_asked_of_group, context.importer, group.key, shown, failed)
        for place, (changes, _, _) in answers.of_rows.items():
            _check_about(context.importer, [rows[place]], changes)
        _check_about(context.importer, good, answers.of_group)
    except RowError as error:
        return {
            place: PlannedRow(rows[place], errors=(context.row_error(error, rows[place]),))
            for place in group.good
        }
    except TooSlowError:
        logger.exception("importer %r took too long on the group %r", key, group.key)
        return {place: PlannedRow(rows[place], errors=(_TOO_SLOW,)) for place in group.good}
    except Exception:
        logger.exception("importer %r failed on the group %r; its rows fail", key, group.key)
        return {place: PlannedRow(rows[place], errors=(IMPORTER_FAILED,)) for place in group.good}
    planned = {
        # The importer sees it like when it failed, for another reason than its cells.
        place: PlannedRow(rows[place], errors=(IMPORTER_FAILED,))
        if rows[place].has_failed
        else PlannedRow(
            rows[place],
            () if errors else changes,
            errors=tuple(context.row_error(error, rows[place]) for error in errors),
            messages=messages,
        )
        for place, (changes, messages, errors) in answers.of_rows.items()
    }
    return with_group_changes(context, group, GroupPlan(planned, answers.of_group), lost)


class _GroupAnswers(NamedTuple):
    """The answers about a group: by place, each row's changes, messages and errors; and its own."""

    of_rows: Mapping[int, tuple[list[PlannedChange], list[str], list[RowError]]]
    of_group: Sequence[PlannedChange]


def _asked_of_group(
    importer: Importer, key: object, shown: Mapping[int, Row], failed: Sequence[FailedRow]
) -> _GroupAnswers:
    try:
        answers = _answers_about(importer, key, shown, failed)
    except RowError as error:
        _check_column(importer, error)
        raise
    named = {keys for changes, _, _ in answers.of_rows.values() for keys, *_ in changes}
    for change in answers.of_group:
        if change.keys in named:
            fault = "for the group, which a row asks for as well"
            raise TypeError(f"change_group() returned {change.change!r:.200} {fault}")
    return answers


def _answers_about(
    importer: Importer, key: object, shown: Mapping[int, Row], failed: Sequence[FailedRow]
) -> _GroupAnswers:
    of_rows: dict[int, tuple[list[PlannedChange], list[str], list[RowError]]]
    of_rows = {place: ([], [], []) for place in shown}
    of_group: list[PlannedChange] = []
    # By identity, as rows have no hash.
    entries: dict[int, Any] = {id(row): of_rows[place] for place, row in shown.items()}
    for pair in importer.change_group(key, list(shown.values()), failed) or ():
        if not (isinstance(pair, tuple) and len(pair) == 2):
            raise TypeError(
                f"change_group() returned {pair!r:.200}, no pair of a row and an answer"
            )
        row, answer = pair
        entry = entries.get(id(row))
        if isinstance(answer, RowError) and entry:
            _check_column(importer, answer)
            entry[2].append(answer)
            continue
        changes, messages = _read_answer(answer)
        if entry:
            entry[0].extend(changes)
            entry[1].extend(messages)
        elif row is None and not messages:
            of_group += changes
        else:
            raise TypeError(f"change_group() returned {pair!r:.200}, which is about no row of it")
    return _GroupAnswers(of_rows, of_group)


def check_chunk(
    context: ChunkContext, rows: Sequence[ReadRow], made: MakeRow, memo: Memo
) -> tuple[Mapping[int, Sequence[ErrorDetail]], Memo]:
    """Let the importer look at all rows of a chunk together.

    Args:
        made: makes a row as importers see it.
        memo: what earlier chunks have left.

    Returns:
        the errors of the rows that it names, by their places in the chunk, and the memo as it is
        then; if the importer fails, so do all rows that it was asked about, and the memo stays.
    """
    importer = context.importer
    if type(importer).check_chunk is Importer.check_chunk:
        return {}, memo
    # Where a row comes twice, the first time as context, the importer sees it once.
    places = {row.number: place for place, row in enumerate(rows) if not row.errors}
    wrong: dict[int, list[ErrorDetail]] = {}
    # A copy: what an importer notes before it fails does not count, nor what is noted in an attempt
    # that loses a race.
    noted = copy.deepcopy(memo)
    try:
        shown = [made(rows[place]) for place in places.values()]
        for number, error in guarded(_named, importer, shown, noted):
            place = places[number]
            wrong.setdefault(place, []).append(context.row_error(error, rows[place]))
    except Exception:
        logger.exception("importer %r failed on a chunk; its rows fail", importer.key)
        return dict.fromkeys(places.values(), (IMPORTER_FAILED,)), memo
    return wrong, noted


def _named(importer: Importer, rows: Sequence[Row], memo: Memo) -> list[tuple[int, RowError]]:
    found = list(importer.check_chunk(rows, memo))
    pack_memo(memo)
    # By identity, as rows have no hash.
    known = set(map(id, rows))
    for row, error in found:
        if not (id(row) in known and isinstance(error, RowError)):
            raise TypeError(f"check_chunk() returned {(row, error)!r:.200}, no row and its error")
        _check_column(importer, error)
    return [(row.number, error) for row, error in found]


def _ask(context: ChunkContext, row: ReadRow, made: MakeRow) -> PlannedRow:
    key = context.importer.key
    try:
        changes, messages = guarded(_asked, context.importer, made(row))
        _check_about(context.importer, [row], changes)
    except RowError as error:
        return PlannedRow(row, errors=(context.row_error(error, row),))
    except TooSlowError:
        logger.exception("importer %r took too long on row %d", key, row.number)
        return PlannedRow(row, errors=(_TOO_SLOW,))
    except Exception:
        logger.exception("importer %r failed on row %d; the row fails", key, row.number)
        return PlannedRow(row, errors=(IMPORTER_FAILED,))
    return PlannedRow(row, changes, messages=messages)


def _check_about(
    importer: Importer, rows: Iterable[ReadRow], changes: Iterable[PlannedChange]
) -> None:
    """See to it that rows which change the same assignment are kept together.

    Raises:
        TypeError: a change is of an assignment that other rows may change at the same time.
    """
    if not (ordering := importer._ordering):
        return
    places = [place for place, name in enumerate(importer.columns) if name in ordering]
    values = (row.values[place] for row in rows for place in places)
    named = {_identity(value) for value in values if value}
    for each in changes:
        change: Any = each.change
        if each.rule and named.isdisjoint((_identity(change.case), _identity(change.user))):
            method = "change" if importer.group_by is None else "change_group"
            what = f"{method}() returned {change!r:.200}, of none that the row names in"
            raise TypeError(f"{what} {' or '.join(ordering)}: AssignmentsOf is about these alone")


def _identity(entity: Case | User) -> tuple[bool, int]:
    return isinstance(entity, Case), entity.id


def _asked(importer: Importer, row: Row) -> tuple[list[PlannedChange], Sequence[str]]:
    try:
        return _read_answer(importer.change(row))
    except RowError as error:
        _check_column(importer, error)
        raise


def _check_column(importer: Importer, error: RowError) -> None:
    if error.column is not None and error.column not in importer.columns:
        fault = f"{error.column!r:.80}, which is no column"
        raise TypeError(f"the error {error.code} is on {fault}") from error


def _read_answer(
    answer: Answer | Iterable[Answer] | RowError | None,
) -> tuple[list[PlannedChange], Sequence[str]]:
    if answer is None:
        return [], ()
    if isinstance(answer, OwnChange):  # the most frequent answer needs no list of answers
        return [_custom(answer)], ()
    is_one = isinstance(answer, _ONE_CHANGE) or not isinstance(answer, Iterable)
    changes: list[PlannedChange] = []
    messages: list[str] = []
    for each in [answer] if is_one else answer:  # type: ignore[union-attr]
        if isinstance(each, OwnChange):
            changes.append(_custom(each))
        elif isinstance(each, AssignmentChange):
            rule = rule_of(type(each))
            if not rule.is_sound(each):
                raise _nonsense(each)
            keys = ((each.case.id, each.user.id),)
            changes.append(PlannedChange(keys, rule.intent(each), each, rule))
        elif isinstance(each, Unchanged) and isinstance(each.message, str):
            messages.append(storable_message(each.message))
        else:
            raise _nonsense(each)
    return changes, messages


def _custom(change: OwnChange) -> PlannedChange:
    keys, intent = tuple(change.keys), change.wish()
    if type(change) not in ENTITY_CHANGES:  # whose keys are known to be sound
        if not (keys and all(map(_is_plain, (*keys, intent)))):
            raise TypeError(f"keys and wish of {change!r:.200} have to be tuples, a word first")
        for name, code in change.taken.values():
            if not (hasattr(change, name) and isinstance(code, str)):
                raise TypeError(f"{type(change).__name__}.taken does not fit its fields")
    return PlannedChange(keys, intent, change, None)


def _nonsense(answer: object) -> TypeError:
    return TypeError(f"change() returned {answer!r:.200}, which can't be carried out")


def _is_plain(values: Any) -> bool:
    """Tell whether it is a tuple that can be handed on to the next chunk."""
    if not (isinstance(values, tuple) and values and isinstance(values[0], str)):
        return False
    if _TEXTS.issuperset(map(type, values)):
        return True
    return all(
        isinstance(each, str | None) or (isinstance(each, int) and abs(each) < 1 << 63)
        for each in values
    )


def importer_error(template: str, **params: Any) -> ErrorDetail:
    """Describe a failure that is the importer's fault, not the file's."""
    return ErrorDetail.of("IMPORTER_ERROR", template, **params)


IMPORTER_FAILED = importer_error("The importer failed on this row; the worker's log says why.")
_TOO_SLOW = importer_error("The importer took too long on this row; the worker's log says where.")
