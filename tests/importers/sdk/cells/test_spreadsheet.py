"""What spreadsheets make of what was typed is recognised, in many languages."""

from __future__ import annotations

import pytest

from importers.sdk.cells.spreadsheet import (
    damaged,
    damaged_tag,
    formula_error,
    is_error_value,
)

ENDING = "; correct the formula, or type the value in its place."


@pytest.mark.parametrize(
    "text",
    [
        "#N/A", "#REF!", "#DIV/0!", "#NAME?", "#VALUE!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!",
        "#ERROR!", "#FIELD!", "#GETTING_DATA", "#NV", "#BEZUG!", "#WERT!", "#ZAHL!", "#VALEUR!",
        "#NOM?", "#¡REF!", "#¿NOMBRE?", "#¡DIV/0!", "#N/D", "#RIF!", "#Н/Д", "#ССЫЛКА!", "#YOK",  # noqa: RUF001
        "#ÜBERLAUF!", "#DĚLENÍ_NULOU!", "Err:502",
    ],
)  # fmt: skip
def test_error_values(text: str) -> None:
    """Error values are known by their form."""
    assert is_error_value(text)


@pytest.mark.parametrize(
    "text", ["#1 fan!", "#12", "# REF!", "#wow!", "N/A", "#", "#A-1", "REF!", "Err: 502", "#1!"]
)
def test_no_error_values(text: str) -> None:
    """A text that merely begins with # is none."""
    assert not is_error_value(text)


@pytest.mark.parametrize(
    ("shown", "cause"),
    [
        ("#N/A", "a look-up found nothing"),
        ("#NV", "a look-up found nothing"),
        ("#REF!", "its formula refers to cells that are gone"),
        ("#BEZUG!", "its formula refers to cells that are gone"),
        ("#DIV/0!", "its formula divides by zero, or by a blank cell"),
        ("#¡DIV/0!", "its formula divides by zero, or by a blank cell"),
        ("#NAME?", "its formula has a name that the spreadsheet does not know; a text that begins"
         " with =, + or - is taken for a formula"),
        ("#SPILL!", "the cells that its result needs are not empty"),
        ("#WERT!", "its formula has failed"),
    ],
)  # fmt: skip
def test_the_advice_fits(shown: str, cause: str) -> None:
    """The message says what is known of the cause."""
    error = formula_error(shown)

    assert error.code == "FORMULA_ERROR"
    assert error.message == f"shows the error '{shown}': {cause}{ENDING}"


@pytest.mark.parametrize(
    "text",
    [
        "05-mai", "1-ene", "5-Okt", "05-janv", "5-août", "12-set", "05-gen", "05-дек", "5-Oca",
        "mai-26", "05. Okt", "5/jan/2026", "1,23457E+14", "05.01.26", "29/2/00", "12.31.1999",
        "1.2345678E7", "1e-07", "Jan-26", "april-2026",
    ],
)  # fmt: skip
def test_damage_in_any_language(text: str) -> None:
    """Days with the names of months, and numbers with a comma, are damage."""
    assert damaged(text)
    assert damaged_tag(text)


@pytest.mark.parametrize(
    "text",
    [
        "1/5",
        "31/12",
        "2026-01-31",
        "2026/1/31",
        "2026-01-31T10:00:00",
        "31-01-2026",
        "TRUE",
        "WAHR",
        "VRAI",
        "FALSO",
    ],
)
def test_damage_of_new_tags(text: str) -> None:
    """What may be a stored Tag ID, or near one, is no new one."""
    assert damaged(text) is None
    assert damaged_tag(text)


@pytest.mark.parametrize(
    "text",
    [
        "trv-001",
        "out-001",
        "set-001",
        "12-abc",
        "abc-12",
        "2026/trv-001",
        "13/32",
        "0/5",
        "2026-13-01",
        "2026-001",
        "true",
        "A-1",
        "007",
        "1-5",
        "01-02-03",
        "12345",
        "mai",
        "E10",
        "jan-001",
        "May-001",
        "june-002",
        "april-123",
        "12345e67",
        "7E4",
        "12/34/567",
        "45/67/89",
        "30/30/2026",
        "1/2/345",
    ],
)
def test_no_damage(text: str) -> None:
    """Tag IDs that merely resemble such forms are none."""
    assert damaged_tag(text) is None
