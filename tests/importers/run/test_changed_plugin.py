"""A plugin that is another one by the time its chunks run fails their rows, and says why."""

from __future__ import annotations

from collections.abc import Collection
from typing import Self

import pytest

from importers import CaseRef, Column, Importer, Remove, Row, UserRef
from tests.importers.engine_fixture import EngineFixture, Result

FAILED = {number: Result("FAILED", codes=("IMPORTER_ERROR",)) for number in (2, 3)}


class Leavers(Importer):
    """Take people off cases."""

    label = "Leavers"
    case = CaseRef(required=True)
    person = UserRef(required=True)

    def change(self, row: Row) -> Remove:
        """Take the person off."""
        return Remove(case=row.case, user=row.person)


class Renamed(Leavers):
    """Another version, with another column."""

    person = UserRef(required=True, header="who")


class Broken(Column[str]):
    """A column that can't make use of what it has seen."""

    def knowing(self, known: Collection[str]) -> Self:
        """Fail."""
        raise ValueError("secret")


class Shortsighted(Leavers):
    """Another version, whose column fails."""

    remark = Broken()


@pytest.mark.parametrize(
    ("importer", "message"),
    [
        (Renamed("leavers"),
         "The importer has other columns by now than when this file was read;"
         " upload the row again."),
        (Shortsighted("leavers"),
         "The importer failed on the file's columns; the worker's log says why."),
    ],
    ids=["renamed", "broken"],
)  # fmt: skip
@pytest.mark.parametrize("attempts", [0, 1])
async def test_upgraded_while_its_import_runs(
    world: EngineFixture, importer: Importer, message: str, attempts: int
) -> None:
    """Rows are told at once, also after a worker was lost, and are never tried in vain."""
    before = world.with_engine(leavers=Leavers("leavers"))
    import_id = await before.split(
        "leavers", "trv-001,jack-001", "trv-002,jack-001", header="case,person"
    )
    await world.execute("UPDATE import_chunks SET attempts = $1", attempts)
    after = world.with_engine(leavers=importer)
    await after.engine.run(import_id)

    assert await after.results(import_id) == FAILED
    assert {e["message"] for each in (await after.errors(import_id)).values() for e in each} == {
        message
    }
