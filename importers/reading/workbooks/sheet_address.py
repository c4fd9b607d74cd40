"""Addresses of a sheet's cells, such as `B2`."""

from __future__ import annotations

import re

MOST_COLUMNS = 16_384
MOST_ROWS = 1_048_576
"""Columns and rows of a sheet: the last cell is XFD1048576."""

_ADDRESS = re.compile(r"([A-Za-z]{1,3})([1-9][0-9]{0,6})")


def column_number(letters: str) -> int:
    """Return the index of a column: that of A is 0.

    Raises:
        ValueError: no sheet has the column.
    """
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    if number > MOST_COLUMNS:
        raise ValueError(f"the column '{letters}'")
    return number - 1


def column_letters(index: int) -> str:
    """Return the letters that a spreadsheet shows above a column."""
    letters, number = "", index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def position_of(address: str) -> tuple[int, int]:
    """Return the row's number and the column's index of a cell such as `B2`.

    Raises:
        ValueError: it is no cell's address.
    """
    found = _ADDRESS.fullmatch(address)
    if found is None or int(found[2]) > MOST_ROWS:
        raise ValueError(f"the cell '{address[:20]}'")
    return int(found[2]), column_number(found[1])
