"""Names of columns that can't work are refused as the plugin is loaded, with a remedy."""

from __future__ import annotations

from typing import Any

import pytest

from importers import AssignmentOf, CaseRef, Column, Importer, UserRef
from importers.plugins.column_names import name_problems


def importer_with(**attributes: Any) -> type[Importer]:
    """Make an importer with attributes that a class body might not be able to have."""
    return type("Odd", (Importer,), {"label": "Odd", **attributes})


@pytest.mark.parametrize(
    "name",
    ["from", "class", "None", "columns", "change", "check_chunk", "description", "settings", "key",
     "assignments", "every_row", "sdk", "migrations", "at_worst", "number", "e-mail"],
)  # fmt: skip
def test_attributes(name: str) -> None:
    """Keywords, attributes of importers and of rows: the message says how to have the column."""
    (problem,) = name_problems(importer_with(**{name: Column[str]()}))

    assert problem.startswith(f"a column can't be called '{name}', ")
    assert problem.endswith(f": give it another name, and header='{name}'")


def test_present_assignments_are_attributes_too() -> None:
    """An `AssignmentOf` has the same rules."""
    odd = importer_with(a=CaseRef(), b=UserRef(), description=AssignmentOf("a", "b"))

    assert len(name_problems(odd)) == 1


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"a": Column(header="E-Mail"), "e_mail": Column()},
         "the columns 'a' and 'e_mail' have the same header, 'e_mail'"),
        ({"a": Column(header=("Nr.", "No")), "b": Column(header=("Number", "no"))},
         "the columns 'a' and 'b' have the same header, 'no'"),
        ({"a": Column(header="Errors")},
         "a column can't be called 'Errors': downloads of failed rows have one"),
        ({"a": Column(header=" ")}, "the column 'a' has the header ' ', which is no text"),
        ({"a": Column(header=[5])}, "the column 'a' has the header 5, which is no text"),  # type: ignore[list-item]
        ({"columns": {"a": 5}}, "the column 'a' is no Column, but 5"),
        ({"Note": Column()},
         "a column can't be called 'Note': use small letters, or give it a header"),
    ],
)  # fmt: skip
def test_headers(columns: dict[str, Any], problem: str) -> None:
    """Two columns with one name in files, names of our own columns, and no names at all."""
    assert name_problems(importer_with(**columns)) == [problem]


def test_other_columns() -> None:
    """What becomes of other columns is one of two words."""
    odd = importer_with(a=Column())
    odd.other_columns = "drop"  # type: ignore[assignment]

    assert name_problems(odd) == ["its other_columns is 'drop', neither 'refuse' nor 'ignore'"]


def test_good_names() -> None:
    """With a header, the attribute may have any name that Python allows."""
    good = importer_with(
        from_=Column(header="from"),
        class_=Column(header="Class"),
        Note=Column(header=("Note", "Remark", "note ")),
        count=Column(header="number"),
    )

    assert name_problems(good) == []


class Slip(Importer):
    """Has columns without parentheses, and classes of its own, which are none."""

    label = "Slip"
    case = CaseRef
    note = Column[str]

    class Floor(Column[int]):
        """The number of a floor."""

    floor = Floor()


def test_columns_without_parentheses() -> None:
    """No file would have them, and nothing would say so."""
    assert name_problems(Slip) == [
        "'case' is the class CaseRef, and no column: write CaseRef(…)",
        "'note' is the class Column, and no column: write Column(…)",
    ]
