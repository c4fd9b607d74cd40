"""Rows as a plugin's reader yields them, checked before anything is made of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from importers.reading.record import is_blank
from importers.reading.refusal import too_many_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importers.reading.limits import Limits
    from importers.reading.record import Record

# The largest that PostgreSQL stores as the number of a row.
_HIGHEST = 2**31 - 1
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


class WrongRowError(Exception):
    """A reader has yielded what is no row; its text says what."""


def checked_rows(yielded: Any, limits: Limits) -> Iterator[Record]:
    """Yield what a reader yields, each a number and a list of texts that can be stored.

    Half a character, as escapes of JSON may be, becomes U+FFFD, with which its cell is refused.

    Raises:
        WrongRowError: it is something else, or the numbers don't ascend.
        FileRefusedError: a row has too many cells.
    """
    last = -1
    for each in yielded:
        if not (isinstance(each, tuple) and len(each) == 2):
            raise WrongRowError(f"it yields {each!r:.80}, which is no pair of a number and cells")
        number, cells = each
        _check_number(number, last)
        if not isinstance(cells, list | tuple):
            raise WrongRowError(f"row {number} is {cells!r:.80}, which is no list of texts")
        last = number
        yield number, _texts_of(number, cells, limits)


def _check_number(number: Any, last: int) -> None:
    if not isinstance(number, int) or isinstance(number, bool):
        raise WrongRowError(f"the number of a row is {number!r:.80}, which is no whole number")
    if not last < number <= _HIGHEST:
        what = f"row {number:,} comes after row {last:,}" if last >= 0 else f"row {number:,}"
        raise WrongRowError(f"{what}; numbers begin with 0 or more, and ascend")


def _texts_of(number: int, cells: list[Any] | tuple[Any, ...], limits: Limits) -> list[str]:
    for place, cell in enumerate(cells, 1):
        if not isinstance(cell, str):
            raise WrongRowError(f"cell {place} of row {number} is {cell!r:.80}, which is no text")
    most, texts = limits.max_columns, list(cells)
    if len(texts) > most:
        if not is_blank(texts[most:]):
            raise too_many_columns(number, len(texts), limits)
        del texts[most:]
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return [_HALF_CHARACTER.sub("\ufffd", text) for text in texts]
    return texts
