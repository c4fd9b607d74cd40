"""Countries are read by codes and English names."""

from __future__ import annotations

import pytest

from importers import Country
from importers.sdk.cells.countries import country_codes
from tests.importers.sdk.ready_columns.read_cell import error_of


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("DE", "de", "DEU", "deu", "Germany", "GERMANY"), "DE"),
        (("NL", "Netherlands", "The Netherlands", "the  netherlands"), "NL"),
        (("TR", "Turkey", "T\u00fcrkiye", "Turkiye"), "TR"),
        (("CI", "Ivory Coast", "C\u00f4te d\u2019Ivoire", "Cote d'Ivoire"), "CI"),
        (("KN", "St. Kitts & Nevis", "Saint Kitts and Nevis"), "KN"),
        (("GB", "UK", "United Kingdom", "Great Britain"), "GB"),
        (("US", "USA", "United States", "United States of America"), "US"),
        (("CZ", "Czechia", "Czech Republic"), "CZ"),
        (("KR", "South Korea", "Korea, Republic of"), "KR"),
        (("CD", "Congo, Democratic Republic of the"), "CD"),
        (("GN", "Guinea"), "GN"),
        (("XK", "Kosovo"), "XK"),
        (("NAM", "Namibia"), "NA"),
    ],
)
def test_countries(cells: tuple[str, ...], expected: str) -> None:
    """Capitals, accents and ways to write a name make no difference."""
    assert {Country().read(cell) for cell in cells} == {expected}


@pytest.mark.parametrize(
    ("cell", "code", "suggestion"),
    [
        *[(each, "INVALID_COUNTRY", None) for each in ("EU", "XX", "QQ", "ZZ", "ZAR", "DDR")],
        *[(each, "INVALID_COUNTRY", None) for each in ("England", "276", "Europe", "Germny")],
        ("NULL", "INVALID_COUNTRY", None),
        ("Deutschland", "INVALID_COUNTRY", "DE"),
        ("Autriche", "INVALID_COUNTRY", "AT"),
        *[(each, "AMBIGUOUS_COUNTRY", None) for each in ("Congo", "Korea", "NA", "na")],
    ],
)  # fmt: skip
def test_no_countries(cell: str, code: str, suggestion: str | None) -> None:
    """Codes that no country has fail, and names of several; those in other languages are meant."""
    error = error_of(Country(), cell)

    assert (error.code, error.suggestion) == (code, suggestion)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("x", "'x' is not a country: write its code, such as DE or DEU, or its English name."),
        ("Congo", "'Congo' can be CD or CG; write the code of the country."),
        ("NA", "'NA' can be Namibia, or stand for nothing; write NAM for Namibia."),
        ("n/a", "'n/a' stands for nothing; write nothing for nothing."),
    ],
)
def test_messages(cell: str, message: str) -> None:
    """Messages say what to write."""
    assert str(error_of(Country(), cell)) == message


def test_all_countries() -> None:
    """ISO 3166-1 has 249 countries, of two codes each, but for `NA`; Kosovo makes 250."""
    codes = country_codes()

    assert len(set(codes.values())) == 250
    assert sorted(map(len, codes)) == [2] * 251 + [3] * 250
