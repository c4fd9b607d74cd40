"""Acme's billing rates: the price of an hour of work on a case."""

import re

from importers import Case, CaseRef, Choice, Column, Importer, Record, Row, RowError, SetRecord


class Rate(Record, table="acme_rates", key="case"):
    """The price of an hour of work on a case."""

    case: Case
    cents: int
    currency: str


class Money(Column[int]):
    """An amount such as 185 or 185.50, read as hundredths: 18550."""

    def parse(self, text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{2})?", text):
            raise RowError(None, "NOT_AN_AMOUNT", "is no amount such as 185 or 185.50.")
        whole, _, hundredths = text.partition(".")
        return int(whole) * 100 + int(hundredths or 0)


class Rates(Importer):
    """Set the hourly rates of cases."""

    sdk = "1.0"
    label = "Billing rates"
    tables = (Rate,)

    case_id = CaseRef(required=True, is_key=True, example="trv-001", help="Tag ID of the case.")
    rate = Money(required=True, example="185.50", help="What an hour costs.")
    currency = Choice("EUR", "USD", default="USD", example="USD", help="Blank is USD.")

    def change(self, row: Row) -> SetRecord:
        return SetRecord(Rate(case=row.case_id, cents=row.rate, currency=row.currency))
