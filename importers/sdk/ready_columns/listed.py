"""The base of columns whose cells hold words of a list."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, TypeVar

from importers.sdk.cells.choices import checked_words, listed_words
from importers.sdk.columns import Column
from importers.sdk.plugin import Setting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

T = TypeVar("T")


class ListedColumn(Column[T]):
    """A column of words that the code lists, or a setting.

    Args:
        words: the list, if the code has it; None for a column that needs none.
        choices: the setting, if that has it.
    """

    def __init__(
        self, words: Sequence[str] | None, choices: Setting | None, **options: Any
    ) -> None:
        super().__init__(**options)
        if choices is not None and (words or not isinstance(choices, Setting)):
            raise TypeError("give the words themselves, or choices=setting(…), not both")
        self._setting = choices
        self._words: Sequence[str] = ()
        if words is not None and choices is None:
            self._words = self._usable(checked_words(words))

    def _with_settings(self, settings: Any) -> Self:
        if self._setting is None:
            return self
        column = copy(self)
        column._words = self._setting.read(
            settings, lambda value: self._usable(listed_words(value))
        )
        # An author can't know which words there will be, and the sample file should pass.
        if column.example not in column._words:
            column.example = column._words[0]
        return column

    def _usable(self, words: Sequence[str]) -> Sequence[str]:
        """Return the words in the form that values have.

        Raises:
            ConfigError: the column can't choose from them.
        """
        return words

    def choices_for(self, roles: Sequence[str]) -> Sequence[str] | None:
        """List the words."""
        return self._words or None
