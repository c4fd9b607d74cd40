"""Failed rows under the columns of their file."""

from __future__ import annotations

from typing import Any

from api.console.pages.problems.failed_rows import failed_row, file_columns, find_column

HEADER = ["row", "Case ID", "user_id", "errors"]


def an_import(header: list[str] | None = HEADER) -> dict[str, Any]:
    """An import with what the page asks for."""
    columns = [
        {"name": "case_id", "description": "The case.", "choices": None, "names": ["CASE"]},
        {"name": "user_id", "description": "", "choices": None, "names": ["CASE", "USER"]},
    ]
    mapping = [{"header": "Colleague", "column": "user_id"}]
    return {"file": {"header": header}, "type": {"columns": columns}, "columnMapping": mapping}


def a_row(*cells: str, errors: list[dict[str, Any]]) -> dict[str, Any]:
    """A failed row, as the operation has it."""
    return {
        "number": 7,
        "cells": [{"column": "", "value": cell} for cell in cells],
        "errors": errors,
    }


def test_columns() -> None:
    """Columns are named as in the file; those that our downloads add are left out."""
    columns = file_columns(an_import())

    assert [(each.place, each.header, each.name, each.names) for each in columns] == [
        (1, "Case ID", "case_id", "case"),
        (2, "user_id", "user_id", "case user"),
    ]


def test_columns_of_a_type_that_has_gone() -> None:
    """Without its type, a file's columns have their names."""
    columns = file_columns(an_import(["case_id"]) | {"type": {"columns": []}})

    assert [(each.header, each.description) for each in columns] == [("case_id", "")]


def test_mapped_column() -> None:
    """An error finds a column by its own name, or by that of the type's column."""
    columns = file_columns(an_import(["Case ID", "colleague"]))
    found = [find_column(columns, name) for name in ("colleague", "user_id", "zoneinfo", None)]

    assert columns[1].names == "case user"
    assert found == [columns[1], columns[1], None, None]


def test_no_header() -> None:
    """A file that was not read has no columns."""
    assert file_columns(an_import(None)) == []


def test_errors_stand_at_their_cells() -> None:
    """An error of a column that the file has not is one of the row."""
    at_cell = {"column": "user_id", "code": "NOT_FOUND"}
    at_row = {"column": None, "code": "NOT_ASSIGNED"}
    elsewhere = {"column": "zoneinfo", "code": "REQUIRED"}
    row = failed_row(
        a_row("2", "trv-001", "x", "", errors=[at_cell, at_row, elsewhere]),
        file_columns(an_import()),
        4,
    )

    assert [list(cell.errors) for cell in row.cells] == [[], [at_cell]]
    assert row.errors == [at_row, elsewhere]
    assert row.first_bad is row.cells[1]
    assert not row.is_too_long


def test_short_and_long_rows() -> None:
    """Cells that a row lacks are blank; that it has too many is known."""
    columns = file_columns(an_import())
    short = failed_row(a_row("2", "trv-001", errors=[]), columns, 4)
    long = failed_row(a_row("2", "a", "b", "", "c", errors=[]), columns, 4)

    assert [cell.text for cell in short.cells] == ["trv-001", ""]
    assert short.first_bad is short.cells[0]
    assert not short.is_too_long
    assert long.is_too_long


def test_letters_that_can_t_be_seen() -> None:
    """A text with such letters is there twice: as it is shown, and as it is."""
    row = failed_row(a_row("2", "a\u200b", "b", "", errors=[]), file_columns(an_import()), 4)

    assert [cell.hidden for cell in row.cells] == ["a\u200b", None]
