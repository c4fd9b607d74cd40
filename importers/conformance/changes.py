"""Whether an importer's changes of own kinds are what the engine takes them for."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, cast

from importers.conformance.problem import Problem
from importers.sdk.changes import Applied, OwnChange
from importers.sdk.records.record_change import RecordChange
from importers.testkit.memory_records import MemoryRecords
from importers.undo.origin import find_inverter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importers.conformance.specimens import Specimens
    from importers.conformance.subject import Subject
    from importers.sdk.records.record import Record


def check_own_changes(subject: Subject, rest: Specimens) -> Iterator[Problem]:
    """Look at each kind of change of its own that the importer asks for."""
    changes = {
        type(change): (number, change)
        for number, outcome in rest.alone.items()
        for change in outcome.changes
        if isinstance(change, OwnChange)
    }
    for kind, (number, change) in changes.items():
        where = f"class {kind.__name__}"
        options: Any = getattr(kind, "__dataclass_params__", None)
        if not (options and options.frozen):
            hint = "Decorate it with @dataclass(frozen=True, slots=True, kw_only=True)."
            yield Problem(where, "it is not a frozen dataclass", hint)
        apply = inspect.getattr_static(kind, "apply")
        if apply is inspect.getattr_static(OwnChange, "apply"):
            yield Problem(where, "it does not say how to carry it out", "Override `apply`.")
        elif not isinstance(apply, classmethod) or not inspect.iscoroutinefunction(apply.__func__):
            hint = "Write @classmethod, then async def apply(cls, changes, transaction)."
            yield Problem(where, "`apply` is no coroutine of the class", hint)
        if change not in subject.run({number: rest.file[number]}).only.changes:
            hint = "Let the dataclass compare its fields: leave eq=False out."
            yield Problem(where, "two changes that say the same are not equal", hint)
        if isinstance(change, RecordChange):
            yield from _check_record_inverse(subject, change)
        else:
            yield from _check_inverse(where, kind)


def _check_inverse(where: str, kind: type[OwnChange]) -> Iterator[Problem]:
    """Check that an undo can ask for the inverse; whether it is one, only the database can say."""
    inverse = inspect.getattr_static(kind, "inverse")
    if inverse is inspect.getattr_static(OwnChange, "inverse"):
        return
    if not isinstance(inverse, classmethod) or inspect.iscoroutinefunction(inverse.__func__):
        hint = "Write @classmethod, then def inverse(cls, difference, case, user)."
        yield Problem(where, "`inverse` is no plain method of the class", hint)
    elif find_inverter(f"{kind.__module__}:{kind.__qualname__}") is not kind:
        hint = "Define it at the top of a module."
        yield Problem(where, "an undo does not find the class by its name", hint)


def _check_record_inverse(subject: Subject, change: RecordChange) -> Iterator[Problem]:
    """Carry a change out in memory, then its inverse."""
    world, where = subject.world, f"class {change._origin.__name__}"
    records = MemoryRecords(world.records, subject.importer.tables)
    before = records.copy()
    [answer] = records.carry_out([change])
    if not (isinstance(answer, Applied) and answer.difference):
        return
    difference = answer.difference
    case = next((each for each in world.cases if each.id == difference.case_id), None)
    user = next((each for each in world.users if each.id == difference.user_id), None)
    inverse = cast("type[Record]", change._origin).inverse(difference, case, user)
    if not isinstance(inverse, RecordChange):
        return
    records.carry_out([inverse])
    if records.copy() != before:
        yield Problem(where, "the inverse of a change does not give back what was there before")
