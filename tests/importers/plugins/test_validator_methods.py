"""A validator that could judge nothing is broken as it is loaded."""

from __future__ import annotations

from typing import Any

import pytest

from importers import Validator
from importers.builtin.users_per_case import UsersPerCase
from importers.plugins.validator_methods import validator_problems


def check(self: Any, effect: Any, prepared: Any) -> None:
    """Let it pass."""


async def earlier(self: Any) -> None:
    """Look at nothing."""


async def later(self: Any, *_: Any) -> None:
    """Let it pass, if it were awaited."""


@pytest.mark.parametrize(
    ("attributes", "problems"),
    [
        ({}, []),
        ({"together": "app", "check": check, "prepare": later}, []),
        ({"together": "file"}, ["its together is 'file', not case, user, app or None"]),
        ({"together": ["case"]}, ["its together is ['case'], not case, user, app or None"]),
        ({"prepare": check}, ["its prepare is no coroutine: write async def"]),
        ({"check": later},
         ["its check is async, and is not awaited: read in prepare what it needs"]),
        ({"check": lambda self, effect: None},
         ["its check can't be called as check(effect, prepared)"]),
        ({"prepare": earlier}, ["its prepare can't be called as prepare(changes, directory)"]),
        ({"note": later}, ["its note is async, and is not awaited: read in prepare what it needs"]),
    ],
)  # fmt: skip
def test_validators(attributes: dict[str, Any], problems: list[str]) -> None:
    """A grouping that there is not, and methods that can't be called as they are."""
    assert list(validator_problems(type("Odd", (Validator,), attributes))) == problems


def test_built_in() -> None:
    """The validator that comes with Caseroll has none of these problems."""
    assert list(validator_problems(UsersPerCase)) == []
