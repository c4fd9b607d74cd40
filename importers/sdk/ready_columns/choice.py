"""The column of one word of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from importers.sdk.columns import Column
from importers.sdk.references import no_choice

if TYPE_CHECKING:
    from collections.abc import Sequence


class Choice(Column[str]):
    """One of a few words, exactly as they are.

    Args:
        words: what a cell may hold.

    Example:
        >>> Choice("EUR", "USD").read("USD")
        'USD'
    """

    def __init__(self, *words: str, **options: Any) -> None:
        super().__init__(**options)
        self._words = words

    def parse(self, text: str) -> str:
        """Check the word."""
        if text not in self._words:
            raise no_choice(text, self._words)
        return text

    def choices_for(self, roles: Sequence[str]) -> Sequence[str]:
        """List the words."""
        return self._words
