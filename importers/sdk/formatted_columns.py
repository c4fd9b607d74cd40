"""Columns whose cells have a format: addresses, Tag IDs, languages, time zones, dates, states."""

from __future__ import annotations

from copy import copy
from datetime import date
from typing import TYPE_CHECKING, Any

from importers.sdk.cell_note import Holds
from importers.sdk.cells.day import (
    DAY_FIRST,
    DAY_MONTH_YEAR,
    MONTH_DAY_YEAR,
    read_day,
    shows_day_first,
)
from importers.sdk.cells.formats import (
    is_email,
    is_locale,
    is_null_name,
    is_null_word,
    is_tag,
    is_zone,
    locale_named,
)
from importers.sdk.cells.meant import addresses_in, meant_locale, meant_zone
from importers.sdk.cells.spreadsheet import damaged_tag
from importers.sdk.columns import Column, flag_of, keyed_by, only_checks
from importers.sdk.errors import RowError, shorten
from importers.sdk.references import TAG_IDS, no_choice

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from typing import Self

    from importers.sdk.cell_note import CellNote
    from importers.sdk.entities import Case, User


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
            found = addresses_in(text)
            fault = "holds several e-mail addresses; write one of them"
            if len(found) < 2:
                fault = "'{text}' is not an e-mail address"
            raise _meaning("INVALID_EMAIL", fault, text, found[0] if len(found) == 1 else None)
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
        if damage := damaged_tag(text):
            raise damage
        if is_null_word(text):
            raise _nothing("INVALID_TAG", text)
        if not is_tag(text):
            form = "letters, digits, '-', '/' and '_', up to 64 of them"
            template = "'{text}' is not a Tag ID: those have " + form + "."
            raise RowError(None, "INVALID_TAG", template, text=shorten(text))
        return text

    def _is_exact(self) -> bool:
        return True


class Name(Column[str]):
    """A person's name: free text, but for `NULL` and other words that programs write for nothing.

    Example:
        >>> Name().read("Null")
        'Null'
    """

    def parse(self, text: str) -> str:
        """Check the name."""
        if is_null_name(text):
            raise _nothing("INVALID_NAME", text)
        return text

    def _is_free_text(self) -> bool:
        return not self._is_exact()


class Locale(Column[str]):
    """A language as a BCP 47 tag, such as `en` or `es-MX`; `sp` is read as `es`.

    Example:
        >>> Locale().read("sp")
        'es'
    """

    def parse(self, text: str) -> str:
        """Check the tag."""
        if is_null_word(text):
            raise _nothing("INVALID_LOCALE", text)
        if not is_locale(text):
            fault = "'{text}' is not a BCP 47 tag, such as 'en' or 'es-MX'"
            raise _meaning("INVALID_LOCALE", fault, text, meant_locale(text))
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
        if is_null_word(text):
            raise _nothing("INVALID_ZONEINFO", text)
        if not is_zone(text):
            fault = "'{text}' is not an IANA name, such as 'America/New_York'"
            raise _meaning("INVALID_ZONEINFO", fault, text, meant_zone(text))
        return text

    def _specimens(self, cases: Sequence[Case], users: Sequence[User]) -> Iterable[str]:
        return ("America/New_York", "Europe/Paris")


class Date(Column[date]):
    """A day, as `mm/dd/yyyy` or `yyyy-mm-dd`, from 1900 on; the value is a `datetime.date`.

    ISO 8601 may have midnight behind it. In a file where a cell of the column can only have its day
    first, `31/01/2026`, cells that could be read both ways fail, unless the upload declares the
    order of its dates.

    Example:
        >>> Date().read("1/31/2026")
        datetime.date(2026, 1, 31)
    """

    _order: str | None = None
    _is_day_first = False

    def parse(self, text: str) -> date:
        """Read the day."""
        return read_day(text, order=self._order, is_day_first=self._is_day_first)

    def observe(self, cells: Collection[str]) -> Collection[str]:
        """Find out whether a cell can only have its day first."""
        return (DAY_FIRST,) if any(shows_day_first(cell.strip()) for cell in cells) else ()

    def knowing(self, known: Collection[str]) -> Self:
        """Return a column that reads days in the declared order, or refuses what is ambiguous."""
        column = copy(self)
        orders = (each for each in (DAY_MONTH_YEAR, MONTH_DAY_YEAR) if each in known)
        column._order = next(orders, None)
        column._is_day_first = DAY_FIRST in known
        return column

    def _read_noted(self, note: CellNote) -> date | None:
        """Take the day that a spreadsheet's cell holds, in whatever form it shows it."""
        return self.parse(note.detail) if note.holds is Holds.DATE else super()._read_noted(note)

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
    """One of two states: `0` for the one, `1` for the other, or their names, or any word of a
    `Flag`; the value is True for `1`.

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
        """Read the number, or the word."""
        states = {self.off.lower(): False, self.on.lower(): True}
        state = states.get(text.lower(), flag_of(text))
        if state is None:
            template = "'{text}' is not 0 ({off}) or 1 ({on})."
            shown = shorten(text)
            raise RowError(None, "INVALID_FLAG", template, text=shown, off=self.off, on=self.on)
        return state


def _meaning(code: str, fault: str, text: str, meant: str | None) -> RowError:
    """Return the error of a cell, with what was meant by it if that is certain."""
    hint = "; did you mean '{suggestion}'?" if meant else "."
    return RowError(None, code, fault + hint, meant, text=shorten(text))


def _nothing(code: str, text: str) -> RowError:
    template = "'{text}' stands for nothing; write nothing for nothing."
    return RowError(None, code, template, text=shorten(text))
