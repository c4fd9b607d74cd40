"""URLs are checked, and written in one form."""

from __future__ import annotations

import pytest

from importers import Url
from tests.importers.sdk.ready_columns.read_cell import error_of, key_of


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("https://example.org", "https://example.org/"),
        ("HTTPS://EXAMPLE.org:443/A?b=C#d", "https://example.org/A?b=C#d"),
        ("http://example.org:8080", "http://example.org:8080/"),
        ("https://example.org?x=1", "https://example.org/?x=1"),
        ("https://b\u00fccher.example/\u00fc?q=\u00e4", "https://xn--bcher-kva.example/%C3%BC?q=%C3%A4"),
        ("https://B\u00dcCHER.example/", "https://xn--bcher-kva.example/"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
        ("https://stra\u00dfe.example/", "https://xn--strae-oqa.example/"),
        ("http://localhost:8000/x", "http://localhost:8000/x"),
        ("http://192.0.2.1/", "http://192.0.2.1/"),
        ("http://[2001:DB8::1]:80/", "http://[2001:db8::1]/"),
        ("https://example.org./%41", "https://example.org/%41"),
    ],
)  # fmt: skip
def test_urls(cell: str, expected: str) -> None:
    """The scheme and host are in small letters and ASCII; the rest stays as it is."""
    assert Url().read(cell) == expected
    assert key_of(Url(), expected) == expected


SCHEME = "'{}' is not a URL that begins with https:// or http://."
HOST = "'{}' has a host that can't be, as in https://example.org/."
LETTERS = "'{}' has characters that no URL has."


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        *[(each, SCHEME) for each in ("www.example.org", "ftp://example.org", "javascript:alert(1)",
                                      "https:/example.org", "//example.org", "mailto:a@b.org")],
        *[(each, HOST) for each in ("https://", "https://-a.org", "https://a..b", "https://a_b.org",
                                    "https://1.2.3", "https://256.1.1.1", "https://\uff11.org",
                                    "https://xn--a.org")],
        *[(each, LETTERS) for each in ("https://example.org/a b", "https://example.org/%zz",
                                       "https://example.org/<b>")],
        *[(each, "'{}' is not a URL.") for each in ("https://example.org:99999/", "http://[::g]/")],
        ("https://jo:secret@example.org/", "has a user's name or password; take it out."),
        ("https://ex\u200bample.org/", LETTERS.format("https://ex[U+200B]ample.org/")),
    ],
)  # fmt: skip
def test_no_urls(cell: str, message: str) -> None:
    """Other schemes, hosts that can't be and passwords fail, without a guess."""
    error = error_of(Url(), cell)

    assert (error.code, str(error)) == ("INVALID_URL", message.format(cell))
    assert error.suggestion is None
