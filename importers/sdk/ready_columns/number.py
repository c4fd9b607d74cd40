"""The column of numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from importers.sdk.cell_note import Holds
from importers.sdk.cells.number import (
    certain_text,
    decimals_of,
    held_number,
    plain_number,
    read_number,
)
from importers.sdk.cells.spreadsheet import spreadsheet_damage
from importers.sdk.columns import Column
from importers.sdk.errors import RowError, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from importers.sdk.cell_note import CellNote
    from importers.sdk.cells.number import DecimalMark
    from importers.sdk.entities import Case, User

LONGEST_NUMBER = 50
"""More characters than any number needs that is no mistake."""


class Range:
    """The numbers from a minimum to a maximum.

    Args:
        minimum: the least one; None for any.
        maximum: the greatest one; None for any.
    """

    def __init__(self, minimum: int | Decimal | None, maximum: int | Decimal | None) -> None:
        for each in (minimum, maximum):
            if not isinstance(each, int | Decimal | None):
                fault = f"are whole numbers or Decimals, not {each!r:.80}"
                raise TypeError(f"minimum and maximum {fault}: write Decimal('{each}')")
        if minimum is not None and maximum is not None and minimum > maximum:
            raise ValueError(f"the minimum {minimum} is above the maximum {maximum}")
        self._minimum = minimum
        self._maximum = maximum

    def check(self, number: Decimal, text: str) -> None:
        """Let a number pass that is within the range.

        Args:
            text: of the cell that it was read from.

        Raises:
            RowError: it is not.
        """
        template, limit = "", None
        if self._minimum is not None and number < self._minimum:
            template, limit = "'{text}' is below {limit}, the least that it may be.", self._minimum
        if self._maximum is not None and number > self._maximum:
            template, limit = "'{text}' is above {limit}, the most that it may be.", self._maximum
        if limit is not None:
            raise RowError(None, "OUT_OF_RANGE", template, text=shorten(text), limit=str(limit))

    def specimens(self) -> Iterable[str]:
        """Suggest some of the numbers."""
        ends = [each for each in (self._minimum, self._maximum) if each is not None]
        return [*map(str, ends), *(["1", "2"] if not ends else [])]


class Number(Column[Decimal]):
    """A number; the value is a `Decimal`.

    Decimals follow a point or a comma, and thousands may be apart: `1234.5`, `1,234.50`,
    `1.234,50`, `1 234,50`, `1'234.50`. A cell that can be two numbers fails, such as `1.234`,
    unless the column declares its decimal mark. `-5`, `5-` and `(5)` are the same. In a workbook, a
    cell with a number is that number, however the sheet shows it.

    Args:
        minimum: the least number that passes, a whole number or a `Decimal`.
        maximum: the greatest.
        decimals: how many decimals there may be, 0 for whole numbers; None for any.
        decimal_mark: `.` or `,`, if all files of the type have the same.

    Example:
        >>> Number(minimum=0, decimals=2).read("1.234,50")
        Decimal('1234.50')
    """

    def __init__(
        self,
        *,
        minimum: int | Decimal | None = None,
        maximum: int | Decimal | None = None,
        decimals: int | None = None,
        decimal_mark: DecimalMark | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**{"longest": LONGEST_NUMBER, **options})
        if decimal_mark not in (None, ".", ","):
            raise ValueError(f"decimal_mark is '.' or ',', not {decimal_mark!r:.80}")
        if not (decimals is None or (isinstance(decimals, int) and decimals >= 0)):
            raise ValueError(f"decimals is a whole number from 0 on, not {decimals!r:.80}")
        self._range = Range(minimum, maximum)
        self._decimals = decimals
        self._mark = decimal_mark

    def parse(self, text: str) -> Decimal:
        """Read the number."""
        return self._checked(read_number(text, self._mark), text)

    def _read_noted(self, note: CellNote) -> Decimal | None:
        """Take the number that a spreadsheet's cell holds, in whatever form it shows it."""
        if note.holds not in (Holds.NUMBER, Holds.PARTED):
            return super()._read_noted(note)
        number = held_number(note.detail)
        if number is None:
            raise spreadsheet_damage(note)
        return self._checked(number, plain_number(number))

    def _as_text(self, note: CellNote) -> str:
        if note.holds in (Holds.NUMBER, Holds.PARTED) and (number := held_number(note.detail)):
            return certain_text(number, self._mark)
        return super()._as_text(note)

    def _checked(self, number: Decimal, text: str) -> Decimal:
        decimals = self._decimals
        if decimals is not None and decimals_of(number) > decimals:
            template = "'{text}' has more than {decimals} decimals."
            if not decimals:
                template = "'{text}' is not a whole number."
            shown = shorten(text)
            raise RowError(None, "INVALID_NUMBER", template, text=shown, decimals=decimals)
        self._range.check(number, text)
        return number

    def group_key(self, value: Decimal) -> str:
        """Write it in one way only."""
        return plain_number(value)

    def _specimens(self, cases: Sequence[Case], users: Sequence[User]) -> Iterable[str]:
        return self._range.specimens()
