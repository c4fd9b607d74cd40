"""Rows, with their errors at their cells."""

from __future__ import annotations

from typing import Any

import pytest

from api.console.pages.importing.rows import RowFilters, columns_of, show_row


def row(*cells: tuple[str, str], **values: Any) -> dict[str, Any]:
    given = {"number": 2, "status": "FAILED", "outcome": None, "message": None, "warnings": []}
    listed = [{"column": column, "value": value} for column, value in cells]
    return {"cells": listed, "errors": [], **given, **values}


def test_errors_at_cells() -> None:
    """An error stands at its cell, however the header writes the column; others at the row."""
    errors = [
        {"column": "case_id", "message": "one"},
        {"column": None, "message": "two"},
        {"column": "case_role_id", "message": "three"},
    ]
    shown = show_row(row(("Case ID", "x"), ("user_id", "y"), ("", "z"), errors=errors))

    assert [[error["message"] for error in errors] for _, _, errors in shown.cells] == [
        ["one"],
        [],
        [],
    ]
    assert [error["message"] for error in shown.errors] == ["two", "three"]


def test_result() -> None:
    """A passed row has an outcome; the others have their status."""
    passed = show_row(row(status="PASSED", outcome="CREATED"))

    assert (passed.result, show_row(row()).result) == ("CREATED", "FAILED")


def test_columns() -> None:
    """The columns are those of the widest row."""
    rows = [show_row(row(("a", ""))), show_row(row(("a", ""), ("", "")))]

    assert columns_of(rows) == ["a", ""]
    assert columns_of([]) == []


@pytest.mark.parametrize(
    ("result", "status", "outcome"),
    [
        (None, None, None),
        ("CREATED", None, ["CREATED"]),
        ("FAILED", ["FAILED"], None),
        ("CANCELLED", ["CANCELLED"], None),
    ],
)
def test_variables(result: str | None, status: list[str] | None, outcome: list[str] | None) -> None:
    """A result is an outcome of passed rows, or a status of others."""
    variables = RowFilters(result, None, None, None, None).variables()

    assert (variables["status"], variables["outcome"]) == (status, outcome)
