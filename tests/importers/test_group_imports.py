"""Importers of whole groups in the engine, beside `sync`."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from importers import (
    Applied,
    Assign,
    Case,
    CaseRef,
    Column,
    Directory,
    FailedRow,
    Importer,
    OwnChange,
    Reference,
    RoleRef,
    Row,
    Transaction,
    Unchanged,
    UserRef,
)
from tests.importers.engine_fixture import CASES, EngineFixture, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(OwnChange):
    """Note something about a case, unless it is bad."""

    case: Case
    text: str

    @property
    def keys(self) -> Sequence[tuple[str | int, ...]]:
        """The case and the text."""
        return (("note", self.case.id, self.text),)

    @classmethod
    async def apply(cls, changes: Sequence[Note], transaction: Transaction) -> list[Applied]:
        """Note all, or fail."""
        if any(change.text == "bad" for change in changes):
            raise ValueError("a bad note")
        return [Applied("CREATED") for _ in changes]


class Notes(Importer):
    """Notes about cases, with one for all rows of a case."""

    label = "Notes"
    at_worst = "adds"
    group_by = "case_id"
    case_id = CaseRef(required=True, example="trv-001")
    text = Column[str](required=True, is_key=True, example="good")

    def change_group(self, key: Case, rows: Sequence[Row], failed_rows: Sequence[FailedRow]) -> Any:
        """Note each row, and how many they are."""
        for row in rows:
            yield row, Note(case=key, text=row.text)
        yield None, Note(case=key, text=f"{len(rows)} rows")


async def test_a_group_that_cannot_be_written(world: EngineFixture) -> None:
    """It fails as a whole, and alone."""
    own = world.with_engine(notes=Notes("notes"))
    rows = ["trv-001,good", "trv-003,bad", "trv-001,better", "trv-003,good", "trv-004,good"]

    done = await own.run("notes", *rows, header="case_id,text")

    told = "made 1 more change for the group"
    assert await own.results(done) == {
        2: Result("CREATED", told),
        3: Result("FAILED", codes=("IMPORTER_ERROR",)),
        4: Result("CREATED"),
        5: Result("FAILED", codes=("IMPORTER_ERROR",)),
        6: Result("CREATED", told),
    }


class Teams(Importer):
    """Teams by name, whose members may be in several."""

    label = "Teams"
    at_worst = "adds"
    group_by = "team"
    team = Column[str](required=True, example="red")
    case_id = CaseRef(required=True, example="trv-001")
    user_id = UserRef(required=True, example="jack-001")
    role = RoleRef(required=True, example="staff")

    def change_group(self, key: str, rows: Sequence[Row], failed_rows: Sequence[FailedRow]) -> Any:
        """Assign all members, and say how many there are."""
        for row in rows:
            yield row, Assign(case=row.case_id, user=row.user_id, role=row.role)
            yield row, Unchanged(f"{key}: {len(rows)} + {len(failed_rows)}")


@pytest.mark.parametrize("seed", range(4))
async def test_groups_that_meet(world: EngineFixture, seed: int) -> None:
    """Where rows of two groups can be about one assignment, the group that begins first wins."""
    own = world.with_engine(chunk_rows=3, teams=Teams("teams"))
    rows = [
        "red,trv-001,jack-001,staff",
        "blue,trv-003,jack-001,staff",
        "red,trv-003,jill-001,nobody",
        "green,trv-004,jill-001,staff",
        "blue,trv-001,jack-001,staff",
        "green,trv-003,jack-001,clients",
        "red,trv-004,jones-001,staff",
    ]

    done = await own.split("teams", *rows, header="team,case_id,user_id,role")
    await own.queue.enqueue_run(done)
    await own.drain(random.Random(seed))

    assert await own.results(done) == {
        2: Result("CREATED", "red: 2 + 1"),
        3: Result("CREATED", "blue: 2 + 0"),
        4: Result("FAILED", codes=("INVALID_CHOICE",)),
        5: Result("CREATED", "green: 2 + 0"),
        6: Result("UNCHANGED", "repeats row 2; blue: 2 + 0"),
        7: Result("FAILED", codes=("CONFLICTS_WITH_ROW",)),
        8: Result("CREATED", "red: 2 + 1"),
    }


class Away(Reference[Case]):
    """A case of a server that is down."""

    async def resolve(self, directory: Directory, keys: Collection[str]) -> dict[str, Case]:
        """Fail."""
        raise OSError("the server is down")


class AwayNotes(Notes):
    """Notes about cases that can't be looked up."""

    case_id = Away(required=True, example="trv-001")


async def test_groups_that_cannot_be_told(world: EngineFixture) -> None:
    """Groups could be parted, so the file is refused; nothing is applied."""
    own = world.with_engine(notes=AwayNotes("notes"))

    done = await own.run("notes", "trv-001,good", header="case_id,text")

    row = await own.fetchrow("SELECT status, total, errors FROM imports WHERE id = $1", done)
    assert (row["status"], row["total"]) == ("FAILED", 0)
    assert "The importer can't tell which rows are one group" in row["errors"]


async def test_rows_wait_for_their_group(world: EngineFixture) -> None:
    """No row of a large file has an early result: its group would be without it."""
    own = world.with_engine(chunk_rows=4, teams=Teams("teams"))
    rows = [f"{case},{case},jack-001,{role}" for case in CASES for role in ("staff", "no", "no")]

    done = await own.run("teams", *rows, header="team,case_id,user_id,role")

    assert {(await own.results(done))[2].message} == {"trv-001: 1 + 2"}
