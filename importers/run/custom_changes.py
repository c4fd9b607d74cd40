"""Custom changes: each class carries out its own, and what it answers is checked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, cast

import asyncpg

from importers.isolation.guard import is_guarding, is_of_plugin
from importers.run.chunk_context import MOST_RACES
from importers.run.rules import Decision
from importers.sdk.changes import Applied, Difference, OwnChange, Refused
from importers.sdk.entity_changes import ENTITY_CHANGES
from importers.sdk.errors import RowError, RunError, storable, storable_message
from models.db import RaceError, is_passing
from models.row import RowOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.run.chunk_context import ChunkContext
    from importers.run.planned_row import PlannedChange
    from importers.sdk.changes import Change, Key


_NAMES = frozenset({str})
_PLAIN = frozenset({str, int, float, bool, type(None)})
_TEXT_OR_NONE = (str, type(None))


class CustomChangeError(Exception):
    """A class of custom changes has failed where it should have answered; its cause says how."""


async def carry_out(
    context: ChunkContext, changes: Sequence[PlannedChange]
) -> dict[tuple[Key, ...], Decision]:
    """Carry custom changes out class by class, in the order of the classes' names.

    Returns:
        what became of each, by its keys.

    Raises:
        CustomChangeError: a class can't do it.
        RaceError: another transaction was faster; undo all and do it again.
    """
    by_kind: dict[type[Change], list[PlannedChange]] = defaultdict(list)
    for planned in changes:
        by_kind[cast("OwnChange", planned.change)._carrier()].append(planned)
    decisions: dict[tuple[Key, ...], Decision] = {}
    # In the same order in every worker, so that two chunks can't deadlock.
    for kind in sorted(by_kind, key=lambda kind: f"{kind.__module__}.{kind.__qualname__}"):
        keys, _, asked, _ = zip(*by_kind[kind], strict=True)
        answers = await _apply_kind(context, cast("type[OwnChange]", kind), list(asked))
        decisions |= zip(keys, map(_decision, answers), strict=True)
    return decisions


async def _apply_kind(
    context: ChunkContext, kind: type[OwnChange], changes: Sequence[OwnChange]
) -> Sequence[Applied | Refused]:
    try:
        answers = await context.store.apply_kind(kind, changes)
        _check_answers(answers, len(changes))
        if kind not in ENTITY_CHANGES:
            _check_values(answers)
    except asyncpg.UniqueViolationError as error:
        # Others can't have been faster each time: a plugin's class itself breaks the key then.
        if context.attempt == MOST_RACES and is_guarding():
            raise _class_failed(kind, error) from error
        raise RaceError from error
    # The row of a refused statement fails with `NOT_WRITTEN`: its data may be at fault, and not the
    # class.
    except (asyncpg.PostgresError, RaceError, RunError):
        raise
    except Exception as error:
        is_of_class = is_of_plugin(error) or context.store.is_misuse(error)
        if is_passing(error) and not is_of_class:
            raise
        raise _class_failed(kind, error) from error
    return answers


def _class_failed(kind: type[OwnChange], error: Exception) -> CustomChangeError:
    return CustomChangeError(f"{kind.__name__}.apply failed: {error!r:.200}")


def _check_answers(answers: Sequence[Applied | Refused], count: int) -> None:
    if len(answers) != count:
        raise TypeError(f"{count} changes came to {len(answers)} answers")
    outcomes: Mapping[str, RowOutcome] = RowOutcome.__members__
    for answer in answers:
        if isinstance(answer, Applied):
            is_sound = answer.outcome in outcomes and isinstance(answer.message, _TEXT_OR_NONE)
            if answer.warnings:
                is_sound = is_sound and all(
                    isinstance(each, RowError) for _, each in answer.warnings
                )
            is_sound = is_sound and _is_storable(answer.difference)
        else:
            is_sound = isinstance(answer, Refused) and bool(answer.reasons)
            is_sound = is_sound and all(isinstance(error, RowError) for _, error in answer.reasons)
        if not is_sound:
            raise TypeError(f"apply() returned {answer!r:.200}, which is no answer")


def _check_values(answers: Sequence[Applied | Refused]) -> None:
    """See to it that each value of a plugin's difference can be stored, and compared again."""
    for answer in answers:
        if isinstance(answer, Applied) and (difference := answer.difference):
            sides = (difference.before or {}, difference.after or {})
            values = [each for side in sides for each in side.values()]
            keys = (difference.case_id, difference.user_id)
            if not (all(map(_is_storable_value, values)) and all(map(_is_key, keys))):
                raise TypeError(f"apply() returned {answer!r:.200}, of which a value can't be kept")


def _is_key(value: object) -> bool:
    return value is None or (type(value) is int and 0 < value < 1 << 63)


def _is_storable_value(value: str | float | None) -> bool:
    if isinstance(value, str):
        return storable(value) == value
    if isinstance(value, float):
        return isfinite(value)
    return value is None or abs(value) < 1 << 63


def _is_storable(difference: object) -> bool:
    """Tell whether a difference can be kept, with all values of its sides."""
    if difference is None:
        return True
    if not isinstance(difference, Difference):
        return False
    before, after = difference.before, difference.after
    if before is None is after:
        return False
    return (before is None or _is_plain_side(before)) and (after is None or _is_plain_side(after))


def _is_plain_side(side: object) -> bool:
    # Sets of types instead of a look at each value: all rows of a file that adds users come here.
    return (
        isinstance(side, Mapping)
        and _NAMES.issuperset(map(type, side))
        and _PLAIN.issuperset(map(type, side.values()))
    )


def _decision(answer: Applied | Refused) -> Decision:
    if isinstance(answer, Refused):
        return Decision(None, refusals=answer.reasons)
    message = answer.message and storable_message(answer.message)
    return Decision(
        RowOutcome[answer.outcome],
        message=message,
        warnings=answer.warnings,
        difference=answer.difference,
    )
