"""The column of languages."""

from __future__ import annotations

from importers.sdk.cells.formats import is_locale, is_null_word, locale_named
from importers.sdk.cells.meant import meant_locale
from importers.sdk.cells.wrong_cell import stands_for_nothing, wrong_form
from importers.sdk.columns import Column


class Locale(Column[str]):
    """A language as a BCP 47 tag, such as `en` or `es-MX`; `sp` is read as `es`.

    Example:
        >>> Locale().read("sp")
        'es'
    """

    _specimen_cells = ("en", "es", "sp")

    def parse(self, text: str) -> str:
        """Check the tag."""
        if is_null_word(text):
            raise stands_for_nothing("INVALID_LOCALE", text)
        if not is_locale(text):
            fault = "'{text}' is not a BCP 47 tag, such as 'en' or 'es-MX'"
            raise wrong_form("INVALID_LOCALE", fault, text, meant_locale(text))
        return locale_named(text)
