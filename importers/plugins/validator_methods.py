"""What a validator's class says of its methods: whether they can be called at all."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from importers.plugins.change_methods import signature_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importers.sdk.validator import Validator

_TOGETHER = ("case", "user", "app", None)


def validator_problems(validator_class: type[Validator]) -> Iterator[str]:
    """List why a validator could judge nothing, or not as it means to."""
    if validator_class.together not in _TOGETHER:
        yield f"its together is {validator_class.together!r:.80}, not case, user, app or None"
    if inspect.iscoroutinefunction(validator_class.prepare):
        yield from signature_problems(validator_class, "prepare", ("changes", "directory"))
    else:
        yield "its prepare is no coroutine: write async def"
    for name in ("check", "note"):
        method = getattr(validator_class, name)
        if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
            yield f"its {name} is async, and is not awaited: read in prepare what it needs"
        else:
            yield from signature_problems(validator_class, name, ("effect", "prepared"))
