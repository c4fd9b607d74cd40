"""Kinds of change with an inverse of their own are undone as all others are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from importers import (
    Applied,
    Case,
    CaseRef,
    Column,
    Difference,
    Importer,
    OwnChange,
    Refused,
    Row,
    RowError,
    Transaction,
    User,
)
from importers.undo.undo_request import UndoError
from tests.importers.engine_fixture import EngineFixture

HEADER = "case_id,floor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(OwnChange):
    """Give a case another floor, from the one that it is expected on, if that is said."""

    case: Case
    floor: int
    expected: int | None = None

    @property
    def keys(self) -> tuple[tuple[str, int], ...]:
        """The case."""
        return (("floor", self.case.id),)

    @classmethod
    async def apply(
        cls, changes: Sequence[Move], transaction: Transaction
    ) -> list[Applied | Refused]:
        """Write the floors one by one, as there are few."""
        return [await cls._move(change, transaction) for change in changes]

    @staticmethod
    async def _move(change: Move, transaction: Transaction) -> Applied | Refused:
        case_id = change.case.id
        read = "SELECT floor FROM kit_floors WHERE case_id = $1 FOR UPDATE"
        old = await transaction.db.fetchval(read, case_id)
        if old == change.floor:
            return Applied("UNCHANGED")
        if change.expected not in (None, old):
            error = RowError(None, "CHANGED_SINCE", "the floor is another by now.")
            return Refused(((change.case, error),))
        write = "UPDATE kit_floors SET floor = $2 WHERE case_id = $1"
        await transaction.db.execute(write, case_id, change.floor)
        sides = {"before": {"floor": old}, "after": {"floor": change.floor}}
        return Applied("UPDATED", difference=Difference(**sides, case_id=case_id))

    @classmethod
    def inverse(cls, difference: Difference, case: Case | None, user: User | None) -> OwnChange:
        """Move the case back; from the roof there is no way."""
        assert difference.before is not None
        assert difference.after is not None
        assert case is not None
        if difference.after["floor"] == 99:
            raise RowError(None, "NOT_REVERSIBLE", "there is no way down from the roof.")
        before, after = difference.before["floor"], difference.after["floor"]
        return Move(case=case, floor=before, expected=after)


class OneWay(Move):
    """A move that says nothing of its inverse."""

    inverse = OwnChange.inverse


class Moves(Importer):
    """Move cases to other floors."""

    label = "Moves"
    kind: type[Move] = Move

    case_id = CaseRef(required=True, is_key=True)
    floor = Column[str](required=True)

    def change(self, row: Row) -> Any:
        """Move it."""
        return self.kind(case=row.case_id, floor=int(row.floor))


class OneWays(Moves):
    """Move them for good."""

    label = "One way"
    kind = OneWay


@pytest.fixture
async def floors(small: EngineFixture) -> EngineFixture:
    """Cases on the first floor, and importers that move them."""
    await small.execute("CREATE TABLE IF NOT EXISTS kit_floors (case_id bigint, floor int)")
    await small.execute("DELETE FROM kit_floors")
    await small.execute("INSERT INTO kit_floors SELECT id, 1 FROM cases")
    return small.with_engine(moves=Moves("moves"), ways=OneWays("ways"))


async def stored(world: EngineFixture) -> dict[str, int]:
    rows = await world.fetch(
        "SELECT tag_id, floor FROM kit_floors JOIN cases ON cases.id = case_id ORDER BY 1"
    )
    return dict(map(tuple, rows))


async def test_three_piles(floors: EngineFixture) -> None:
    """What is as it was left is taken back; the rest says why not."""
    done = await floors.run(
        "moves", "trv-001,2", "trv-002,2", "trv-003,99", "trv-004,1", header=HEADER
    )
    await floors.run("moves", "trv-002,3", header=HEADER, name="Later")

    undone = await floors.undo(done)

    codes = sorted(end.codes or (end.what,) for end in (await floors.results(undone)).values())
    assert codes == [("CHANGED_SINCE",), ("NOT_REVERSIBLE",), ("UPDATED",)]
    messages = {
        errors[0]["code"]: errors[0]["message"] for errors in (await floors.errors(undone)).values()
    }
    assert (
        "The floor has been changed since, by row 2 of the import 'Later'"
        in messages["CHANGED_SINCE"]
    )
    assert "there is no way down from the roof." in messages["NOT_REVERSIBLE"]
    assert await stored(floors) == {"trv-001": 1, "trv-002": 3, "trv-003": 99, "trv-004": 1}


async def test_undo_of_an_undo(floors: EngineFixture) -> None:
    """The inverse is a change like any other, and has one itself."""
    done = await floors.run("moves", "trv-001,2", "trv-003,5", header=HEADER)
    after = await stored(floors)

    again = await floors.undo(await floors.undo(done))

    assert await stored(floors) == after
    assert (await floors.counts(again)).updated == 2


async def test_a_dry_run(floors: EngineFixture) -> None:
    """It says what would become of it, and can be applied."""
    done = await floors.run("moves", "trv-001,2", "trv-003,2", header=HEADER)
    plan = await floors.undo(done, is_dry_run=True)
    assert (await stored(floors))["trv-001"] == 2
    await floors.run("moves", "trv-003,7", header=HEADER)

    applied = await floors.apply_plan(plan)

    assert sorted(end.what for end in (await floors.results(applied)).values()) == [
        "FAILED",
        "UPDATED",
    ]
    assert await stored(floors) == {"trv-001": 1, "trv-002": 1, "trv-003": 7, "trv-004": 1}


async def test_retry(floors: EngineFixture) -> None:
    """A row of an undo that failed passes when the record is as the import has left it again."""
    done = await floors.run("moves", "trv-001,2", header=HEADER)
    await floors.run("moves", "trv-001,3", header=HEADER)
    undone = await floors.undo(done)
    assert (await floors.counts(undone)).failed == 1
    await floors.run("moves", "trv-001,2", header=HEADER)

    await floors.retry(undone)

    assert (await floors.counts(undone)).updated == 1
    assert (await stored(floors))["trv-001"] == 1


async def test_what_has_no_inverse(floors: EngineFixture) -> None:
    """An import of which nothing can be taken back can't be undone."""
    done = await floors.run("ways", "trv-001,2", header=HEADER)

    with pytest.raises(UndoError) as caught:
        await floors.undo(done)

    assert caught.value.code == "NOT_REVERSIBLE"
    assert (await stored(floors))["trv-001"] == 2


async def test_a_plugin_that_is_gone(
    floors: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row says what is missing, and passes once that is there again."""
    done = await floors.run("moves", "trv-001,2", header=HEADER)
    with monkeypatch.context() as patch:
        patch.delitem(globals(), "Move")
        undone = await floors.undo(done)
    [[error]] = (await floors.errors(undone)).values()
    assert error["code"] == "NOT_REVERSIBLE"
    assert f"has no 'Move' in '{__name__}' any more" in error["message"]

    await floors.retry(undone)

    assert await stored(floors) == {"trv-001": 1, "trv-002": 1, "trv-003": 1, "trv-004": 1}
