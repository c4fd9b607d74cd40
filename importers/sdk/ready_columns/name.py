"""The column of people's names."""

from __future__ import annotations

from importers.sdk.cells.formats import is_null_name
from importers.sdk.cells.wrong_cell import stands_for_nothing
from importers.sdk.columns import Column


class Name(Column[str]):
    """A person's name: free text, but for `NULL` and other words that programs write for nothing.

    Example:
        >>> Name().read("Null")
        'Null'
    """

    def parse(self, text: str) -> str:
        """Check the name."""
        if is_null_name(text):
            raise stands_for_nothing("INVALID_NAME", text)
        return text

    def _is_free_text(self) -> bool:
        return not self._is_exact()
