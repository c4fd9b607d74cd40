"""Formats of Tag IDs, e-mail addresses, languages and time zones, for files and the API alike."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_TAG = re.compile(r"[A-Za-z0-9/_-]{1,64}")
_EMAIL = re.compile(r"[^\s@\"(),:;<>\[\]\\]{1,64}@(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,63}")
# RFC 5321 allows a path of 256 characters with its angle brackets.
_EMAIL_LONGEST = 254
# Language, then script, region, variants, extensions and private use, as in BCP 47, but for
# languages of four letters and more: none is registered, and `English` is none.
_LOCALE = re.compile(
    r"[a-z]{2,3}(?:-[a-z]{3}){0,3}(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(?:-[0-9a-wyz](?:-[a-z0-9]{2,8})+)*"
    r"(?:-x(?:-[a-z0-9]{1,8})+)?",
    re.IGNORECASE | re.ASCII,
)
_LOCALE_LONGEST = 35
_ALIASES = {"sp": "es"}
# What programs write for nothing, without capitals; R's is a name of people and a language as well.
_NULL_WORDS = frozenset(
    {"null", "\\n", "n/a", "nan", "none", "nat", "<na>", "(null)", "<null>", "undefined"}
)


def is_tag(text: str) -> bool:
    """Tell whether a new case or user can have this Tag ID."""
    return _TAG.fullmatch(text) is not None


def is_email(text: str) -> bool:
    """Tell whether the text is an e-mail address that mail programs read and show as it is.

    Refused are encoded words (`=?…?=`), which a mail program decodes to another address, and
    characters that are not printable, which make an address look like another.
    """
    return (
        _EMAIL.fullmatch(text) is not None
        and len(text) <= _EMAIL_LONGEST
        and ".." not in text
        and "=?" not in text
        and text.isprintable()
    )


def is_locale(text: str) -> bool:
    """Tell whether the text is a BCP 47 tag of at most 35 characters."""
    return _LOCALE.fullmatch(text) is not None and len(text) <= _LOCALE_LONGEST


def locale_named(text: str) -> str:
    """Return the language tag that the text means: `sp`, which many files have, is Spanish."""
    return _ALIASES.get(text.lower(), text)


def is_null_word(text: str) -> bool:
    """Tell whether a text is what programs write for nothing: `NULL`, `\\N`, `n/a`, `NaN`."""
    return text.lower() in _NULL_WORDS or text == "NA"


def is_null_name(text: str) -> bool:
    """Tell the same of a person's name: in capitals only, as people are called Null, Nan or Na."""
    return text.isupper() and text.lower() in _NULL_WORDS


def is_zone(text: str) -> bool:
    """Tell whether the text is the IANA name of a time zone."""
    return text in zone_names()


@cache
def zone_names() -> Collection[str]:
    """Return the IANA names of time zones."""
    from zoneinfo import available_timezones  # noqa: PLC0415 - slow to load

    return available_timezones()
