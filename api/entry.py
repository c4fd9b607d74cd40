"""Checks of what clients enter, collected instead of stopping at the first."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import available_timezones

import strawberry

from api.user_error import UserError, user_error

if TYPE_CHECKING:
    from collections.abc import Collection

T = TypeVar("T")

_TAG = re.compile(r"[A-Za-z0-9/_-]{1,64}")
_EMAIL = re.compile(r"[^\s@\"(),:;<>\[\]\\]{1,64}@(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,63}")
_EMAIL_LONGEST = 254
# Language, then script, region, variants, extensions and private use, as in BCP 47.
_LOCALE = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(?:-[0-9a-wyz](?:-[a-z0-9]{2,8})+)*"
    r"(?:-x(?:-[a-z0-9]{1,8})+)?",
    re.IGNORECASE | re.ASCII,
)
_LOCALE_LONGEST = 35
_ALIASES = {"sp": "es"}


def given(value: T | None) -> T | None:
    """Return what the client gave; None for null and for what was left out."""
    return None if value is strawberry.UNSET else value


class Problems:
    """Reads the fields of an input and collects what is wrong with them.

    Each method returns the value to store, and notes a problem when there is one.
    """

    def __init__(self) -> None:
        self.found: list[UserError] = []

    def add(self, code: str, field: str, message: str) -> None:
        """Note a problem with a field of `input`."""
        self.found.append(user_error(code, message, "input", field))

    def text(self, field: str, value: str | None, *, longest: int, required: bool = False) -> str:
        """Read one line of text."""
        text = (value or "").strip()
        if required and not text:
            self.add("REQUIRED", field, "This can't be blank.")
        if len(text) > longest:
            self.add("TOO_LONG", field, f"{len(text):,} characters are too many; {longest:,} fit.")
        if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
            self.add("CONTROL_CHARACTER", field, "This can't hold control characters.")
        return text

    def tag(self, value: str | None) -> str | None:
        """Read a Tag ID."""
        text = (value or "").strip()
        if text and not _TAG.fullmatch(text):
            self.add(
                "INVALID_TAG",
                "tagId",
                "A Tag ID has letters, digits, '-', '/' and '_', up to 64 of them.",
            )
        return text or None

    def email(self, value: str) -> str:
        """Read an e-mail address."""
        text = value.strip()
        if not _EMAIL.fullmatch(text) or len(text) > _EMAIL_LONGEST or ".." in text:
            self.add("INVALID_EMAIL", "email", "This is not an e-mail address.")
        return text

    def locale(self, value: str | None) -> str | None:
        """Read a language tag; `sp`, which files are full of, is Spanish."""
        text = (value or "").strip()
        if text and (not _LOCALE.fullmatch(text) or len(text) > _LOCALE_LONGEST):
            self.add(
                "INVALID_LOCALE", "locale", "A locale is a BCP 47 tag, such as 'en' or 'es-MX'."
            )
        return _ALIASES.get(text.lower(), text) or None

    def zoneinfo(self, value: str | None) -> str | None:
        """Read a time zone."""
        text = (value or "").strip()
        if text and text not in _zones():
            self.add(
                "INVALID_ZONEINFO",
                "zoneinfo",
                "A time zone is an IANA name, such as 'America/New_York'.",
            )
        return text or None


@cache
def _zones() -> Collection[str]:
    return available_timezones()
