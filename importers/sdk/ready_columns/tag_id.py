"""The column of new Tag IDs."""

from __future__ import annotations

from importers.sdk.cells.formats import is_null_word, is_tag
from importers.sdk.cells.spreadsheet import damaged_tag
from importers.sdk.cells.wrong_cell import stands_for_nothing
from importers.sdk.columns import Column, only_checks
from importers.sdk.errors import RowError, shorten
from importers.sdk.references import TAG_IDS


class TagId(Column[str]):
    """A new Tag ID: letters, digits, `-`, `/` and `_`, up to 64 of them.

    One that looks like a number or date of a spreadsheet is refused: Tag IDs are permanent. To
    refer to something by its Tag ID there are `CaseRef` and `UserRef`.

    Example:
        >>> TagId().read("2026/trv-001")
        '2026/trv-001'
    """

    _key_space = TAG_IDS

    @only_checks
    def parse(self, text: str) -> str:
        """Check the Tag ID."""
        if damage := damaged_tag(text):
            raise damage
        if is_null_word(text):
            raise stands_for_nothing("INVALID_TAG", text)
        if not is_tag(text):
            form = "letters, digits, '-', '/' and '_', up to 64 of them"
            template = "'{text}' is not a Tag ID: those have " + form + "."
            raise RowError(None, "INVALID_TAG", template, text=shorten(text))
        return text

    def _is_exact(self) -> bool:
        return True
