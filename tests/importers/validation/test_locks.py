"""Locks under which validators count, for rows and mutations alike."""

from __future__ import annotations

from typing import Any

import pytest

from importers import Assign, Case, ModifyUser, Remove, Role, User, Validator
from importers.validation.locks import locks_for

CASES = [Case(id=1, tag_id="trv-001"), Case(id=2, tag_id="trv-002")]
JACK = User(id=7, tag_id="jack-001", email="jack@example.org")
CHANGES = [
    *[Assign(case=each, user=JACK, role=Role(id=1, key="staff")) for each in CASES],
    Remove(case=CASES[0], user=JACK),
    ModifyUser(user=JACK, given_name="Jack"),
]


@pytest.mark.parametrize(
    ("together", "expected"),
    [
        ([None], (False, [])),
        (["case"], (False, [("cases", {1, 2})])),
        (["user"], (False, [("users", {7})])),
        (["user", "case", "app", None], (True, [("cases", {1, 2}), ("users", {7})])),
    ],
    ids=["none", "cases", "users", "all, cases first"],
)
def test_locks(together: list[Any], expected: Any) -> None:
    """What validators count together is locked: the app, then cases, then users."""
    validators = [type("Counting", (Validator,), {"together": each})("x") for each in together]

    assert locks_for(validators, CHANGES) == expected
