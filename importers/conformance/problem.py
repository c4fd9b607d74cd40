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
    """Raise one AssertionError with all problems of the class of that name, if there are any."""
    found = list(dict.fromkeys(problems))
    if found:
        count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
        lines = "\n".join(f"{number}. {problem}" for number, problem in enumerate(found, 1))
        raise AssertionError(f"{name} has {count}:\n{lines}")


def quote_shortest(cells: Collection[str]) -> str:
    """Quote the shortest cells, and count the others."""
    texts = []
    for cell in sorted(cells, key=len)[:_MOST_SHOWN]:
        text = ascii(cell)
        cut = f"{text[:40]}…{text[-8:]} ({len(cell):,} characters)"
        texts.append(text if len(text) <= 60 else cut)
    more = len(cells) - len(texts)
    return ", ".join(texts) + (f" and {more} more" if more else "")
