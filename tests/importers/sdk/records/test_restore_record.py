"""Each change of a record has an inverse, which looks at what is stored."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers import (
    AddRecord,
    Applied,
    Case,
    Difference,
    ModifyRecord,
    Record,
    Refused,
    RemoveRecord,
    RowError,
    SetRecord,
)
from importers.sdk.records.record_change import Fate, RecordChange
from tests.importers.own_tables import Rate
from tests.importers.sdk.records.test_record_changes import CASE, KEY, RATE, STORED


def inverse_of(fate: Fate, record: type[Record] = Rate) -> RecordChange:
    """Make the inverse of what is kept of a change: JSON."""
    assert isinstance(fate.answer, Applied)
    assert fate.answer.difference is not None
    kept = fate.answer.difference
    before, after = (json.loads(json.dumps(side)) for side in (kept.before, kept.after))
    inverse = record.inverse(replace(kept, before=before, after=after), CASE, None)
    assert isinstance(inverse, RecordChange)
    return inverse


AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False)
DAYS = st.none() | st.dates()
RECORDS = st.builds(
    Rate, case=st.just(CASE), code=st.just("A"), amount=AMOUNTS, since=DAYS, is_net=st.booleans()
)
CHANGES = (
    st.builds(SetRecord, RECORDS)
    | st.builds(AddRecord, RECORDS)
    | st.builds(ModifyRecord, st.just(Rate), case=st.just(CASE), code=st.just("A"), since=DAYS)
    | st.just(RemoveRecord(Rate, **KEY))
)


@given(first=RECORDS, change=CHANGES, is_there=st.booleans())
def test_there_and_back(first: Rate, change: RecordChange, *, is_there: bool) -> None:
    """A change and its inverse leave what was there before; and the inverse's inverse undoes it."""
    before = SetRecord(first)._decide(None).record if is_there else None
    fate = change._decide(before)
    if not isinstance(fate.answer, Applied) or fate.answer.difference is None:
        return
    back = inverse_of(fate)._decide(fate.record)

    assert isinstance(back.answer, Applied)
    assert back.record == before
    assert inverse_of(back)._decide(back.record).record == fate.record


def codes(fate: Fate) -> list[str]:
    assert isinstance(fate.answer, Refused)
    return [error.code for _, error in fate.answer.reasons]


UPDATE = ModifyRecord(Rate, **KEY, amount=Decimal(9))._decide(STORED)
CREATE = SetRecord(RATE)._decide(None)
REMOVE = RemoveRecord(Rate, **KEY)._decide(STORED)


@pytest.mark.parametrize(
    ("fate", "stored"),
    [
        pytest.param(UPDATE, {**STORED, "amount": Decimal(3)}, id="another value since"),
        pytest.param(UPDATE, None, id="removed since"),
        pytest.param(CREATE, {**STORED, "payer_id": 9}, id="a field was given since"),
        pytest.param(REMOVE, {**STORED, "amount": Decimal(3)}, id="another one since"),
    ],
)
def test_changed_since(fate: Fate, stored: dict[str, Any] | None) -> None:
    """What is not as the import has left it stays."""
    assert codes(inverse_of(fate)._decide(stored)) == ["CHANGED_SINCE"]


@pytest.mark.parametrize(
    ("fate", "stored"), [(UPDATE, STORED), (CREATE, None), (REMOVE, STORED)], ids=str
)
def test_what_is_so_already(fate: Fate, stored: dict[str, Any] | None) -> None:
    """What has been taken back already is unchanged."""
    assert inverse_of(fate)._decide(stored) == Fate(Applied("UNCHANGED", "is so already"), stored)


def test_other_fields_that_have_changed() -> None:
    """What the import has not changed may have changed since."""
    stored = {**STORED, "amount": Decimal(9), "since": None}

    assert inverse_of(UPDATE)._decide(stored).record == {**STORED, "since": None}


class Grown(Record, table="kit_grown", key=("case", "code")):
    """The same table later on: a field has gone, and one is needed that was not there."""

    case: Case
    code: str
    unit: str


@pytest.mark.parametrize(
    ("side", "message"),
    [
        ({"code": "A", "amount": "1"}, "the grown has no field 'amount' any more"),
        ({"code": "A"}, "the grown needs the field 'unit' by now"),
    ],
)
def test_another_table_by_now(side: dict[str, Any], message: str) -> None:
    """What the table can't hold any more is not put back, in words."""
    with pytest.raises(RowError, match=message) as caught:
        Grown.inverse(Difference(before=side, after=None, case_id=7), CASE, None)

    assert caught.value.code == "NOT_REVERSIBLE"


def test_a_new_field_with_a_default() -> None:
    """A record that is brought back gets the default of a field that it did not have."""
    difference = Difference(
        before={"code": "A", "amount": "1", "since": date(2026, 1, 31).isoformat()},
        after=None,
        case_id=7,
    )
    restored = Rate.inverse(difference, CASE, None)

    assert isinstance(restored, RecordChange)
    assert restored._decide(None).record == {**STORED, "amount": Decimal(1)}
