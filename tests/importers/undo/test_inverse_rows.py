"""The rows of an undo: numbered without a gap, assignments before users and cases."""

from __future__ import annotations

import pytest

from models import undo
from models.db import transaction
from models.entity_history import EntityEdit, write_entity_history
from tests.importers.engine_fixture import EngineFixture, Result


async def test_numbers(small: EngineFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of rows are numbered one after another."""
    monkeypatch.setattr(undo, "_ROWS_AT_ONCE", 2)
    rows = [f"trv-001,{user},,staff,0" for user in ("jack-001", "jones-001", "jill-001")]
    done = await small.run("assign", *rows, "trv-003,jack-001,,staff,0")

    undone = await small.undo(done)

    assert await small.results(undone) == dict.fromkeys(range(2, 6), Result("REMOVED"))


async def test_order(small: EngineFixture) -> None:
    """Users come after the assignments that keep them from being disabled."""
    done = await small.run("assign", "trv-001,jack-001,,staff,0")
    async with transaction() as db:
        new = EntityEdit(2, None, small.users["jack-001"], None, {"tag_id": "jack-001"})
        await write_entity_history(db, small.app_id, done, [new])

    undone = await small.undo(done)

    assert [cells[0] for cells in await small.cells(undone, 2, 3)] == ["assignment", "user"]
    await small.retry(undone)
    assert await small.results(undone) == {2: Result("REMOVED"), 3: Result("UPDATED")}


async def test_what_others_have_changed_between(small: EngineFixture) -> None:
    """Of what an import has changed twice, what others have changed in between stays."""
    await small.put(("trv-001", "jack-001", "staff", 0), ("trv-003", "jack-001", "staff", 0))
    done = await small.run(
        "modify",
        "trv-001,jack-001,clients,",
        "trv-003,jack-001,clients,",
        "trv-01,jack-001,staff,1",
        "trv-03,jack-001,default,",
    )
    await small.run("modify", "trv-001,jack-001,default,1")
    await small.retry(done, {4: {"case_id": "trv-001"}, 5: {"case_id": "trv-003"}})

    await small.undo(done)

    assert await small.assignments() == {
        ("trv-001", "jack-001"): ("default", 1),
        ("trv-003", "jack-001"): ("staff", 0),
    }


async def test_fields_that_others_have_changed_between(small: EngineFixture) -> None:
    """So it is with the fields of cases."""
    done = await small.run("modify-cases", "trv-001,,01/31/2026,First", "trv-01,,,Third")
    await small.run("modify-cases", "trv-001,,,Second")
    await small.retry(done, {3: {"case_id": "trv-001"}})

    undone = await small.undo(done)

    assert await small.results(undone) == {2: Result("UPDATED")}
    case = await small.fetchrow("SELECT about, date_opened FROM cases WHERE tag_id = 'trv-001'")
    assert tuple(case) == ("Second", None)
