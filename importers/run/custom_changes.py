"""Changes of own kinds: each class carries out its own, and what it answers is checked."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import asyncpg

from importers.isolation.guard import guarded_await, is_guarding, is_of_plugin
from importers.run.rules import Verdict
from importers.sdk.changes import Applied, OwnChange, Refused
from importers.sdk.errors import RowError, RunError, storable
from models.db import RaceError, is_misuse, is_passing
from models.row import RowOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from importers.sdk.changes import Change, Key, Transaction

    Keyed = tuple[tuple[Key, ...], OwnChange]


class OwnChangeError(Exception):
    """A kind of change has failed where it should have answered; its cause says how."""


def own_changes(changes: Sequence[tuple[tuple[Key, ...], Change]]) -> list[Keyed]:
    """Return those that are not about assignments."""
    return [(keys, change) for keys, change in changes if isinstance(change, OwnChange)]


async def carry_out(
    changes: Sequence[Keyed], transaction: Transaction, *, is_last: bool = False
) -> dict[tuple[Key, ...], Verdict]:
    """Carry changes out class by class, in the order of the classes' names.

    Args:
        is_last: whether a unique key that a stranger's class meets is its own fault: others can't
            have been faster each time.

    Returns:
        what became of each, by its keys.

    Raises:
        OwnChangeError: a class can't do it.
        RaceError: somebody else was faster; undo all and do it again.
    """
    kinds: dict[type[OwnChange], list[Keyed]] = defaultdict(list)
    for keys, change in changes:
        kinds[type(change)].append((keys, change))
    verdicts: dict[tuple[Key, ...], Verdict] = {}
    for kind in sorted(kinds, key=lambda kind: f"{kind.__module__}.{kind.__qualname__}"):
        own = [change for _, change in kinds[kind]]
        answers = await _apply(kind, own, transaction, is_last=is_last)
        verdicts |= {
            keys: _verdict(answer) for (keys, _), answer in zip(kinds[kind], answers, strict=True)
        }
    return verdicts


async def _apply(
    kind: type[OwnChange],
    changes: Sequence[OwnChange],
    transaction: Transaction,
    *,
    is_last: bool,
) -> Sequence[Applied | Refused]:
    try:
        answers = list(await guarded_await(kind.apply(changes, transaction)))
        _check(answers, len(changes))
    except asyncpg.UniqueViolationError as error:
        if is_last and is_guarding():
            raise _failed(kind, error) from error
        raise RaceError from error
    except (asyncpg.PostgresError, RaceError, RunError):
        raise
    except Exception as error:
        is_own = is_of_plugin(error) or is_misuse(error, transaction.db)
        if is_passing(error) and not is_own:
            raise
        raise _failed(kind, error) from error
    return answers


def _failed(kind: type[OwnChange], error: Exception) -> OwnChangeError:
    return OwnChangeError(f"{kind.__name__}.apply failed: {error!r:.200}")


def _check(answers: Sequence[Applied | Refused], count: int) -> None:
    """Look at what strangers' code has answered.

    Raises:
        TypeError: it is not what it should be.
    """
    if len(answers) != count:
        raise TypeError(f"{count} changes came to {len(answers)} answers")
    outcomes: Mapping[str, RowOutcome] = RowOutcome.__members__
    for answer in answers:
        if isinstance(answer, Applied):
            is_sound = answer.outcome in outcomes and isinstance(answer.message, str | None)
        else:
            is_sound = isinstance(answer, Refused) and bool(answer.reasons)
            is_sound = is_sound and all(isinstance(error, RowError) for _, error in answer.reasons)
        if not is_sound:
            raise TypeError(f"apply() returned {answer!r:.200}, which is no answer")


def _verdict(answer: Applied | Refused) -> Verdict:
    if isinstance(answer, Refused):
        return Verdict(None, refusals=answer.reasons)
    message = answer.message and storable(answer.message)
    return Verdict(RowOutcome[answer.outcome], message=message)
