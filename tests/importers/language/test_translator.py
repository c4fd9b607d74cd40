"""Everything that is said, in one language."""

from __future__ import annotations

from typing import Any

import pytest

from importers import Column, RowError
from importers.conformance.hostile import HOSTILE
from importers.language.catalogue import OTHERS
from importers.language.message import Messages
from importers.language.translator import own_translators
from importers.sdk.cell_note import Holds, with_note
from importers.sdk.errors import ErrorDetail
from tests.importers.sdk.test_column_kinds import KINDS

# What spreadsheets hold, and what people write in other forms than a column reads.
OF_SPREADSHEETS = [with_note("1.23457E+14", each, "123456789012345678") for each in Holds]
ODD = [
    "5-Jan", "1/5", "13/02/2026", "31.12.26", "20260131", "45000", "1E+05", "2026-07-04 09:30",
    "NULL", "n/a", "en_US", "english", "Eastern Standard Time", "a@b@c", "a@x.com;b@x.com",
    "jo@example", "#REF!", "TRUE", "perhaps", "a b", "0031", "12,5", "1.234,56", "-1", "€",
]  # fmt: skip


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("column", KINDS.values(), ids=lambda each: type(each).__name__)
def test_messages_of_columns(column: Column[Any], language: str) -> None:
    """Whatever is in a cell, what its column says of it has a translation.

    If it has none: write the template into `messages.po`, with the error's code as its context.
    """
    translator = own_translators()[language]
    unknown = set()
    for cell in ["", *HOSTILE, *ODD, *OF_SPREADSHEETS]:
        try:
            column.read(cell)
        except RowError as error:
            detail = ErrorDetail(
                code=error.code,
                message=f"Some Label: {error.message}",
                suggestion=error.suggestion,
                params=error.params,
            )
            if not translator.knows(detail.as_dict()):
                unknown.add((error.code, error.message[:200]))

    assert unknown == set()


def test_each_message_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that many rows have is translated once, and in English nothing is done at all."""
    asked = []
    translate = Messages.translate

    def count(self: Messages, code: str, message: str, values: Any) -> str | None:
        asked.append(message)
        return translate(self, code, message, values)

    monkeypatch.setattr(Messages, "translate", count)
    error = {"code": "REQUIRED", "message": "Once: is required."}

    assert own_translators()["en"].error(error) is error["message"]
    assert [own_translators()["es"].error(error) for _ in range(3)] == ["Once: es obligatorio."] * 3
    assert asked == ["Once: is required."]


def test_values_in_messages() -> None:
    """Where values are known, what is in them is never taken for a part of the message."""
    text = "x'; did you mean 'y"
    detail = ErrorDetail.of(
        "NOT_FOUND", "Case Id: no {noun} has the Tag ID or ID '{text}'.", noun="case", text=text
    )

    assert own_translators()["es"].error(detail.as_dict()) == (
        f"Case Id: ningún caso tiene el Tag ID o ID '{text}'."
    )


@pytest.mark.parametrize("braces", ["{", "}", "{0}", "{text}", "{text!r}", "{x.__class__}"])
def test_braces_in_values(braces: str) -> None:
    """Braces in what an admin has written stay braces, with params and without."""
    message = f"Case Id: no case has the Tag ID or ID '{braces}'."
    spanish = f"Case Id: ningún caso tiene el Tag ID o ID '{braces}'."
    error = {"code": "NOT_FOUND", "message": message}

    assert own_translators()["es"].error(error) == spanish
    assert own_translators()["es"].error({**error, "params": {"text": braces}}) == spanish
