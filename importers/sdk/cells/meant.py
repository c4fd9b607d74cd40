"""What was probably meant by a text that is no address, language or time zone; None if unsure."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from importers.sdk.cells.formats import is_email, is_locale, zone_names

if TYPE_CHECKING:
    from collections.abc import Mapping

_BETWEEN_ADDRESSES = re.compile(r"[\s<>\[\]()\",;|]+")
# What stands before and behind an address in a text: quotes and points.
_AROUND_ADDRESSES = "'`\u2018\u2019\u201c\u201d.:"
# pt_BR.UTF-8@euro, of POSIX systems
_POSIX_LOCALE = re.compile(r"(?P<tag>[A-Za-z0-9_-]+)(?:\.[\w-]+)?(?:@\w+)?", re.ASCII)
_LANGUAGES = {
    "english": "en", "spanish": "es", "español": "es", "french": "fr", "français": "fr",
    "german": "de", "deutsch": "de", "italian": "it", "italiano": "it", "portuguese": "pt",
    "português": "pt", "dutch": "nl", "nederlands": "nl", "polish": "pl", "polski": "pl",
    "russian": "ru", "русский": "ru", "ukrainian": "uk", "turkish": "tr", "arabic": "ar",
    "japanese": "ja", "korean": "ko", "vietnamese": "vi", "swedish": "sv", "danish": "da",
    "finnish": "fi", "greek": "el", "hebrew": "he", "hindi": "hi", "czech": "cs",
}  # fmt: skip
# Windows shows `(UTC-05:00) Eastern Time (US & Canada)` for `Eastern Standard Time`.
_SHOWN_ZONE = re.compile(
    r"(?:\((?:UTC|GMT)[^)]*\) )?(?P<name>Eastern|Central|Mountain|Pacific) Time \(US & Canada\)",
    re.IGNORECASE,
)
_SUMMER = re.compile(r" (?:Daylight|Summer) Time$", re.IGNORECASE)


def meant_email(text: str) -> str | None:
    """Return the one address in a text that was copied from a mail program.

    Example:
        >>> meant_email("Dana Kim <dana.kim@example.org>")
        'dana.kim@example.org'
    """
    found = addresses_in(text)
    return found[0] if len(found) == 1 else None


def addresses_in(text: str) -> list[str]:
    """Return the different addresses in a text."""
    visible = "".join(letter for letter in text if letter.isprintable() or letter.isspace())
    found: dict[str, str] = {}
    for part in _BETWEEN_ADDRESSES.split(visible):
        address = part.strip(_AROUND_ADDRESSES)
        if address.lower().startswith("mailto:"):
            address = address[len("mailto:") :].partition("?")[0]
        if is_email(address):
            found.setdefault(address.lower(), address)
    return list(found.values())


def meant_locale(text: str) -> str | None:
    """Return the language tag of `pt_BR.UTF-8` or `English`."""
    if language := _LANGUAGES.get(text.lower()):
        return language
    found = _POSIX_LOCALE.fullmatch(text)
    if found is None or text.upper() in ("C", "POSIX"):
        return None
    tag = found["tag"].replace("_", "-")
    # Great Britain's code is GB.
    tag = re.sub(r"^(en)-uk$", r"\1-GB", tag, flags=re.IGNORECASE)
    return tag if tag != text and is_locale(tag) else None


def meant_zone(text: str) -> str | None:
    """Return the IANA name of `america/new york` or `Eastern Standard Time`."""
    by_name = _zones_by_name()
    name = re.sub(r"\s*/\s*", "/", text)
    if shown := _SHOWN_ZONE.fullmatch(text):
        name = f"{shown['name']} Standard Time"
    name = _SUMMER.sub(" Standard Time", name)
    return by_name.get(name.casefold()) or by_name.get(re.sub(r"\s+", "_", name).casefold())


@cache
def _zones_by_name() -> Mapping[str, str]:
    """Return zones by their IANA names and those of Windows, without capitals."""
    text = Path(__file__).with_name("windows_zones.txt").read_text(encoding="utf-8")
    lines = (line.split("=") for line in text.splitlines() if not line.startswith("#"))
    known = zone_names()
    windows = {name.casefold(): zone for name, zone in lines if zone in known}
    return windows | {name.casefold(): name for name in known}
