"""Rows are read with every error of every row at once."""

from __future__ import annotations

import logging

import pytest

from importers import Case, CaseRef, Column, Importer, Reference
from importers.sdk.errors import ErrorDetail
from tests.importers.fakes import ASSIGN, JACK, MODIFY, OPEN, STAFF, FakeDirectory, read


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


@pytest.mark.parametrize(
    ("cells", "code", "message"),
    [
        pytest.param(
            "trv-001,jack-001,,staff", "TOO_FEW_CELLS",
            "The row has 4 cells, the header 5: a delimiter is missing.", id="too few",
        ),
        pytest.param(
            "trv-001,jack-001,,staff,0,1", "TOO_MANY_CELLS",
            "The row has 6 cells, the header 5: is there a delimiter in a text that has no quotes"
            " around it?", id="too many",
        ),
    ],
)  # fmt: skip
def test_wrong_number_of_cells(cells: str, code: str, message: str) -> None:
    """A row with too many or too few cells fails as a row, and the others don't."""
    good, bad = read(ASSIGN, "trv-001,jack-001,,staff,0", cells)

    assert bad.errors == [ErrorDetail(code=code, message=message)]
    assert list(good.errors) == []


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
