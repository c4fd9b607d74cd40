"""Failed rows that run again have their new cells."""

from __future__ import annotations

import orjson
import pytest

from importers.rows.layout import Layout
from importers.sdk.cell_note import Holds, with_note
from importers.split.failed_rows import corrected
from models.row import RowResult, RowStatus

LAYOUT = Layout(positions={"case_id": 0, "date_opened": 2}, width=3)
DAY = with_note("04/07/2026", Holds.DATE, "2026-07-04")


def failed(cells: list[str], column: str | None = None) -> RowResult:
    errors = [{"column": column}]
    return RowResult(2, orjson.dumps(cells), RowStatus.FAILED, errors=errors)


@pytest.mark.parametrize(
    ("cells", "new", "expected"),
    [
        pytest.param(["a", "b", "c"], {}, ["a", "b", "c"], id="nothing new"),
        pytest.param(["a"], {}, ["a"], id="too short, nothing new"),
        pytest.param(["a", "b", "c"], {"1": "x"}, ["a", "x", "c"], id="one"),
        pytest.param(["a"], {"2": "x"}, ["a", "", "x"], id="too short, filled up"),
        pytest.param(["a", "b", "c", "d"], {"0": "x"}, ["x", "b", "c", "d"], id="too long"),
        pytest.param(
            ["a", "b", "c", "d", "e"],
            {"0": "x", "1": "b", "2": ""},
            ["x", "b", ""],
            id="too long, the whole row",
        ),
        pytest.param(["a", "b", "c"], {"0": "", "2": ""}, ["", "b", ""], id="made blank"),
        pytest.param(["a", "b", "c"], {"0": "'=1"}, ["'=1", "b", "c"], id="not a guard"),
    ],
)
def test_corrected(cells: list[str], new: dict[str, str], expected: list[str]) -> None:
    """New cells replace old ones by position; a short row grows to the header's width."""
    assert corrected(failed(cells), LAYOUT, new) == expected


@pytest.mark.parametrize(
    ("text", "faulty", "expected"),
    [
        pytest.param("04/07/2026", "case_id", DAY, id="the text that the sheet shows"),
        pytest.param("04/08/2026", "case_id", "04/08/2026", id="another text"),
        pytest.param("04/07/2026", "date_opened", "04/07/2026", id="at an error"),
    ],
)
def test_a_cell_that_holds_more_than_it_shows(text: str, faulty: str, expected: str) -> None:
    """A client that sends a cell back as it was shown does not change it."""
    row = failed(["a", "b", DAY], faulty)

    assert corrected(row, LAYOUT, {"0": "x", "2": text}) == ["x", "b", expected]


def test_a_cell_of_a_column_with_a_name_of_its_own() -> None:
    """The error names the column as the file has it."""
    layout = Layout(positions={"opened": 1}, width=2, header=["Case", "Date opened"])
    row = failed(["a", DAY], "date_opened")

    assert corrected(row, layout, {"0": "x", "1": "04/07/2026"}) == ["x", "04/07/2026"]
