"""An importer that ignores other columns takes files as other programs write them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from importers import Assign, CaseRef, Importer, RoleRef, Row, UserRef
from importers.testing import run_importer
from tests.importers.engine_fixture import Counts, EngineFixture

HEADER = "No,Matter,Person,Office,,rol"


class Report(Importer):
    """Put people on matters, as the report of another program says."""

    label = "Report"
    other_columns = "ignore"

    matter = CaseRef(required=True, help="The matter.", example="trv-001")
    person = UserRef(required=True, help="The person.", example="jack-001")
    role = RoleRef(default="staff", help="A role.")

    def change(self, row: Row) -> Assign:
        return Assign(case=row.matter, user=row.person, role=row.role)


async def remarks(world: EngineFixture, import_id: int) -> list[dict[str, Any]]:
    row = await world.fetchrow("SELECT warnings FROM imports WHERE id = $1", import_id)
    found: list[dict[str, Any]] = json.loads(row["warnings"])
    return found


async def test_a_report(world: EngineFixture) -> None:
    """The import names what it has passed over, and what may have been meant."""
    engine = world.with_engine(report=Report("report"))
    import_id = await engine.run("report", "1,trv-001,jack-001,x,y,z", header=HEADER)
    warnings = await remarks(engine, import_id)

    assert await engine.counts(import_id) == Counts("PROCESSED", 1, 1, 0, 0, 1, 0, 0, 0)
    assert [(each["code"], each["message"], each["suggestion"]) for each in warnings] == [
        (
            "IGNORED_COLUMNS",
            "*Report* has no such columns, so they were passed over: 'No', 'Office', '(no name)', "
            "'rol'.",
            None,
        ),
        ("IGNORED_COLUMNS", "The column 'rol' was passed over; did you mean 'role'?", "role"),
    ]


async def test_a_retry(world: EngineFixture) -> None:
    """A retry reads by the same header, and takes cells by the file's names."""
    engine = world.with_engine(report=Report("report"))
    import_id = await engine.run("report", "1,trv-001,nobody,x,y,z", header=HEADER)
    await engine.retry(import_id, {2: {"Person": "jack-001", "Office": "Bonn"}})

    assert await engine.counts(import_id) == Counts("PROCESSED", 1, 1, 0, 0, 1, 0, 0, 0)


async def test_a_plan(world: EngineFixture) -> None:
    """A plan is applied as its dry run has read the file."""
    engine = world.with_engine(report=Report("report"))
    plan = await engine.run("report", "1,trv-001,jack-001,x,y,z", header=HEADER, is_dry_run=True)

    assert (await engine.counts(await engine.apply_plan(plan))).created == 1


@pytest.mark.parametrize(
    ("header", "codes"),
    [
        pytest.param("matter,office", ["MISSING_COLUMN"], id="a column is missing"),
        pytest.param("matter,person,Matter,x", ["DUPLICATE_COLUMN"], id="a column twice"),
    ],
)
async def test_what_is_refused_all_the_same(
    world: EngineFixture, header: str, codes: list[str]
) -> None:
    """The columns of the type have the rules of any type."""
    engine = world.with_engine(report=Report("report"))
    import_id = await engine.run("report", "trv-001,jack-001,a,b", header=header)
    row = await engine.fetchrow("SELECT errors FROM imports WHERE id = $1", import_id)

    assert [each["code"] for each in json.loads(row["errors"])] == codes


async def test_no_other_type_is_meant(world: EngineFixture) -> None:
    """A type that takes any columns beside its own is not what the header of another lacks."""
    engine = world.with_engine(report=Report("report"))
    import_id = await engine.run("assign", "trv-001,jack-001,a", header="matter,person,office")
    row = await engine.fetchrow("SELECT errors FROM imports WHERE id = $1", import_id)

    assert "WRONG_TYPE" not in [each["code"] for each in json.loads(row["errors"])]


def test_in_memory() -> None:
    """The functions for tests read such files as well."""
    (report,) = run_importer(Report, "a,matter,person\n1,trv-002,jack-001\n")

    assert report["outcome"] == "CREATED"
