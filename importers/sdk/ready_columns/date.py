"""The column of days."""

from __future__ import annotations

import datetime
from copy import copy
from typing import TYPE_CHECKING, Any, Literal

from importers.sdk.cell_note import Holds
from importers.sdk.cells.day import (
    DAY_FIRST,
    DAY_MONTH_YEAR,
    MONTH_DAY_YEAR,
    read_day,
    shows_day_first,
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

    def parse(self, text: str) -> datetime.date:
        """Read the day."""
        order = self._order or self._declared
        return read_day(text, order=order, is_day_first=self._is_day_first)

    def observe(self, cells: Collection[str]) -> Collection[str]:
        """Find out whether a cell can only have its day first."""
        return (DAY_FIRST,) if any(shows_day_first(cell.strip()) for cell in cells) else ()

    def knowing(self, known: Collection[str]) -> Self:
        """Return a column that reads days in the declared order, or refuses what is ambiguous."""
        column = copy(self)
        orders = (each for each in (DAY_MONTH_YEAR, MONTH_DAY_YEAR) if each in known)
        column._order = next(orders, None)
        column._is_day_first = DAY_FIRST in known
        return column

    def _read_noted(self, note: CellNote) -> datetime.date | None:
        """Take the day that a spreadsheet's cell holds, in whatever form it shows it."""
        return self.parse(note.detail) if note.holds is Holds.DATE else super()._read_noted(note)

    def _specimens(self, cases: Sequence[Case], users: Sequence[User]) -> Iterable[str]:
        if self._declared == DAY_MONTH_YEAR:
            return ("31/01/2026", "2026-01-31", "31.1.2026", "01/02/2026")
        return ("01/31/2026", "2026-01-31", "1/31/2026", "02/01/2026")
