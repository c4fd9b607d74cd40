"""The column of countries."""

from __future__ import annotations

from importers.sdk.cells.countries import read_country
from importers.sdk.columns import Column


class Country(Column[str]):
    """A country by its code of two or three letters, in any case, or its English name; the value is
    the code of two letters.

    The codes are those of ISO 3166-1, with `XK` for Kosovo. A name that several countries have
    fails, and so does `NA`, which many programs write for nothing.

    Example:
        >>> Country().read("deu"), Country().read("Côte d'Ivoire")
        ('DE', 'CI')
    """

    _specimen_cells = ("DE", "deu", "Germany", "FR")

    def parse(self, text: str) -> str:
        """Find the country."""
        return read_country(text)
