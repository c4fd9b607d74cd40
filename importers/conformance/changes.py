"""Whether an importer's changes of own kinds are what the engine takes them for."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from importers.conformance.problem import Problem
from importers.sdk.changes import OwnChange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importers.conformance.specimens import Specimens
    from importers.conformance.subject import Subject


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
