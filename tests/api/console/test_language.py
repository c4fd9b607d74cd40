"""Languages: chosen by cookie or browser; figures and times as each writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from starlette.requests import Request

from api.console.language import Language, language_of


@pytest.mark.parametrize(
    ("accepted", "cookie", "code"),
    [
        ("", "", "en"),
        ("es-MX,es;q=0.9,en;q=0.8", "", "es"),
        ("fr,de", "", "en"),
        ("es", "caseroll_language=en", "en"),
        ("en", "caseroll_language=xx", "en"),
    ],
)
def test_choice(accepted: str, cookie: str, code: str) -> None:
    """The visitor's choice comes first, then what the browser prefers of what there is."""
    headers = [(b"accept-language", accepted.encode()), (b"cookie", cookie.encode())]
    request = Request({"type": "http", "headers": headers})

    assert language_of(request).code == code


def test_zone() -> None:
    """Times are in the visitor's zone, and say so; an unknown zone is UTC."""
    moment = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    request = Request({"type": "http", "headers": [(b"cookie", b"caseroll_zone=No/Where")]})

    assert Language("en", "Europe/Madrid").exact(moment) == "1 Jul 2026, 14:00:00 GMT+02:00"
    assert language_of(request).zone == "UTC"


def test_figures() -> None:
    """Figures are written as the language does."""
    english, spanish = Language("en"), Language("es")

    assert (english.number(12_400), spanish.number(12_400)) == ("12,400", "12.400")
    assert (english.percent(0.999), spanish.percent(0.5)) == ("99%", "50\u00a0%")
    assert (english.size(1_234_567), spanish.size(999)) == ("1.2 MB", "999 B")


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "1 second ago"), (2, "1 second ago"), (130, "in 2 minutes")]
)
def test_just_now(seconds: int, said: str) -> None:
    """What has just happened is not ahead, whatever the clocks of two machines say."""
    assert Language("en").ago(datetime.now(UTC) + timedelta(seconds=seconds)) == said
