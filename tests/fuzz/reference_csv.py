"""A second reader of delimited text, slow and plain: character by character."""

from __future__ import annotations


class MalformedError(Exception):
    """A quote is never closed, or text follows a closed one."""


def records(text: str, delimiter: str) -> list[list[str]]:
    """Read the records of RFC 4180, where lines may also end in LF or CR; a blank line has no cell.

    Raises:
        MalformedError: the text breaks these rules.
    """
    found: list[list[str]] = []
    cells: list[str] = []
    place, end = 0, len(text)
    while place < end:
        cell, place = _cell(text, place, delimiter)
        cells.append(cell)
        if place < end and text[place] == delimiter:
            place += 1
            if place == end:
                found.append([*cells, ""])
                return found
            if text[place] in "\r\n":
                cells.append("")
            else:
                continue
        if place < end:
            place += 2 if text.startswith("\r\n", place) else 1
        found.append([] if cells == [""] and _is_bare(text, place) else cells)
        cells = []
    return found


def _is_bare(text: str, place: int) -> bool:
    """Tell whether the line that ends here is empty, and not a quoted cell without a character."""
    return text[:place].removesuffix("\n").removesuffix("\r")[-1:] in ("", "\r", "\n")


def _cell(text: str, place: int, delimiter: str) -> tuple[str, int]:
    """Return the cell that begins here, and the place of what ends it."""
    if not text.startswith('"', place):
        end = place
        while end < len(text) and text[end] not in (delimiter, "\r", "\n"):
            end += 1
        return text[place:end], end
    parts = []
    place += 1
    while True:
        end = text.find('"', place)
        if end < 0:
            raise MalformedError
        parts.append(text[place:end])
        if not text.startswith('""', end):
            break
        parts.append('"')
        place = end + 2
    end += 1
    if end < len(text) and text[end] not in (delimiter, "\r", "\n"):
        raise MalformedError
    return "".join(parts), end
