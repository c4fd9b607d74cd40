"""The column of days."""

from __future__ import annotations

import datetime
from copy import copy
from typing import TYPE_CHECKING, Any, Literal

from importers.sdk.cell_note import Holds
from importers.sdk.cells.day import (
    DAY_FIRST,
    DAY_MONTH_YEAR,
    EITHER_ORDER,
    MONTH_DAY_YEAR,
    MONTH_FIRST,
    perhaps_exchanged,
    read_day,
    shown_order,
)
from importers.sdk.columns import Column

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from typing import Self

    from importers.sdk.cell_note import CellNote
    from importers.sdk.entities import Case, User


class Date(Column[datetime.date]):
    """A day, as `mm/dd/yyyy` or `yyyy-mm-dd`, from 1900 on; the value is a `datetime.date`.

    ISO 8601 may have midnight behind it. In a file where a cell of the column can only have its day
    first, `31/01/2026`, cells that could be read both ways fail, unless the upload declares the
    order of its dates.

    A spreadsheet that opens such a file in a country with another order makes days of the cells
    that it can read, with day and month exchanged, and leaves the others as texts. So where all
    texts of the column have one order only, its days fail that would be days in both orders.

    Args:
        order: `DMY` for the files of a program that always writes the day first, such as
            `31.01.2026` or `31/01/2026`. What the upload declares comes before it.

    Example:
        >>> Date().read("1/31/2026")
        datetime.date(2026, 1, 31)
    """

    def __init__(self, *, order: Literal["DMY", "MDY"] | None = None, **options: Any) -> None:
        super().__init__(**options)
        if order not in (None, DAY_MONTH_YEAR, MONTH_DAY_YEAR):
            raise TypeError(f"the order of dates is DMY or MDY, not {order!r:.80}")
        self._declared = order

    _order: str | None = None
    _is_day_first = False
    _is_mixed = False

    def parse(self, text: str) -> datetime.date:
        """Read the day."""
        order = self._order or self._declared
        return read_day(text, order=order, is_day_first=self._is_day_first)

    def observe(self, cells: Collection[str]) -> Collection[str]:
        """Find out in which orders day and month of texts can be."""
        return {order for cell in cells if (order := shown_order(cell.strip()))}

    def knowing(self, known: Collection[str]) -> Self:
        """Return a column that reads days in the declared order, or refuses what is ambiguous."""
        column = copy(self)
        orders = (each for each in (DAY_MONTH_YEAR, MONTH_DAY_YEAR) if each in known)
        column._order = next(orders, None)
        column._is_day_first = DAY_FIRST in known
        # A spreadsheet that did not look for days at all has left some of both orders as texts.
        has_order = DAY_FIRST in known or MONTH_FIRST in known
        column._is_mixed = has_order and EITHER_ORDER not in known
        return column

    def _read_noted(self, note: CellNote) -> datetime.date | None:
        """Take the day that a spreadsheet's cell holds, in whatever form it shows it."""
        if note.holds is not Holds.DATE:
            return super()._read_noted(note)
        day = self.parse(note.detail)
        if self._is_mixed and day.day <= 12 and day.day != day.month:
            raise perhaps_exchanged(day)
        return day

    def _specimens(self, cases: Sequence[Case], users: Sequence[User]) -> Iterable[str]:
        if self._declared == DAY_MONTH_YEAR:
            return ("31/01/2026", "2026-01-31", "31.1.2026", "01/02/2026")
        return ("01/31/2026", "2026-01-31", "1/31/2026", "02/01/2026")
