"""The column of currencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from importers.sdk.cells.currencies import known_codes, read_currency
from importers.sdk.errors import ConfigError
from importers.sdk.ready_columns.listed import ListedColumn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from importers.sdk.entities import Case, User
    from importers.sdk.plugin import Setting


class Currency(ListedColumn[str]):
    """A currency by its code, in any case, its sign or its English name; the value is the code.

    A sign that several of the currencies have fails: `$` passes where one kind of dollar is listed.

    Args:
        codes: the currencies that a cell may name, by ISO 4217; none for all that are legal tender.
        choices: `setting("currencies")`, a setting that lists the codes, in their place.

    Example:
        >>> Currency("EUR", "USD").read("$")
        'USD'
    """

    def __init__(self, *codes: str, choices: Setting | None = None, **options: Any) -> None:
        super().__init__(codes or None, choices, **options)

    def _usable(self, words: Sequence[str]) -> Sequence[str]:
        if unknown := [word for word in words if word not in known_codes()]:
            problems = [f"the choice {each!r:.80} is no code of ISO 4217" for each in unknown]
            raise ConfigError(problems)
        return words

    def parse(self, text: str) -> str:
        """Find the currency."""
        return read_currency(text, self._words)

    @property
    def only(self) -> str | None:
        """The one currency that is allowed, if it is one."""
        return self._words[0] if len(self._words) == 1 else None

    def _specimens(self, cases: Sequence[Case], users: Sequence[User]) -> Iterable[str]:
        return [each.lower() for each in self._words[:2]] or ["EUR", "usd", "Euro"]
