"""An undo finds the class again that takes a custom change back, if its plugin still has it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from importers import Case, Difference, OwnChange, SetRecord
from importers.sdk.entity_changes import AddCase
from importers.undo.origin import Origin, find_inverter, origin_of
from tests.importers.own_tables import Rate
from tests.importers.run.test_custom_changes import describe

CASE = Case(id=7, tag_id="trv-001")


class Sticker(OwnChange):
    """A change that says how it is taken back."""

    __slots__ = ()

    @classmethod
    def inverse(cls, difference: Difference, case: Any, user: Any) -> OwnChange:
        return cls()


def test_records() -> None:
    """Changes of a record are named by its class and key, whichever kind they are."""
    change = SetRecord(Rate(case=CASE, code="A", amount=Decimal(1)))

    assert origin_of(change, change.keys) == Origin(
        'tests.importers.own_tables [["rate",7,"A"]]', "tests.importers.own_tables:Rate"
    )
    assert find_inverter("tests.importers.own_tables:Rate") is Rate


def test_kinds() -> None:
    """A kind that has an inverse is named, if it is found by its name."""

    class Hidden(Sticker):
        """No undo would find it."""

    keys = (("sticker", 1),)
    assert origin_of(Sticker(), keys).kind == f"{__name__}:Sticker"
    assert origin_of(Hidden(), keys) == Origin(f'{__name__} [["sticker",1]]')
    assert origin_of(describe(), keys).kind is None


def test_cases_and_users() -> None:
    """What the engine takes back by itself needs no name."""
    change = AddCase(tag_id="a-1", about="x")

    assert origin_of(change, change.keys) == Origin()


@pytest.mark.parametrize(
    "kind",
    [
        "nowhere:Rate",
        f"{__name__}:Gone",
        f"{__name__}:CASE",
        f"{__name__}:Sticker.gone",
        "",
        "os:path",
    ],
)
def test_what_is_not_there(kind: str) -> None:
    """Nothing is imported, and nothing but kinds of changes and records is found."""
    assert find_inverter(kind) is None
