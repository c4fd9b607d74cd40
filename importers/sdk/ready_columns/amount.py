"""The column of amounts of money."""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from importers.sdk.cell_note import Holds
from importers.sdk.cells.currencies import decimals_of_currency
from importers.sdk.cells.number import (
    certain_text,
    decimals_of,
    held_number,
    plain_number,
    read_number,
)
from importers.sdk.cells.spreadsheet import spreadsheet_damage
from importers.sdk.cells.wrong_cell import wrong_form
from importers.sdk.columns import Column
from importers.sdk.errors import RowError, shorten
from importers.sdk.ready_columns.currency import Currency
from importers.sdk.ready_columns.number import LONGEST_NUMBER, Range

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Self

    from importers.sdk.cell_note import CellNote
    from importers.sdk.cells.number import DecimalMark
    from importers.sdk.entities import Case, User
    from importers.sdk.plugin import Setting

# EUR, US$, €, kr.
_CURRENCY = re.compile(r"[^0-9\s.,'\u2019()+\u2212-][^0-9\s,'\u2019()+\u2212-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount of a currency.

    Args:
        amount: with as many decimals as the currency has.
        currency: its code of ISO 4217.

    Example:
        >>> fee = Amount("EUR").read("12.5")
        >>> fee.amount, fee.currency, str(fee)
        (Decimal('12.50'), 'EUR', '12.50 EUR')
    """

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


class Amount(Column[Money]):
    """An amount of money; the value is a `Money`.

    A cell is a number as `Number` reads it, with the code or sign of its currency before or behind
    it: `12.50 EUR`, `€ 12,50`, `-$1,234.50`. If only one currency is allowed, the number alone will
    do. An amount may have as many decimals as its currency: `JPY` has none.

    Args:
        currencies: those that a cell may name, by ISO 4217; none for all that are legal tender.
        choices: `setting("currencies")`, a setting that lists the codes, in their place.
        minimum: the least amount that passes, a whole number or a `Decimal`.
        maximum: the greatest.
        decimal_mark: `.` or `,`, if all files of the type have the same.

    Example:
        >>> Amount("EUR", "USD").read("€ 1.234,5")
        Money(amount=Decimal('1234.50'), currency='EUR')
    """

    def __init__(
        self,
        *currencies: str,
        choices: Setting | None = None,
        minimum: int | Decimal | None = None,
        maximum: int | Decimal | None = None,
        decimal_mark: DecimalMark | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**{"longest": LONGEST_NUMBER, **options})
        self._currency = Currency(*currencies, choices=choices)
        self._range = Range(minimum, maximum)
        self._mark = decimal_mark

    def _with_settings(self, settings: Any) -> Self:
        column = copy(self)
        column._currency = self._currency._with_settings(settings)
        return column

    def parse(self, text: str) -> Money:
        """Read the amount."""
        currency, digits = self._parted(text)
        return self._checked(currency, read_number(digits, self._mark), text)

    def _read_noted(self, note: CellNote) -> Money | None:
        """Take the number that a spreadsheet's cell holds, and the currency that it shows."""
        if note.holds not in (Holds.NUMBER, Holds.PARTED):
            return super()._read_noted(note)
        number = held_number(note.detail)
        if number is None:
            raise spreadsheet_damage(note)
        return self._checked(self._parted(note.shown)[0], number, plain_number(number))

    def _as_text(self, note: CellNote) -> str:
        if note.holds in (Holds.NUMBER, Holds.PARTED) and (number := held_number(note.detail)):
            names = _CURRENCY.findall(note.shown)
            return " ".join([certain_text(number, self._mark), *names])
        return super()._as_text(note)

    def _parted(self, text: str) -> tuple[str, str]:
        """Return the currency that a cell names, or the only one, and the number beside it."""
        names = _CURRENCY.findall(text)
        if len(names) > 1:
            raise wrong_form("INVALID_NUMBER", "'{text}' is not an amount, as 12.50 EUR is", text)
        if names:
            before, _, behind = text.partition(names[0])
            if _has_digits(before) == _has_digits(behind):
                raise wrong_form(
                    "INVALID_NUMBER", "'{text}' has no number before or behind its currency", text
                )
            return self._currency.parse(names[0]), f"{before.strip()}{behind.strip()}"
        if only := self._currency.only:
            return only, text
        fault = "'{text}' has no currency; write its code behind it, as in 12.50 EUR"
        raise wrong_form("INVALID_CURRENCY", fault, text)

    def _checked(self, currency: str, number: Decimal, text: str) -> Money:
        decimals = decimals_of_currency(currency)
        if decimals_of(number) > decimals:
            template = "'{text}' has more decimals than {currency}, which has {decimals}."
            raise RowError(
                None,
                "INVALID_NUMBER",
                template,
                text=shorten(text),
                currency=currency,
                decimals=decimals,
            )
        self._range.check(number, text)
        return Money(amount=Decimal(f"{number:.{decimals}f}"), currency=currency)

    def _specimens(self, cases: Sequence[Case], users: Sequence[User]) -> Iterable[str]:
        codes = [each.upper() for each in self._currency._specimens(cases, users)][:2]
        return [f"{each} {code}" for code in codes for each in self._range.specimens()]


def _has_digits(text: str) -> bool:
    return any(map(str.isdigit, text))
