"""Ranges of days that a visitor names, as times in the visitor's zone."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from api.console.visit import Visit


class DayRange(NamedTuple):
    """The first and the last day of a range; an empty text where it is open."""

    first: str
    last: str

    def variables(self, zone: str) -> dict[str, str | None]:
        """Return the variables `since` and `until`: from a midnight on, and before another.

        Example:
            >>> DayRange("2026-05-01", "2026-05-02").variables("Europe/Madrid")
            {'since': '2026-05-01T00:00:00+02:00', 'until': '2026-05-03T00:00:00+02:00'}
        """
        return {
            "since": _midnight(self.first, zone, 0),
            "until": _midnight(self.last, zone, 1),
        }


def read_day_range(visit: Visit) -> DayRange:
    """Read `from` and `to` of the address; what is no day is left out, also from the page."""
    first, last = (_day_or_blank(visit.argument(name)) for name in ("from", "to"))
    return DayRange(first, last)


def _day_or_blank(text: str | None) -> str:
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return ""
    # The day after must be in the calendar, too, in any zone.
    return day.isoformat() if date.min + timedelta(2) <= day <= date.max - timedelta(2) else ""


def _midnight(day: str, zone: str, days_later: int) -> str | None:
    if not day:
        return None
    wanted = date.fromisoformat(day) + timedelta(days_later)
    return datetime.combine(wanted, time(), ZoneInfo(zone)).isoformat()
