"""The column of several words of a list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from importers.sdk.cells.choices import closest
from importers.sdk.errors import ConfigError, RowError, shorten
from importers.sdk.ready_columns.listed import ListedColumn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from importers.sdk.entities import Case, User
    from importers.sdk.plugin import Setting

_SEPARATORS = ";,|"


class Choices(ListedColumn[tuple[str, ...]]):
    """Several words of a list, with `;`, `,` or `|` between them; the value is a tuple of them.

    The tuple is in the order of the list, whatever the order of the cell. A word that is there
    twice fails. What occurs within the words separates none: cells of `Choices("a, b", "c")` need
    `;` or `|`.

    Args:
        words: what a cell may hold.
        choices: `setting("languages")`, a setting that lists the words, in their place.

    Example:
        >>> Choices("en", "de", "fr").read("fr; en")
        ('en', 'fr')
    """

    def __init__(self, *words: str, choices: Setting | None = None, **options: Any) -> None:
        super().__init__(words, choices, **options)

    def _separator(self) -> str | None:
        letters = "".join(self._words)
        return next((each for each in _SEPARATORS if each not in letters), None)

    def _usable(self, words: Sequence[str]) -> Sequence[str]:
        letters = "".join(words)
        if all(each in letters for each in _SEPARATORS):
            fault = "the choices have ';', ',' and '|' within them, and one has to separate them"
            raise ConfigError([fault])
        return words

    def parse(self, text: str) -> tuple[str, ...]:
        """Check the words."""
        letters = "".join(self._words)
        between = "".join(each for each in _SEPARATORS if each not in letters)
        parts = [part for each in re.split(f"[{between}]", text) if (part := each.strip())]
        if not parts or not set(parts) <= set(self._words):
            raise self._no_choices(text, parts)
        if twice := next((each for at, each in enumerate(parts) if each in parts[:at]), None):
            template = "has '{choice}' twice; write each of them once."
            raise RowError(None, "DUPLICATE_CHOICE", template, choice=shorten(twice))
        return tuple(word for word in self._words if word in parts)

    def _no_choices(self, text: str, parts: Sequence[str]) -> RowError:
        """Return the error of the first part that is no word."""
        wrong = next((part for part in parts if part not in self._words), text)
        suggestion = self._meant(parts)
        hint = "did you mean '{suggestion}'?" if suggestion else "use any of {choices}."
        params = {"text": shorten(wrong), "choices": ", ".join(self._words)}
        template = "there is no '{text}'; " + hint
        return RowError(None, "INVALID_CHOICE", template, suggestion, **params)

    def _meant(self, parts: Sequence[str]) -> str | None:
        """Return the whole cell as it should be, if each part is much like another word."""
        meant = [part if part in self._words else closest(part, self._words) for part in parts]
        words = [word for word in dict.fromkeys(meant) if word]
        return f"{self._separator()} ".join(words) if words and len(words) == len(parts) else None

    def group_key(self, value: tuple[str, ...]) -> str:
        """Return the words in one text."""
        return f"{self._separator()}".join(value)

    def _specimens(self, cases: Sequence[Case], users: Sequence[User]) -> Iterable[str]:
        yield f" {self._separator()} ".join(self._words)
        yield f"{self._separator()}".join(reversed(self._words))
