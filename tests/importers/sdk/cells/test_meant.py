"""What was meant is suggested only if it is certain."""

from __future__ import annotations

import pytest

from importers.sdk.cells.meant import meant_email, meant_locale, meant_zone


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dana Kim <dana.kim@example.org>", "dana.kim@example.org"),
        ("'lee.ray@example.org'", "lee.ray@example.org"),
        ("mailto:uma.ito@example.org", "uma.ito@example.org"),
        ("mailto:uma.ito@example.org?subject=x", "uma.ito@example.org"),
        ("ben.berg@example.org;", "ben.berg@example.org"),
        ("Olsen, Nora <nora.olsen@example.org>", "nora.olsen@example.org"),
        ("zoe.young@example.org\u200b", "zoe.young@example.org"),
        ("eva.greco@example.org.", "eva.greco@example.org"),
        ("Jo@x.org <jo@X.org>", "Jo@x.org"),
        ("o'neil@example.org,", "o'neil@example.org"),
        ("wei.zhang@example.org, wei@example.net", None),
        ("<jo@example.org>;", "jo@example.org"),
        ('"Smith, Jo" <jo@example.org>', "jo@example.org"),
        ("jo at example.org", None),
        ("", None),
    ],
)
def test_addresses(text: str, expected: str | None) -> None:
    """The one address in a text is what was meant; of two, neither is."""
    assert meant_email(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("en_US", "en-US"),
        ("pt_BR.UTF-8", "pt-BR"),
        ("de_DE@euro", "de-DE"),
        ("zh_Hans_CN", "zh-Hans-CN"),
        ("en_UK", "en-GB"),
        ("English", "en"),
        ("français", "fr"),
        ("Klingon", None),
        ("C.UTF-8", None),
        ("english please", None),
        ("x", None),
    ],
)
def test_languages(text: str, expected: str | None) -> None:
    """Names of POSIX systems and names of languages have their tags suggested."""
    assert meant_locale(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("america/new_york", "America/New_York"),
        ("America/New York", "America/New_York"),
        ("America / New York", "America/New_York"),
        ("Eastern Standard Time", "America/New_York"),
        ("eastern daylight time", "America/New_York"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("(UTC-05:00) Eastern Time (US & Canada)", "America/New_York"),
        ("Pacific Time (US & Canada)", "America/Los_Angeles"),
        ("GMT+1", None),
        ("New York", None),
        ("Mars/Phobos", None),
    ],
)
def test_zones(text: str, expected: str | None) -> None:
    """Other spellings of IANA names, and the names of Windows, have their IANA names suggested."""
    assert meant_zone(text) == expected
