"""Acme's billing rates: the price of an hour of work on a case."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from importers import (
    Applied,
    Case,
    CaseRef,
    Choice,
    Column,
    Importer,
    OwnChange,
    Row,
    RowError,
    Transaction,
)

# `xmax` is 0 in a row that was inserted, and not in one that was updated. A row whose values are
# already the same is neither, and is not returned.
_SET = """
INSERT INTO acme_rates AS present (app_id, case_id, cents, currency)
SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[])
ON CONFLICT (app_id, case_id) DO UPDATE SET cents = excluded.cents, currency = excluded.currency
WHERE (present.cents, present.currency) <> (excluded.cents, excluded.currency)
RETURNING case_id, CASE WHEN xmax = 0 THEN 'CREATED' ELSE 'UPDATED' END AS outcome
"""


class Money(Column[int]):
    """An amount such as 185 or 185.50, read as hundredths: 18550."""

    def parse(self, text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{2})?", text):
            raise RowError(None, "NOT_AN_AMOUNT", "is no amount such as 185 or 185.50.")
        whole, _, hundredths = text.partition(".")
        return int(whole) * 100 + int(hundredths or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRate(OwnChange):
    """Set the price of an hour of work on a case."""

    case: Case
    cents: int
    currency: str

    @property
    def keys(self) -> list[tuple[str, int]]:
        return [("case", self.case.id)]

    @classmethod
    async def apply(cls, changes: Sequence[Self], transaction: Transaction) -> list[Applied]:
        # Every chunk writes in the same order, so that two chunks can't deadlock.
        ordered = sorted(changes, key=lambda change: change.case.id)
        written = await transaction.db.fetch(
            _SET,
            transaction.app_id,
            [change.case.id for change in ordered],
            [change.cents for change in ordered],
            [change.currency for change in ordered],
        )
        outcomes = {row["case_id"]: row["outcome"] for row in written}
        return [Applied(outcomes.get(change.case.id, "UNCHANGED")) for change in changes]


class Rates(Importer):
    """Set the hourly rates of cases."""

    sdk = "1.0"
    label = "Billing rates"
    migrations = "acme_rates.migrations"

    case_id = CaseRef(required=True, is_key=True, example="trv-001", help="Tag ID of the case.")
    rate = Money(required=True, example="185.50", help="What an hour costs.")
    currency = Choice("EUR", "USD", default="USD", example="USD", help="Blank is USD.")

    def change(self, row: Row) -> SetRate:
        return SetRate(case=row.case_id, cents=row.rate, currency=row.currency)
