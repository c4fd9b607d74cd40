"""Untrusted text in a terminal: file names, cells and messages without control characters."""

from __future__ import annotations

import json
import re

# These move the cursor, change colours or titles, or reverse the direction of what follows.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    r"""Return the text on one line, without control characters.

    Example:
        >>> printable("May\x1b[2J\nJune")
        'May�[2J June'
    """
    return _CONTROLS.sub(lambda found: " " if found[0] in "\t\n\r" else "\ufffd", text)


def printable_json(value: object) -> str:
    """Return JSON with all control characters escaped, also those that JSON allows."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return _CONTROLS.sub(
        lambda found: "\n" if found[0] == "\n" else f"\\u{ord(found[0]):04x}", text
    )
