"""A problem that a check has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that an importer or a validator does wrong.

    Args:
        where: the part of the class, the column with its cell, or the row.
        what: what happens there.
        hint: what to do.
    """

    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f"\n   {self.hint}" if self.hint else ""
        return f"{self.where}: {self.what}{hint}"


def raise_problems(name: str, problems: Sequence[Problem]) -> None:
    """Raise one error with all problems, if there are any.

    Args:
        name: of the class that was checked.

    Raises:
        AssertionError: there are.
    """
    found = list(dict.fromkeys(problems))
    if found:
        count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
        lines = "\n".join(f"{number}. {problem}" for number, problem in enumerate(found, 1))
        raise AssertionError(f"{name} has {count}:\n{lines}")


def quote_shortest(cells: Collection[str]) -> str:
    """Quote the shortest cells, and count the others."""
    texts = [_quoted_cell(cell) for cell in sorted(cells, key=len)[:_MOST_SHOWN]]
    more = len(cells) - len(texts)
    return ", ".join(texts) + (f" and {more} more" if more else "")


def _quoted_cell(cell: str) -> str:
    text = ascii(cell)
    return text if len(text) <= 60 else f"{text[:40]}…{text[-8:]} ({len(cell):,} characters)"
