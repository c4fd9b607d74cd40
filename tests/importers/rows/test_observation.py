"""What cells show of how to read others counts for the whole file, wherever they stand."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Self

import pytest

from importers import Column, Date, Importer, RowError, Unchanged
from importers.rows.layout import layout_of, with_knowledge
from importers.rows.observation import observe, observing_positions
from importers.sdk.cell_note import Holds, with_note
from importers.testing import run_importer
from tests.importers.engine_fixture import Counts, EngineFixture, Result
from tests.importers.fakes import layout

OPENED = "date_opened"
DAY_FIRST = [
    "dmy-001,1,13/02/2026,can only be day first",
    "dmy-002,1,25/12/2025,can only be day first",
    "dmy-003,1,03/04/2026,3 April",
    "dmy-004,1,11/12/2025,11 December",
    "dmy-005,1,2026-01-31,certain",
    "dmy-006,1,07/07/2026,7 July",
]


class Rooms(Importer):
    """Has a column of its own that learns from the file: one lift makes all floors European."""

    class Floor(Column[str]):
        """A floor; the ground floor has the number 0 if there is one."""

        base = 1

        def parse(self, text: str) -> str:
            """Name the floor above the ground."""
            if not text.isdigit():
                raise RowError(None, "NO_FLOOR", "is no floor.")
            return f"{int(text) - self.base} above the ground"

        def observe(self, cells: Collection[str]) -> Collection[str]:
            """Look for the ground floor."""
            return ["european"] if "0" in cells else []

        def knowing(self, known: Collection[str]) -> Self:
            """Count from zero."""
            column = type(self)()
            column.base = 0 if "european" in known else 1
            return column

    label = "Rooms"
    floor = Floor(required=True, example="1")
    day = Date()

    def change(self, row: Any) -> Unchanged:
        """Say which floor it is."""
        return Unchanged(row.floor)


def test_what_is_observed() -> None:
    """Each observing column that the file has sees its cells, also beside short rows."""
    importer = Rooms("rooms")
    found: dict[str, set[str]] = {}
    where = layout_of(["day", "floor"], importer)
    observe(importer, where, [["31/01/2026", "2"], ["x"], []], found)
    observe(importer, layout_of(["floor"], importer), [["1"], ["0"]], found)

    assert observing_positions(importer, where) == [1, 0]
    assert found == {"day": {"day first"}, "floor": {"european"}}


def test_knowing_columns() -> None:
    """Each column gets what it has shown, and what the upload declares of all."""
    importer = Rooms("rooms")
    where = with_knowledge(layout(importer), importer, {"floor": ["european"]}, "DMY")
    columns = where.columns(importer)

    assert columns["floor"].read("0") == "0 above the ground"
    assert str(columns["day"].read("03/04/2026")) == "2026-04-03"
    assert layout(importer).columns(importer) == Rooms.columns


def test_a_column_of_a_plugin() -> None:
    """Tests of plugins run as the engine does: the last cell says how to read the first one."""
    found = run_importer(Rooms, "floor\n2\n1\n0\n")

    assert [row["message"] for row in found] == [
        "2 above the ground", "1 above the ground", "0 above the ground",
    ]  # fmt: skip
    assert run_importer(Rooms, "floor\n2\n")[0]["message"] == "1 above the ground"


@pytest.fixture(params=["one chunk", "several"])
def engine(request: pytest.FixtureRequest, world: EngineFixture) -> EngineFixture:
    """An engine whose chunks hold all rows of a file, or two."""
    return world if request.param == "one chunk" else world.with_engine(chunk_rows=2)


async def test_days_first(engine: EngineFixture) -> None:
    """In a column that has its days first no cell is read with the month first by a guess."""
    import_id = await engine.run("add-cases", *DAY_FIRST)
    errors = await engine.errors(import_id)

    assert await engine.results(import_id) == {
        2: Result("FAILED", codes=("INVALID_DATE",)),
        3: Result("FAILED", codes=("INVALID_DATE",)),
        4: Result("FAILED", codes=("AMBIGUOUS_DATE",)),
        5: Result("FAILED", codes=("AMBIGUOUS_DATE",)),
        6: Result("CREATED"),
        7: Result("CREATED"),
    }
    assert [errors[row][0]["suggestion"] for row in (2, 3, 4)] == ["2026-02-13", "2025-12-25", None]
    assert "2026-04-03 or 2026-03-04" in errors[4][0]["message"]


async def test_the_cell_that_shows_it_comes_last(engine: EngineFixture) -> None:
    """A cell near the end of the file counts for those at its beginning, early failures too."""
    rows = [*reversed(DAY_FIRST[2:]), "wrong tag,1,03/04/2026,x", *DAY_FIRST[:1]]
    import_id = await engine.run("add-cases", *rows)
    results = await engine.results(import_id)

    assert results[4].codes == results[5].codes == ("AMBIGUOUS_DATE",)
    assert results[6].codes == ("INVALID_TAG", "AMBIGUOUS_DATE")


async def test_a_declared_order(engine: EngineFixture) -> None:
    """The order that an upload declares reads every day."""
    import_id = await engine.run("add-cases", *DAY_FIRST, date_order="DMY")
    days = await engine.fetch(
        "SELECT date_opened::text FROM cases WHERE tag_id LIKE 'dmy-%' ORDER BY tag_id"
    )

    assert await engine.counts(import_id) == Counts("PROCESSED", 6, 6, 0, 0, 6, 0, 0, 0)
    assert [row[0] for row in days] == [
        "2026-02-13", "2025-12-25", "2026-04-03", "2025-12-11", "2026-01-31", "2026-07-07",
    ]  # fmt: skip


async def test_a_retry_knows_it_as_well(engine: EngineFixture) -> None:
    """What the file has shown is kept for a retry of single rows."""
    import_id = await engine.run("add-cases", *DAY_FIRST)
    await engine.retry(import_id, {4: {}, 5: {OPENED: "2025-12-11"}})
    observed = await engine.fetchrow("SELECT observed FROM imports WHERE id = $1", import_id)

    assert json.loads(observed[0]) == {OPENED: ["day first", "either order"]}
    assert (await engine.results(import_id))[4].codes == ("AMBIGUOUS_DATE",)
    assert (await engine.results(import_id))[5] == Result("CREATED")


@pytest.mark.parametrize("order", [None, "DMY"])
@pytest.mark.parametrize(
    ("texts", "is_doubtful"),
    [
        (["31/01/2026", "25/12/2025"], True),
        (["01/31/2026"], True),
        (["31/01/2026", "01/31/2026"], True),
        # As texts because the cells are texts, whatever is in them.
        (["31/01/2026", "03/04/2026"], False),
        (["2026-01-31", "31 January 2026"], False),
        ([], False),
    ],
)
def test_days_of_a_spreadsheet_with_another_order(
    texts: list[str], is_doubtful: bool, order: str | None
) -> None:
    """A spreadsheet that opens a file of another country makes days of those that it can read, in
    its own order, and leaves the others as texts."""
    importer = Rooms("rooms")
    found: dict[str, set[str]] = {}
    cells = [with_note("5/1/2026", Holds.DATE, "2026-05-01"), *texts]
    observe(importer, layout_of(["day", "floor"], importer), [[cell, "2"] for cell in cells], found)
    column = with_knowledge(layout(importer), importer, found, order).columns(importer)["day"]

    for certain in ("2026-05-13", "2026-05-05"):
        assert str(column.read(with_note("x", Holds.DATE, certain))) == certain
    if is_doubtful:
        with pytest.raises(RowError, match="which may have been 2026-01-05:") as refused:
            column.read(cells[0])
        assert refused.value.code == "SPREADSHEET_DAMAGE"
    else:
        assert str(column.read(cells[0])) == "2026-05-01"


async def test_months_first(engine: EngineFixture) -> None:
    """Without such a cell, days are read with the month first."""
    import_id = await engine.run("add-cases", *DAY_FIRST[2:])

    assert (await engine.counts(import_id)).created == 4


class Failing(Rooms):
    """Fails as it looks at a file."""

    class Shaky(Rooms.Floor):
        """Fails."""

        def observe(self, cells: Collection[str]) -> Collection[str]:
            """Fail."""
            raise ZeroDivisionError

    floor = Shaky(required=True)


async def test_a_column_that_fails(world: EngineFixture, caplog: pytest.LogCaptureFixture) -> None:
    """A file that a plugin's column can't look at is refused: its cells might be read wrongly."""
    engine = world.with_engine(failing=Failing("failing"))
    import_id = await engine.run("failing", "1", header="floor")
    errors = await engine.fetchrow("SELECT status, errors FROM imports WHERE id = $1", import_id)

    assert errors[0] == "FAILED"
    assert [error["code"] for error in json.loads(errors[1])] == ["IMPORTER_ERROR"]
    assert "ZeroDivisionError" in caplog.text
