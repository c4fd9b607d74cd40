"""Rows are read with every error of every row at once."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from importers import Case, CaseRef, Column, Flag, Importer, Reference, RowError
from importers.rows.cell_reader import ReadRow, read_rows
from importers.sdk.errors import ErrorDetail
from tests.importers.fakes import ASSIGN, JACK, MODIFY, OPEN, STAFF, FakeDirectory, layout, read

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from importers.sdk.directory import Directory


def test_all_errors_of_a_row_in_the_order_of_the_columns() -> None:
    """Each wrong cell is reported, none hides another."""
    (row,) = read(ASSIGN, "trv-01,,7,boss,maybe")

    assert [(error.column, error.code, error.value) for error in row.errors] == [
        ("case_id", "NOT_FOUND", "trv-01"),
        ("user_id", "REQUIRED", ""),
        ("case_role_order", "NOT_BLANK", "7"),
        ("case_role_id", "INVALID_CHOICE", "boss"),
        ("case_notify", "INVALID_FLAG", "maybe"),
    ]
    assert [error.message for error in row.errors][1:3] == [
        "User Id: is required.",
        "Case Role Order: leave this cell blank.",
    ]


def test_values_of_a_good_row() -> None:
    """A row without errors has one value a column, in the order of the importer's columns."""
    (row,) = read(ASSIGN, "trv-001, jack-001 ,,role::staff,YES")

    assert tuple(row.values) == (OPEN, JACK, None, STAFF, True)


def test_columns_in_another_order() -> None:
    """The layout says where a column is; what the importer does not know is skipped."""
    names = ("case_role_id", "row", "user_id", "case_id")
    (row,) = read(ASSIGN, "staff,2,jack-001,trv-001", names=names)

    assert tuple(row.values) == (OPEN, JACK, None, STAFF, False)


def test_a_column_that_the_file_lacks_is_blank() -> None:
    """An optional column that is not there keeps; a required one is missed in each row."""
    (kept,) = read(MODIFY, "trv-001,jack-001", names=("case_id", "user_id"))
    (missed,) = read(MODIFY, "trv-001", names=("case_id",))

    assert tuple(kept.values) == (OPEN, JACK, None, None, None)
    assert missed.errors == [
        ErrorDetail(code="REQUIRED", message="User Id: is required.", column="user_id")
    ]


def test_too_many_cells() -> None:
    """A row with too many cells fails as a row, and the others don't."""
    good, bad = read(ASSIGN, "trv-001,jack-001,,staff,0", "trv-001,jack-001,,staff,0,1")
    message = (
        "The row has 6 cells, the header 5: is there a delimiter in a text that has no quotes"
        " around it?"
    )

    assert bad.errors == [ErrorDetail(code="TOO_MANY_CELLS", message=message)]
    assert list(good.errors) == []


@pytest.mark.parametrize(
    "cells", ["trv-001,jack-001,,staff", "trv-001,jack-001,,staff,,", "trv-001,jack-001,,staff,, ,"]
)
def test_blank_cells_at_the_end(cells: str) -> None:
    """Programs leave blank cells out at a row's end, or add some: neither is wrong."""
    (row,) = read(ASSIGN, cells)

    assert list(row.errors) == []
    assert tuple(row.values) == (OPEN, JACK, None, STAFF, False)


def test_a_row_that_ends_early() -> None:
    """A required cell that a short row lacks is missed, and the message says that it ends."""
    one, two = read(ASSIGN, "trv-001", "trv-001,jack-001,")

    assert [(error.column, error.code, error.message, error.value) for error in one.errors] == [
        (
            "user_id", "REQUIRED",
            "User Id: is required, and the row ends before it, after 1 cell.", None,
        ),
        (
            "case_role_id", "REQUIRED",
            "Case Role Id: is required, and the row ends before it, after 1 cell.", None,
        ),
    ]  # fmt: skip
    assert [error.message for error in two.errors] == [
        "Case Role Id: is required, and the row ends before it, after 3 cells."
    ]


@pytest.mark.parametrize("cell", ["trv-001,jack-001,,staff,0", "trv-001;jack-001;;staff;0"])
def test_a_row_that_is_one_cell(cell: str) -> None:
    """A row that is one cell with delimiters in it is in quotes, or has other delimiters."""
    row = ReadRow(2, [cell])
    asyncio.run(read_rows(ASSIGN, layout(ASSIGN), [row], FakeDirectory()))

    assert row.errors == [
        ErrorDetail(
            code="BAD_QUOTING",
            message="The row is a single cell that holds several values. Separate them as the "
            "header's names are; if one pair of quotes is round the row as a whole, take it away, "
            "and halve the quotes within.",
        )
    ]


def test_optional_cells_alone() -> None:
    """A row without any required cell, as one below a table, has one error, not one for each."""
    (row,) = read(ASSIGN, ",,,,maybe")

    assert row.errors == [
        ErrorDetail(
            code="REQUIRED",
            message="The row has no Case Id, User Id, Case Role Id; fill them in, or delete the "
            "rest of the row.",
        )
    ]


class Quoting(Column[str]):
    """Quotes the cell in its message as it is."""

    def parse(self, text: str) -> str:
        """Refuse it."""
        raise RowError(None, "NO", f"'{text}' is no desk.")


def test_invisible_letters() -> None:
    """Messages of plugins show invisible letters, too; the value stays the cell's."""
    (row,) = read(type("Odd", (Importer,), {"odd": Quoting()})("odd"), "2\u200b14")
    (error,) = row.errors

    assert error.message == "Odd: '2[U+200B]14' is no desk."
    assert error.value == "2\u200b14"


def test_values_are_shortened() -> None:
    """The cell that an error shows is cut to 100 characters."""
    (row,) = read(ASSIGN, f"trv-001,jack-001,{'x' * 20_000},staff,0")
    (error,) = row.errors

    assert error.code == "TOO_LONG"
    assert error.value == "x" * 99 + "…"


class Fragile(Column[int]):
    """Parses with a bug: it raises what it should not."""

    def parse(self, text: str) -> int:
        """Turn the text into a number, or fail in Python's way."""
        return int(text)


class Lost(Reference[str]):
    """A look-up that does not work."""

    async def resolve(self, directory: object, keys: object) -> dict[str, str]:
        """Fail."""
        raise LookupError("the list is gone")


class Forgetful(Reference[str]):
    """A look-up that finds nothing and does not say so for each key."""

    async def resolve(self, directory: object, keys: object) -> dict[str, str]:
        """Find nothing."""
        return {}

    async def unknown(self, directory: object, keys: object) -> dict[str, Exception]:
        """Say nothing."""
        return {}


class Grumpy(CaseRef):
    """Fails where it should refuse."""

    def refusal(self, value: Case) -> None:
        """Fail."""
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        pytest.param(Fragile(), "twelve", id="parse"),
        pytest.param(Lost(), "x", id="resolve"),
        pytest.param(Forgetful(), "x", id="unknown"),
    ],
)
def test_a_column_that_fails_fails_its_rows(
    column: Column[object], cell: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception in a third party's column is an error of the rows with that cell; the log has
    the details, and rows that leave the cell blank are not concerned."""
    importer = type("Odd", (Importer,), {"odd": column})("odd-one")
    with caplog.at_level(logging.ERROR):
        bad, good = read(importer, cell, "")

    assert bad.errors == [
        ErrorDetail(
            code="IMPORTER_ERROR",
            message="Odd: the importer failed on this cell; the worker's log says why.",
            column="odd",
            value=cell,
        )
    ]
    assert list(good.errors) == []
    assert "odd" in caplog.text
    assert "Traceback" in caplog.text


def test_a_refusal_that_fails_fails_its_row() -> None:
    """An exception while a column says why something can't be used is that row's error."""
    importer = type("Odd", (Importer,), {"odd": Grumpy(), "size": Fragile()})("odd-one")
    (row,) = read(importer, "trv-001,x")

    assert [(error.column, error.code) for error in row.errors] == [
        ("odd", "IMPORTER_ERROR"),
        ("size", "IMPORTER_ERROR"),
    ]


def test_unknown_columns_are_not_looked_up() -> None:
    """A file of other columns asks the directory nothing."""
    directory = FakeDirectory()
    read(ASSIGN, "1,2", names=("row", "errors"), directory=directory)

    assert directory.asked == []


class _Code(str):
    """What a plugin's own look-up finds in place of a case."""


class _CodeRef(CaseRef):
    async def resolve(self, directory: Directory, keys: Collection[str]) -> Mapping[str, Case]:
        return {key: _Code(key) for key in keys}  # type: ignore[misc]

    def refusal(self, value: Case) -> RowError | None:
        return RowError(None, "LOCKED", "is locked.") if value == "b" else None


def test_refusals_of_a_look_up_of_ones_own() -> None:
    """A plugin's `refusal` is asked about what its `resolve` has found, in rows that fail."""

    class Desk(Importer):
        code = _CodeRef(required=True)
        notify = Flag()

    rows = read(Desk(), "a,what", "b,what", "b,1")

    assert [[error.code for error in row.errors] for row in rows] == [
        ["INVALID_FLAG"],
        ["LOCKED", "INVALID_FLAG"],
        [],
    ]


def test_a_look_up_of_ones_own_without_cases() -> None:
    """Where `CaseRef` can't tell whether what was found is open, its rows fail, not the chunk."""

    class Found(CaseRef):
        resolve = _CodeRef.resolve

    class Desk(Importer):
        code = Found(required=True, must_be_open=True)
        notify = Flag()

    (row,) = read(Desk(), "a,what")

    assert [error.code for error in row.errors] == ["IMPORTER_ERROR", "INVALID_FLAG"]
