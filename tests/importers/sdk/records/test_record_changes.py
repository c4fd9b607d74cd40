"""What becomes of each kind of change of a record, given what is stored."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from importers import (
    AddRecord,
    Applied,
    Case,
    Difference,
    ModifyRecord,
    Record,
    Refused,
    RemoveRecord,
    SetRecord,
    User,
)
from importers.sdk.records.record_change import RecordChange
from tests.importers.own_tables import Rate

CASE = Case(id=7, tag_id="trv-001")
RATE = Rate(case=CASE, code="A", amount=Decimal("1.50"), since=date(2026, 1, 31))
STORED = {
    "case_id": 7,
    "code": "A",
    "amount": Decimal("1.50"),
    "since": date(2026, 1, 31),
    "is_net": False,
    "payer_id": None,
}
KEY = {"case": CASE, "code": "A"}
WHOLE = {"code": "A", "amount": "1.50", "since": "2026-01-31", "is_net": False}
CREATED = Applied("CREATED", difference=Difference(before=None, after=WHOLE, case_id=7))
REMOVED = Applied("REMOVED", difference=Difference(before=WHOLE, after=None, case_id=7))


def updated(before: dict[str, Any], after: dict[str, Any]) -> Applied:
    sides = {"before": {"code": "A", **before}, "after": {"code": "A", **after}}
    return Applied("UPDATED", difference=Difference(**sides, case_id=7))


@pytest.mark.parametrize(
    ("change", "stored", "answer", "record"),
    [
        pytest.param(SetRecord(RATE), None, CREATED, STORED, id="set what is not there"),
        pytest.param(AddRecord(RATE), None, CREATED, STORED, id="add"),
        pytest.param(SetRecord(RATE), STORED, Applied("UNCHANGED"), STORED, id="set the same"),
        pytest.param(AddRecord(RATE), STORED, Applied("UNCHANGED"), STORED, id="add the same"),
        pytest.param(
            SetRecord(RATE),
            {**STORED, "amount": Decimal("1.5000")},
            Applied("UNCHANGED"),
            {**STORED, "amount": Decimal("1.5000")},
            id="set an equal number",
        ),
        pytest.param(
            SetRecord(RATE),
            {**STORED, "amount": Decimal(2), "payer_id": 9},
            updated({"amount": "2", "payer_id": 9}, {"amount": "1.50", "payer_id": None}),
            STORED,
            id="set",
        ),
        pytest.param(
            ModifyRecord(Rate, **KEY, since=None),
            STORED,
            updated({"since": "2026-01-31"}, {"since": None}),
            {**STORED, "since": None},
            id="modify",
        ),
        pytest.param(
            ModifyRecord(Rate, **KEY), STORED, Applied("UNCHANGED"), STORED, id="modify nothing"
        ),
        pytest.param(
            RemoveRecord(Rate, **KEY),
            STORED,
            REMOVED,
            None,
            id="remove",
        ),
        pytest.param(
            RemoveRecord(Rate, **KEY), None, Applied("UNCHANGED", "was not there"), None, id="gone"
        ),
    ],
)
def test_fates(
    change: RecordChange, stored: dict[str, Any] | None, answer: Applied, record: object
) -> None:
    """The answer has what differs, with the key and without what the difference names itself."""
    fate = change._decide(stored)

    assert fate.answer == answer
    assert fate.record == record


@pytest.mark.parametrize(
    ("change", "stored", "code", "message"),
    [
        (
            AddRecord(RATE),
            {**STORED, "amount": Decimal(2)},
            "RECORD_EXISTS",
            "there is another rate with this key already.",
        ),
        (
            ModifyRecord(Rate, **KEY, amount=Decimal(2)),
            None,
            "RECORD_MISSING",
            "there is no such rate.",
        ),
    ],
)
def test_refusals(
    change: RecordChange, stored: dict[str, Any] | None, code: str, message: str
) -> None:
    """A row that asks for what can't be fails as a whole, where several fields make the key."""
    answer = change._decide(stored).answer

    assert isinstance(answer, Refused)
    [(at_fault, error)] = answer.reasons
    assert (at_fault, error.code, error.message) == (None, code, message)


class Badge(Record, table="kit_badges", key="owner"):
    """One field makes its key."""

    owner: User
    number: int


def test_a_key_of_one_field() -> None:
    """Errors are on its column, and a second row of the file fails there as well."""
    user = User(id=3)
    change = AddRecord(Badge(owner=user, number=1))
    answer = change._decide({"owner_id": 3, "number": 2}).answer

    assert isinstance(answer, Refused)
    assert answer.reasons[0][0] is user
    assert change.taken == {"badge": ("owner", "RECORD_EXISTS")}
    assert AddRecord(RATE).taken == {}


def test_keys_and_wishes() -> None:
    """Rows about a record share its key; what they ask for is equal where the values are."""
    other = Rate(case=CASE, code="A", amount=Decimal("1.5"), since=date(2026, 1, 31))

    assert SetRecord(RATE).keys == (("rate", 7, "A"),)
    assert SetRecord(RATE).wish() == SetRecord(other).wish()
    assert SetRecord(RATE).wish() != AddRecord(RATE).wish()
    assert RemoveRecord(Rate, **KEY).wish() == ("RemoveRecord", "case_id", "code", 7, "A")


def test_what_it_is_about() -> None:
    """Validators find the fields, and the case and the user also by what they are."""
    badge = SetRecord(Badge(owner=User(id=3), number=1))

    assert (SetRecord(RATE).case, SetRecord(RATE).amount) == (CASE, Decimal("1.50"))
    assert (badge.user, badge.owner) == (User(id=3), User(id=3))
    assert not hasattr(badge, "case")
    assert not hasattr(ModifyRecord(Rate, **KEY), "amount")


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (ModifyRecord, {**KEY, "amuont": 1}, "Rate has no field 'amuont'"),
        (ModifyRecord, {"case": CASE}, "ModifyRecord needs the key of Rate"),
        (ModifyRecord, {**KEY, "amount": 1}, "amount has to be Decimal, not 1"),
        (RemoveRecord, {**KEY, "amount": Decimal(1)}, "RemoveRecord takes the key of Rate alone"),
    ],
)
def test_wrong_fields(kind: Any, fields: dict[str, Any], message: str) -> None:
    """What names fields that there are not, or too few or too many, is refused at once."""
    with pytest.raises(TypeError, match=message):
        kind(Rate, **fields)
