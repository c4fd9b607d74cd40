"""Choices are several words of a list."""

from __future__ import annotations

import re

import pytest

from importers import Choices
from importers.sdk.errors import ConfigError
from tests.importers.sdk.ready_columns.read_cell import error_of, key_of

COLUMN = Choices("en", "de", "fr")


@pytest.mark.parametrize("cell", ["fr;en", "en, fr", "fr | en", "en;;fr;", " fr ;\u00a0en"])
def test_choices(cell: str) -> None:
    """The value has the words in the order of the list, however the cell writes them."""
    assert COLUMN.read(cell) == ("en", "fr")
    assert key_of(COLUMN, cell) == "en;fr"


def test_what_words_hold_separates_none() -> None:
    """A comma within a word is a part of it."""
    column = Choices("Law, civil", "Tax")

    assert column.read("Tax; Law, civil") == ("Law, civil", "Tax")
    assert column.read("Law, civil") == ("Law, civil",)
    assert error_of(column, "Tax, Law, civil").code == "INVALID_CHOICE"


@pytest.mark.parametrize(
    ("cell", "code", "message"),
    [
        ("en;xx", "INVALID_CHOICE", "there is no 'xx'; use any of en, de, fr."),
        ("enn;de", "INVALID_CHOICE", "there is no 'enn'; did you mean 'en; de'?"),
        ("EN", "INVALID_CHOICE", "there is no 'EN'; did you mean 'en'?"),
        ("enn;xx", "INVALID_CHOICE", "there is no 'enn'; use any of en, de, fr."),
        ("en;enn", "INVALID_CHOICE", "there is no 'enn'; use any of en, de, fr."),
        (";", "INVALID_CHOICE", "there is no ';'; use any of en, de, fr."),
        ("en;de;en", "DUPLICATE_CHOICE", "has 'en' twice; write each of them once."),
    ],
)
def test_no_choices(cell: str, code: str, message: str) -> None:
    """An error names the word at fault, and suggests the whole cell."""
    error = error_of(COLUMN, cell)

    assert (error.code, str(error)) == (code, message)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "the list of choices is empty: name one at least"),
        (("a", "b", "a"), "the choice 'a' is there twice"),
        (("a ",), "the choice 'a ' is no text that a cell can hold, since cells are trimmed"),
        (("a;b", "c,d", "e|f"), "the choices have ';', ',' and '|' within them, and one has to"
         " separate them"),
    ],
)  # fmt: skip
def test_lists_that_cant_be(words: tuple[str, ...], problem: str) -> None:
    """A list that cells can't choose from is a broken plugin."""
    with pytest.raises(ConfigError, match=re.escape(problem)):
        Choices(*words)
