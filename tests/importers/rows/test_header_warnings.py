"""A header that fits may have columns that are passed over, and says so."""

from __future__ import annotations

import pytest

from importers import Column, Importer
from importers.rows.header_mapping import HeaderMapping
from importers.rows.header_warnings import header_warnings


class Open(Importer):
    label = "Open"
    other_columns = "ignore"
    case_notify = Column[str](header=("Notify", "Mail"))


@pytest.mark.parametrize(
    ("header", "messages"),
    [
        pytest.param("Notify,row,errors", [], id="nothing"),
        pytest.param(
            "mail,Fax,Fax",
            ["*Open* has no such columns, so they were passed over: 'Fax'."],
            id="an alias of a column, and another column twice",
        ),
        pytest.param(
            "Notfy",
            [
                "*Open* has no such columns, so they were passed over: 'Notfy'.",
                "The column 'Notfy' was passed over; did you mean 'notify'?",
            ],
            id="a slip of the hand",
        ),
        pytest.param(
            "Notify,Notes,Fax",
            [
                "The columns 'Notes' were passed over, as the upload has asked.",
                "*Open* has no such columns, so they were passed over: 'Fax'.",
            ],
            id="also those that the upload names",
        ),
    ],
)
def test_warnings(header: str, messages: list[str]) -> None:
    """Each column is named once; what may have been meant has a sentence of its own."""
    mapping = HeaderMapping(ignored=["Notes"] if "Notes" in header else [])

    found = header_warnings(header.split(","), Open("open"), mapping)

    assert [each.message for each in found] == messages
    assert {each.code for each in found} <= {"IGNORED_COLUMNS"}


def test_a_type_that_refuses_others() -> None:
    """It passes over what the upload names alone."""

    class Closed(Open):
        other_columns = "refuse"

    assert header_warnings(["Fax"], Closed("closed"), HeaderMapping()) == []
