"""The column of one word of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from importers.sdk.cells.choices import no_choice
from importers.sdk.ready_columns.listed import ListedColumn

if TYPE_CHECKING:
    from importers.sdk.plugin import Setting


class Choice(ListedColumn[str]):
    """One of a few words, exactly as they are.

    Args:
        words: what a cell may hold.
        choices: `setting("titles")`, a setting that lists the words, in their place.

    Example:
        >>> Choice("low", "high").read("high")
        'high'
    """

    def __init__(self, *words: str, choices: Setting | None = None, **options: Any) -> None:
        super().__init__(words, choices, **options)

    def parse(self, text: str) -> str:
        """Check the word."""
        if text not in self._words:
            raise no_choice(text, self._words)
        return text
