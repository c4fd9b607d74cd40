"""Searching: each word of the query is the beginning of a word in what is found."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+")
_MOST_WORDS = 8


def prefix_query(text: str) -> str | None:
    """Translate what a person typed for `to_tsquery('simple', …)`; None when it has no word.

    Words are letters and digits alone, so no sign of the query language is left in them.

    Example:
        >>> prefix_query("Jones trv-0")
        "'Jones':* & 'trv':* & '0':*"
    """
    words = _WORD.findall(text)[:_MOST_WORDS]
    return " & ".join(f"'{word}':*" for word in words) or None
