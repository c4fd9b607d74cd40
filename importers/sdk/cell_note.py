"""What a spreadsheet's cell holds, where the text that it shows does not say so.

Such a cell travels as the text that the sheet shows, then U+001A, then its note:

    "7/4/26\\x1adate=2026-07-04"
    "1.23457E+14\\x1anumber=123456789012345678"
    "1,234.50\\x1aparted=1234.5"
    "TRUE\\x1aboolean="
    "#N/A\\x1aerror="
    "jones-001\\x1astruck="
    "45678\\x1aunshown=45678 with the number format '[h]:mm'"

U+001A is the control character *substitute*. A cell with a control character fails, so no text of a
file is taken for a note by mistake. The note stays with a stored cell, for a retry to read.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

_SUBSTITUTE = "\x1a"


class Holds(StrEnum):
    """What a cell holds, other than a text or a number that it shows in full."""

    DATE = "date"
    """A day or a time; the detail is ISO 8601: `2026-07-04`, `2026-07-04T09:30:00`."""
    TIME = "time"
    """A time of day or a duration; the detail is `9:30:00`."""
    BOOLEAN = "boolean"
    NUMBER = "number"
    """A number that is shown rounded, or of too many digits; the detail is the number."""
    PARTED = "parted"
    """A number that is shown in full, but with a point or comma, which can mean either; the detail
    is the number."""
    ERROR = "error"
    STRUCK = "struck"
    """A text of which at least a part is struck out, as what does not count any more."""
    UNSHOWN = "unshown"
    """It can't be known what the sheet shows; the detail says in words what the cell holds."""


_NOTE = re.compile(
    rf"(?s)(?P<shown>.*){_SUBSTITUTE}(?P<holds>{'|'.join(Holds)})=(?P<detail>[^{_SUBSTITUTE}]*)"
)


class CellNote(NamedTuple):
    """A cell's shown text, and what it holds."""

    shown: str
    holds: Holds
    detail: str


def with_note(shown: str, holds: Holds, detail: str = "") -> str:
    """Return the cell as it travels and is stored."""
    return f"{shown}{_SUBSTITUTE}{holds}={detail}"


def number_note(shown: str, number: str, *, is_whole: bool) -> str:
    """Return a number as it is shown, with a note if that does not say all of it for certain.

    Args:
        number: its digits.
        is_whole: whether all of them are shown.
    """
    if not is_whole:
        return with_note(shown, Holds.NUMBER, number)
    return with_note(shown, Holds.PARTED, number) if "," in shown or "." in shown else shown


def struck_text(cell: str) -> str:
    """Return a cell with the note that a line goes through its text; a blank one stays as it is.

    Example:
        >>> note_of(struck_text("jones-001")).holds
        <Holds.STRUCK: 'struck'>
    """
    return with_note(shown_text(cell), Holds.STRUCK) if cell.strip() else cell


def note_of(cell: str) -> CellNote | None:
    """Return a cell's note, if it has one."""
    found = _NOTE.fullmatch(cell) if _SUBSTITUTE in cell else None
    return CellNote(found["shown"], Holds(found["holds"]), found["detail"]) if found else None


def has_notes(cells: str) -> bool:
    """Tell whether any of some cells, put together, may have a note."""
    return _SUBSTITUTE in cells


def shown_text(cell: str) -> str:
    """Return a cell as the spreadsheet shows it, without its note."""
    if _SUBSTITUTE not in cell:
        return cell
    note = note_of(cell)
    return note.shown if note else cell
