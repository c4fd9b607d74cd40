"""A plugin with tables of its own, for the tests of what follows from their declaration."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from importers import (
    AddRecord,
    Case,
    CaseRef,
    Choice,
    Column,
    Date,
    Importer,
    ModifyRecord,
    Record,
    RemoveRecord,
    Row,
    SetRecord,
    User,
    UserRef,
)
from importers.sdk.records.record_change import RecordChange


class Rate(Record, table="kit_rates", key=("case", "code")):
    """What an hour of one kind of work on a case costs."""

    case: Case
    code: str
    amount: Decimal
    since: date | None = None
    is_net: bool = False
    payer: User | None = None


class Amount(Column[Decimal]):
    """An amount of money."""

    def parse(self, text: str) -> Decimal:
        return Decimal(text)


class Rates(Importer):
    """Add, change and remove rates, as the first column says."""

    label = "Rates"
    tables = (Rate,)

    verb = Choice("set", "add", "modify", "remove", default="set", example="set")
    case_id = CaseRef(required=True, is_key=True, example="trv-001")
    code = Column[str](required=True, is_key=True, example="A")
    amount = Amount(example="185.50")
    since = Date(example="01/31/2026")
    payer = UserRef(example="jack-001")

    def change(self, row: Row) -> Iterable[RecordChange]:
        key = {"case": row.case_id, "code": row.code}
        if row.verb == "remove":
            yield RemoveRecord(Rate, **key)
        elif row.verb == "modify":
            yield ModifyRecord(Rate, **key, amount=row.amount)
        else:
            rate = Rate(**key, amount=row.amount or Decimal(0), since=row.since, payer=row.payer)
            yield AddRecord(rate) if row.verb == "add" else SetRecord(rate)


HEADER = "verb,case_id,code,amount,since,payer"
