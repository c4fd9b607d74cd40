"""Rows that do not fit the header fail as rows."""

from __future__ import annotations

import asyncio

import pytest

from importers.builtin.add_cases import AddCases
from importers.rows.cell_reader import ReadRow, read_rows
from importers.rows.layout import layout_of
from importers.rows.misfit import may_repeat_header, misfit
from tests.importers.fakes import FakeDirectory

HEADER = ["tag_id", "About"]


@pytest.mark.parametrize(
    "cells",
    [
        ["tag_id", "About"],
        ["\ufefftag_id", "About"],
        [" TAG-ID", "About "],
        ["tag_id", "About", "", ""],
    ],
)
def test_the_header_again(cells: list[str]) -> None:
    """Where files were joined, the header of each is there, perhaps with a byte order mark."""
    error = misfit(cells, HEADER, 2)

    assert error
    assert (error.code, error.message) == (
        "REPEATED_HEADER",
        "The row repeats the header, as where files were joined; delete it.",
    )


@pytest.mark.parametrize(
    "cells", [["tag_id", "x"], ["x", "About"], ["About"], ["About", "tag_id"], [], ["", ""]]
)
def test_not_the_header(cells: list[str]) -> None:
    """One cell of it is none, and neither are its names in another order."""
    assert misfit(cells, HEADER, 2) is None


def test_at_once() -> None:
    """One look at the last cells tells that the header is not among many rows."""
    rows = [["a", "b"], ["About", "c"]]

    assert not may_repeat_header(rows, HEADER)
    assert not may_repeat_header(rows, [])
    assert may_repeat_header([*rows, ["tag_id", " About"]], HEADER)


def test_no_case_is_called_tag_id() -> None:
    """The header could be a case: its Tag ID would be permanent."""
    importer = AddCases("add-cases")
    rows = [ReadRow(2, ["trv-1", "one"]), ReadRow(3, HEADER), ReadRow(4, ["trv-2", "two"])]
    asyncio.run(read_rows(importer, layout_of(HEADER, importer), rows, FakeDirectory()))

    assert [[error.code for error in row.errors] for row in rows] == [[], ["REPEATED_HEADER"], []]
    assert rows[2].values[0] == "trv-2"
