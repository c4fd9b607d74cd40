"""The column of time zones."""

from __future__ import annotations

from importers.sdk.cells.formats import is_null_word, is_zone
from importers.sdk.cells.meant import meant_zone
from importers.sdk.cells.wrong_cell import stands_for_nothing, wrong_form
from importers.sdk.columns import Column


class TimeZone(Column[str]):
    """A time zone by its IANA name; the value is that name.

    Example:
        >>> TimeZone().read("America/New_York")
        'America/New_York'
    """

    _specimen_cells = ("America/New_York", "Europe/Paris")

    def parse(self, text: str) -> str:
        """Check the name."""
        if is_null_word(text):
            raise stands_for_nothing("INVALID_ZONEINFO", text)
        if not is_zone(text):
            fault = "'{text}' is not an IANA name, such as 'America/New_York'"
            raise wrong_form("INVALID_ZONEINFO", fault, text, meant_zone(text))
        return text
