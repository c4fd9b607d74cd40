"""Languages of the console: catalogues of texts, and how a language writes figures and times."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from babel import dates, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from api.language import choose_language
from importers.language.catalogue import LANGUAGES, write_number

if TYPE_CHECKING:
    from starlette.requests import Request

FOLDER = Path(__file__).parent / "locale"
_CLOCKS_DIFFER = 3
LANGUAGE_COOKIE, ZONE_COOKIE = "caseroll_language", "caseroll_zone"


class Language(NamedTuple):
    """How one visitor reads: a language, and the zone of the times.

    Args:
        code: of `importers.language.catalogue.LANGUAGES`.
        zone: a name such as `Europe/Madrid`.
    """

    code: str
    zone: str = "UTC"

    @property
    def translations(self) -> NullTranslations:
        return read_catalogue(self.code)

    def text(self, message: str, **values: object) -> str:
        """Translate a message, whose `%(name)s` stand for values."""
        translated = self.translations.gettext(message)
        return translated % values if values else translated

    def plural(self, one: str, many: str, count: int) -> str:
        """Translate a message about a count, which stands in it as `%(n)s`."""
        return self.translations.ngettext(one, many, count) % {"n": self.number(count)}

    def number(self, value: float) -> str:
        return write_number(self.code, value)

    def percent(self, share: float) -> str:
        """Write a share of 1, rounded down: 100 % is all."""
        return numbers.format_percent(int(share * 100) / 100, locale=self.code)

    def size(self, count: int) -> str:
        """Write a number of bytes as file managers do, in multiples of 1,024."""
        for unit, bytes_of in (("MB", 1024 * 1024), ("KB", 1024)):
            if count >= bytes_of:
                return f"{self.number(round(count / bytes_of, 1))} {unit}"
        return f"{self.number(count)} B"

    def exact(self, moment: datetime) -> str:
        """Write a time with its zone."""
        return _write_moment(self.code, self.zone, moment)

    def day(self, value: date) -> str:
        return _write_day(self.code, value)

    def ago(self, moment: datetime) -> str:
        """Write how long ago a time is, or in how long it will be.

        Of what has just happened, the database's clock may say that it is ahead.
        """
        seconds = (moment - datetime.now(UTC)).total_seconds()
        return self.span(-1 if -1 < seconds < _CLOCKS_DIFFER else seconds, add_direction=True)

    def span(self, seconds: float, *, add_direction: bool = False) -> str:
        """Write a length of time in its largest unit."""
        return _write_span(self.code, _round_to_unit(seconds), add_direction)


# Babel takes 40 to 140 µs for each; the rows of a page have many times in common.
@lru_cache(4096)
def _write_day(code: str, value: date) -> str:
    # As in `_write_moment`: a page has both.
    return dates.format_date(value, "d MMM yyyy", locale=code)


@lru_cache(4096)
def _write_moment(code: str, zone: str, moment: datetime) -> str:
    local = moment.astimezone(ZoneInfo(zone))
    text = dates.format_datetime(local, "d MMM yyyy, HH:mm:ss ZZZZ", locale=code)
    return text.replace("GMT+00:00", "UTC") if zone == "UTC" else text


@lru_cache(4096)
def _write_span(code: str, seconds: int, add_direction: bool) -> str:
    return dates.format_timedelta(
        timedelta(seconds=seconds), locale=code, add_direction=add_direction, threshold=1
    )


def _round_to_unit(seconds: float) -> int:
    """Round a length of time as it is written, so that few differ.

    Example:
        >>> _round_to_unit(3 * 60 + 20.5), _round_to_unit(-45.2)
        (180, -45)
    """
    days = 24 * 3600
    for unit in (365 * days, 30 * days, 7 * days, days, 3600, 60):
        if abs(seconds) >= unit:
            return round(seconds / unit) * unit
    return round(seconds)


@lru_cache(None)
def read_catalogue(code: str) -> NullTranslations:
    """Read a language's texts; English is what the code and the templates say."""
    path = FOLDER / code / "LC_MESSAGES" / "caseroll.po"
    if not path.exists():
        return NullTranslations()
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=code))
    compiled.seek(0)
    return Translations(compiled)


def language_of(request: Request) -> Language:
    """Choose the language and the zone of a request: as its cookies say, else its browser."""
    code = request.cookies.get(LANGUAGE_COOKIE)
    if code not in LANGUAGES:
        code = choose_language(",".join(request.headers.getlist("accept-language")))
    zone = request.cookies.get(ZONE_COOKIE, "")
    return Language(code, zone if zone in _zones() else "UTC")


@lru_cache(None)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
