"""Columns whose cells have a format: addresses, Tag IDs, languages, time zones, dates, states."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

from importers.sdk.columns import Column, keyed_by, only_checks, shorten
from importers.sdk.errors import RowError
from importers.sdk.formats import is_email, is_locale, is_tag, is_zone, locale_named
from importers.sdk.references import TAG_IDS, damaged, no_choice

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from importers.sdk.entities import Case, User

# Workbooks show midnight with some dates.
_ISO = re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?: 00:00:00)?", re.ASCII)
_AMERICAN = re.compile(r"(?P<month>\d\d?)/(?P<day>\d\d?)/(?P<year>\d{4})", re.ASCII)


class Email(Column[str]):
    """An e-mail address; two that differ only in capitals are the same.

    To refer to a user by address there is `UserRef`.

    Example:
        >>> Email(required=True).read(" Jo@example.org ")
        'Jo@example.org'
    """

    @only_checks
    def parse(self, text: str) -> str:
        """Check the address."""
        if not is_email(text):
            raise RowError(None, "INVALID_EMAIL", f"'{shorten(text)}' is not an e-mail address.")
        return text

    @keyed_by(str.lower)
    def group_key(self, value: str) -> str:
        """Return it without capitals."""
        return value.lower()

    def _specimens(self, cases: Sequence[Case], users: Sequence[User]) -> Iterable[str]:
        return ("kit@example.org", "KIT@example.org", "other@example.org")


class TagId(Column[str]):
    """A new Tag ID: letters, digits, `-`, `/` and `_`, up to 64 of them.

    One that looks like a number or date of a spreadsheet is refused: Tag IDs are permanent. To
    refer to something by its Tag ID there are `CaseRef` and `UserRef`.

    Example:
        >>> TagId().read("2026/trv-001")
        '2026/trv-001'
    """

    _key_space = TAG_IDS

    @only_checks
    def parse(self, text: str) -> str:
        """Check the Tag ID."""
        if damage := damaged(text):
            raise damage
        if not is_tag(text):
            form = "letters, digits, '-', '/' and '_', up to 64 of them"
            message = f"'{shorten(text)}' is not a Tag ID: those have {form}."
            raise RowError(None, "INVALID_TAG", message)
        return text

    def _is_exact(self) -> bool:
        return True


class Locale(Column[str]):
    """A language as a BCP 47 tag, such as `en` or `es-MX`; `sp` is read as `es`.

    Example:
        >>> Locale().read("sp")
        'es'
    """

    def parse(self, text: str) -> str:
        """Check the tag."""
        if not is_locale(text):
            message = f"'{shorten(text)}' is not a BCP 47 tag, such as 'en' or 'es-MX'."
            raise RowError(None, "INVALID_LOCALE", message)
        return locale_named(text)

    def _specimens(self, cases: Sequence[Case], users: Sequence[User]) -> Iterable[str]:
        return ("en", "es", "sp")


class TimeZone(Column[str]):
    """A time zone by its IANA name; the value is that name.

    Example:
        >>> TimeZone().read("America/New_York")
        'America/New_York'
    """

    def parse(self, text: str) -> str:
        """Check the name."""
        if not is_zone(text):
            message = f"'{shorten(text)}' is not an IANA name, such as 'America/New_York'."
            raise RowError(None, "INVALID_ZONEINFO", message)
        return text

    def _specimens(self, cases: Sequence[Case], users: Sequence[User]) -> Iterable[str]:
        return ("America/New_York", "Europe/Paris")


class Date(Column[date]):
    """A day, as `mm/dd/yyyy` or `yyyy-mm-dd`; the value is a `datetime.date`.

    Example:
        >>> Date().read("1/31/2026")
        datetime.date(2026, 1, 31)
    """

    def parse(self, text: str) -> date:
        """Read the day."""
        found = _ISO.fullmatch(text) or _AMERICAN.fullmatch(text)
        try:
            parts = {name: int(part) for name, part in found.groupdict().items()} if found else {}
            return date(**parts)
        except (TypeError, ValueError) as error:
            message = f"'{shorten(text)}' is not a day, written as mm/dd/yyyy or yyyy-mm-dd."
            raise RowError(None, "INVALID_DATE", message) from error

    def _specimens(self, cases: Sequence[Case], users: Sequence[User]) -> Iterable[str]:
        return ("01/31/2026", "2026-01-31", "1/31/2026", "02/01/2026")


class Choice(Column[str]):
    """One of a few words, exactly as they are.

    Args:
        words: what a cell may hold.

    Example:
        >>> Choice("EUR", "USD").read("USD")
        'USD'
    """

    def __init__(self, *words: str, **options: Any) -> None:
        super().__init__(**options)
        self._words = words

    def parse(self, text: str) -> str:
        """Check the word."""
        if text not in self._words:
            raise no_choice(text, self._words)
        return text

    def choices_for(self, roles: Sequence[str]) -> Sequence[str]:
        """List the words."""
        return self._words


class State(Column[bool]):
    """One of two states: `0` for the one, `1` for the other; the value is True for `1`.

    Args:
        off: the name of 0 in messages.
        on: the name of 1.

    Example:
        >>> State(off="closed", on="active").read("0")
        False
    """

    choices = ("0", "1")

    def __init__(self, *, off: str, on: str, **options: Any) -> None:
        super().__init__(**options)
        self.off = off
        self.on = on

    def parse(self, text: str) -> bool:
        """Read the number."""
        if text not in self.choices:
            message = f"'{shorten(text)}' is not 0 ({self.off}) or 1 ({self.on})."
            raise RowError(None, "INVALID_FLAG", message)
        return text == "1"
