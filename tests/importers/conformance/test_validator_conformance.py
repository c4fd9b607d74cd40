"""What the checks that every validator has to pass let pass, and what they tell of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from importers import (
    Change,
    Directory,
    Effect,
    RowError,
    Validator,
    ValidatorDirectory,
)
from importers.builtin.users_per_case import UsersPerCase
from importers.testing import check_validator


class NoGuests(Validator):
    """Let no guests onto cases: a good validator."""

    async def prepare(self, changes: Sequence[Change], directory: Directory) -> Any:
        """Count who is there."""
        return {"seen": 0}

    def check(self, effect: Effect, prepared: Any) -> None:
        """Refuse a guest."""
        if effect.after and effect.after.role.key == "default":
            raise RowError("role", "NO_GUESTS", "guests are not put on cases.")

    def note(self, effect: Effect, prepared: Any) -> None:
        """Count one more."""
        prepared["seen"] += 1


class Talkative(NoGuests):
    sdk = "one"
    together: Any = "role"

    async def check(self, effect: Effect, prepared: Any) -> None:  # type: ignore[override]
        """Wait for nothing."""

    async def note(self, effect: Effect, prepared: Any) -> None:  # type: ignore[override]
        """Likewise."""


Talkative.__doc__ = None


class Eager(NoGuests):
    """Takes for granted that there is an assignment after each effect."""

    def check(self, effect: Effect, prepared: Any) -> None:
        """Look at the role."""
        assert effect.after is not None
        _ = effect.after.role.key

    def note(self, effect: Effect, prepared: Any) -> None:
        """Refuse too late."""
        raise RowError(None, "LATE", "is too late.")


class Unprepared(NoGuests):
    """Takes for granted that changes are about a case."""

    async def prepare(self, changes: Sequence[Change], directory: Directory) -> Any:
        """Collect the cases."""
        return {change.case.id for change in changes}  # type: ignore[union-attr]


class AtOnce(NoGuests):
    """Prepares at once."""

    def prepare(self, changes: Sequence[Change], directory: Directory) -> Any:
        """Return nothing."""


class ForImports(NoGuests):
    """Takes for granted that there is an import."""

    async def prepare(self, changes: Sequence[Change], directory: ValidatorDirectory) -> Any:
        """Look at the import."""
        assert directory.running_import
        return {"seen": 0, "name": directory.running_import.name}


class Streaming(NoGuests):
    """Prepares what can't be put back."""

    async def prepare(self, changes: Sequence[Change], directory: Directory) -> Any:
        """Return a generator."""
        return (change for change in changes)


class Meddling(NoGuests):
    """Counts where it should only look, and answers in place of raising."""

    def check(self, effect: Effect, prepared: Any) -> Any:
        """Count, and answer."""
        prepared["seen"] += 1
        return False


class Malspoken(NoGuests):
    """Refuses in a way that nobody can show."""

    def check(self, effect: Effect, prepared: Any) -> None:
        """Refuse everything."""
        raise RowError("case_id", "NO", "no\nnever")


class Muttering(Validator):
    """Refuses with a code that is none."""

    def check(self, effect: Effect, prepared: Any) -> None:
        """Refuse everything."""
        raise RowError(None, "no", "is wrong.")


@pytest.mark.parametrize(
    "validator",
    [NoGuests, UsersPerCase("test", UsersPerCase.Settings(limit=1))],
    ids=["of another", "built in"],
)
def test_validators(validator: type[Validator] | Validator) -> None:
    """Validators that cope with every effect pass."""
    check_validator(validator)


@pytest.mark.parametrize(
    ("validator", "expected"),
    [
        (
            Talkative,
            [
                "the class: its 'sdk' must be a version",
                "the class: it has no docstring",
                "the class: its together is 'role', not case, user, app or None",
                "the class: its check is async, and is not awaited",
                "the class: its note is async",
            ],
        ),
        (
            Eager,
            [
                "check, REMOVED by Remove: it fails: AssertionError",
                "check, CREATED by AddUser: it fails",
                "note, UPDATED by Modify: it fails: RowError: is too late.",
                "each may be None",
            ],
        ),
        (Unprepared, ["prepare, for AddCase, AddUser,", "object has no attribute 'case'"]),
        (ForImports, ["by a mutation, which has no `directory.running_import`: it, or a copy of"]),
        (AtOnce, ["the class: its prepare is no coroutine"]),
        (Streaming, ["it, or a copy of what it returns, fails: TypeError: cannot pickle"]),
        (
            Meddling,
            [
                "check, CREATED by Assign: it changes what was prepared",
                "check, CREATED by Assign: it returns False, which fails the row without a reason",
            ],
        ),
        (
            Malspoken,
            [
                "it refuses on 'case_id', which is no field of the change",
                "the message 'no\\nnever' is no sentence on one line",
            ],
        ),
        (Muttering, ["fails: ValueError: the code of a RowError is like SEAT_TAKEN, not 'no'"]),
        (UsersPerCase, ["settings: it limits nothing", 'UsersPerCase("test", UsersPerCase.Setti']),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_bad_validators(validator: type[Validator], expected: list[str]) -> None:
    """Each mistake of a validator is told of, with its place and a remedy."""
    with pytest.raises(AssertionError) as caught:
        check_validator(validator)

    told = str(caught.value)
    assert [text for text in expected if text not in told] == []
