"""Trying failed rows again, as they are or corrected."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from importers import Row, RowError
from importers.builtin.assign import AssignUsers
from importers.retry import Corrections, RetryError
from importers.rows.layout import stored_layout
from importers.split.failed_rows import failed_rows
from models.db import connection
from models.progress import read_work
from tests.importers.engine_fixture import HEADERS, Counts, EngineFixture, Result

CLOSED = "trv-002,jack-001,,staff,1"
OK = "trv-001,jack-001,,staff,0"


async def test_all(small: EngineFixture) -> None:
    """Every failed row is run again with its data; one that passes loses its errors, and the
    counts and the status follow."""
    import_id = await small.run("assign", CLOSED, OK, "trv-002,jones-001,,staff,0", "x,y,,,")
    before = await small.counts(import_id)
    await small.set_active("cases", "trv-002", is_active=True)
    await small.retry(import_id)

    assert before == Counts("PROCESSED", 4, 1, 3, 0, 1, 0, 0, 0)
    assert await small.counts(import_id) == Counts("PROCESSED", 4, 3, 1, 0, 3, 0, 0, 0)
    assert [result.what for result in (await small.results(import_id)).values()] == [
        "CREATED",
        "CREATED",
        "CREATED",
        "FAILED",
    ]
    assert list(await small.errors(import_id)) == [5]
    assert [row[0] for row in await small.history(import_id)] == [2, 3, 4]


async def test_some(small: EngineFixture) -> None:
    """Only the rows that were named are run again."""
    import_id = await small.run("assign", CLOSED, "trv-002,jones-001,,staff,0", OK)
    await small.set_active("cases", "trv-002", is_active=True)
    await small.retry(import_id, {3: {}})

    assert await small.counts(import_id) == Counts("PROCESSED", 3, 2, 1, 0, 2, 0, 0, 0)
    assert (await small.results(import_id))[2].codes == ("CASE_CLOSED",)


async def test_corrected_cells(small: EngineFixture) -> None:
    """Cells can be corrected, by the names of the file's columns in any spelling; the row then
    shows the new ones."""
    header = "User-ID,Case ID,case_role_id"
    import_id = await small.run("assign", "jones-1,trv-01,staff", "jack-001,trv-001,staff",
                                header=header)  # fmt: skip
    await small.retry(import_id, {2: {"user_id": "jones-001", "CASE ID": "trv-003"}})
    (cells,) = await small.cells(import_id, 2)

    assert await small.counts(import_id) == Counts("PROCESSED", 2, 2, 0, 0, 2, 0, 0, 0)
    assert cells == ["jones-001", "trv-003", "staff"]
    assert ("trv-003", "jones-001") in await small.assignments()


async def test_corrected_and_still_wrong(small: EngineFixture) -> None:
    """A row that fails again has its new errors only, and can be tried once more."""
    import_id = await small.run("assign", "x,jack-001,,boss,0")
    await small.retry(import_id, {2: {"case_id": "trv-002"}})
    errors = await small.errors(import_id)
    await small.retry(import_id, {2: {"case_id": "trv-001", "case_role_id": "staff"}})

    assert [error["code"] for error in errors[2]] == ["CASE_CLOSED", "INVALID_CHOICE"]
    assert await small.counts(import_id) == Counts("PROCESSED", 1, 1, 0, 0, 1, 0, 0, 0)


async def test_what_fails_as_before_stays(small: EngineFixture) -> None:
    """A row that fails with the same cells and errors is not written again; one of which anything
    differs is."""
    import_id = await small.run(
        "assign", "x,jack-001,,staff,0", "x,jones-001,,staff,0", "x,jack-001,,boss,0", CLOSED
    )
    versions = "SELECT id & 15 AS row, xmin::text AS version FROM import_rows WHERE id >> 32 = $1"
    before = dict(await small.fetch(versions, import_id))
    await small.set_active("cases", "trv-002", is_active=True)
    # The new flag of row 3 changes none of its errors.
    new = {2: {}, 3: {"case_notify": "1"}, 4: {"case_role_id": "staff"}, 5: {}}
    await small.retry(import_id, new)
    after = dict(await small.fetch(versions, import_id))

    assert [row for row in before if before[row] == after[row]] == [2]
    assert await small.cells(import_id, 3) == [["x", "jones-001", "", "staff", "1"]]
    assert [error["code"] for error in (await small.errors(import_id))[4]] == ["NOT_FOUND"]
    assert await small.counts(import_id) == Counts("PROCESSED", 4, 1, 3, 0, 1, 0, 0, 0)


async def test_too_few_cells(small: EngineFixture) -> None:
    """A row that ends early fails again as it is, and is filled up when it is corrected."""
    import_id = await small.run("assign", "trv-001,jack-001")
    await small.retry(import_id)
    codes = (await small.results(import_id))[2].codes
    await small.retry(import_id, {2: {"case_role_id": "staff"}})

    assert codes == ("REQUIRED",)
    assert await small.results(import_id) == {2: Result("CREATED")}


async def test_a_whole_row(small: EngineFixture) -> None:
    """A row with too many cells stays wrong while some cells are corrected, and passes when it has
    new ones for every column but those that a download of failed rows has added."""
    header = f"row,{HEADERS['assign']},errors"
    import_id = await small.run("assign", "9,trv-001,jack-001,,staff,0,old,extra", header=header)
    await small.retry(import_id, {2: {"case_id": "trv-003"}})
    codes = (await small.results(import_id))[2].codes
    names = HEADERS["assign"].split(",")
    cells = ["trv-003", "jack-001", "", "staff", "1"]
    await small.retry(import_id, {2: dict(zip(names, cells, strict=True))})

    assert codes == ("TOO_MANY_CELLS",)
    assert await small.results(import_id) == {2: Result("CREATED")}
    assert await small.cells(import_id, 2) == [["", *cells, ""]]


async def test_mails(world: EngineFixture) -> None:
    """A row that passes in a retry leaves the one mail that it would have left; the rows that
    passed before leave no second one."""
    import_id = await world.run("assign", "trv-001,jack-001,,staff,1", CLOSED)
    await world.set_active("cases", "trv-002", is_active=True)
    await world.retry(import_id)

    assert await world.mails(import_id) == [(2, "SENT"), (3, "SENT")]
    assert len(world.transport.sent) == 2


@pytest.mark.parametrize("corrections", [None, {3: {}}, {3: {}, 4: {}}], ids=["all", "one", "two"])
async def test_a_conflict_stays(small: EngineFixture, corrections: Corrections | None) -> None:
    """A row in conflict with one that passed is still in conflict when it is run again with the
    same data: the file has not become any clearer."""
    import_id = await small.run(
        "assign", OK, "trv-001,jack-001,,clients,0", "trv-001,jack-001,,clients,0"
    )
    await small.retry(import_id, corrections)
    results = await small.results(import_id)

    assert [result.codes for result in results.values()] == [
        (),
        ("CONFLICTS_WITH_ROW",),
        ("CONFLICTS_WITH_ROW",),
    ]
    assert await small.assignments() == {("trv-001", "jack-001"): ("staff", 0)}


async def test_a_conflict_of_modify_stays(small: EngineFixture) -> None:
    """A later row of modify does not overrule the first one by being run again."""
    await small.put(("trv-001", "jack-001", "staff", 0))
    import_id = await small.run("modify", "trv-001,jack-001,clients,", "trv-001,jack-001,default,")
    await small.retry(import_id)

    assert (await small.results(import_id))[3].codes == ("CONFLICTS_WITH_ROW",)
    assert await small.assignments() == {("trv-001", "jack-001"): ("clients", 0)}


async def test_a_conflict_that_is_corrected(small: EngineFixture) -> None:
    """A row that was in conflict passes when its cells are corrected, to the same values or to
    another pair."""
    import_id = await small.run(
        "assign", OK, "trv-001,jack-001,,clients,0", "trv-001,jack-001,,clients,1"
    )
    await small.retry(import_id, {3: {"case_role_id": "staff"}, 4: {"user_id": "jill-001"}})

    assert await small.results(import_id) == {
        2: Result("CREATED"),
        3: Result("UNCHANGED"),
        4: Result("CREATED"),
    }


async def test_many_conflicts_over_many_chunks(world: EngineFixture) -> None:
    """Conflicts are found again whatever the chunks of the retry are."""
    small = world.with_engine(chunk_rows=2)
    rows = [
        f"{case},{user},,{role},0"
        for role in ("staff", "clients", "default")
        for case in ("trv-001", "trv-003", "trv-004")
        for user in ("jack-001", "jill-001")
    ]
    import_id = await small.run("assign", *rows)
    before = await small.counts(import_id)
    await small.retry(import_id)

    assert (before.passed, before.failed) == (6, 12)
    assert await small.counts(import_id) == before
    assert {
        error["code"] for found in (await small.errors(import_id)).values() for error in found
    } == {"CONFLICTS_WITH_ROW"}
    assert await small.fetch("SELECT 1 FROM import_chunks") == []


async def test_repeats_within_a_retry(small: EngineFixture) -> None:
    """Rows of a retry are compared with each other as those of a file are."""
    import_id = await small.run("assign", CLOSED, CLOSED, "trv-002,jack-001,,clients,1")
    await small.set_active("cases", "trv-002", is_active=True)
    await small.retry(import_id)

    assert await small.results(import_id) == {
        2: Result("CREATED"),
        3: Result("UNCHANGED", "repeats row 2"),
        4: Result("FAILED", codes=("CONFLICTS_WITH_ROW",)),
    }


async def test_in_effect_by_now(small: EngineFixture) -> None:
    """A failed row whose change was made otherwise is unchanged when it is run again."""
    import_id = await small.run("assign", CLOSED)
    await small.put(("trv-002", "jack-001", "staff", 1))
    await small.retry(import_id)

    assert await small.results(import_id) == {2: Result("UNCHANGED")}
    assert await small.counts(import_id) == Counts("PROCESSED", 1, 1, 0, 0, 0, 0, 0, 1)
    assert await small.mails(import_id) == []


async def test_dry_run(small: EngineFixture) -> None:
    """A dry run that is tried again stays a dry run."""
    import_id = await small.run("assign", CLOSED, is_dry_run=True)
    await small.set_active("cases", "trv-002", is_active=True)
    await small.retry(import_id)

    assert await small.results(import_id) == {2: Result("CREATED")}
    assert await small.assignments() == {}


@pytest.mark.parametrize(
    ("corrections", "code", "message", "field"),
    [
        pytest.param(
            {},
            "NO_ROWS",
            "The list of rows is empty; leave it out for all.",
            ("rows",),
            id="no rows",
        ),
        pytest.param({9: {}}, "NO_SUCH_ROW", "The import has no row 9.", ("rows",), id="no row"),
        pytest.param(
            {3: {}},
            "ROW_NOT_FAILED",
            "Row 3 has not failed; only failed rows are run again.",
            ("rows",),
            id="passed row",
        ),
        pytest.param(
            {2: {"colour": "red"}},
            "UNKNOWN_COLUMN",
            f"The file has no column 'colour'; it has {HEADERS['assign'].replace(',', ', ')}.",
            ("rows",),
            id="no column",
        ),
        pytest.param(
            {2: {"case_id": "a\x00b"}},
            "INVALID_CELL",
            "Row 2: the new cell of 'case_id' contains characters that can't be stored.",
            ("rows",),
            id="NUL",
        ),
        pytest.param(
            {2: {"case_id": "\ud800"}},
            "INVALID_CELL",
            "Row 2: the new cell of 'case_id' contains characters that can't be stored.",
            ("rows",),
            id="half a character",
        ),
    ],
)
async def test_wrong_rows(
    small: EngineFixture, corrections: Corrections, code: str, message: str, field: tuple[str, ...]
) -> None:
    """A row or column that there is not, or that has not failed, is refused; nothing is run."""
    import_id = await small.run("assign", CLOSED, OK)
    before = await small.fetchrow("SELECT * FROM imports")
    with pytest.raises(RetryError) as caught:
        await small.request_retry(import_id, corrections)

    assert (caught.value.code, caught.value.message, caught.value.field) == (code, message, field)
    assert await small.fetchrow("SELECT * FROM imports") == before


async def refused(world: EngineFixture, import_id: int) -> tuple[str, str]:
    with pytest.raises(RetryError) as caught:
        await world.request_retry(import_id)
    return caught.value.code, caught.value.message


async def test_what_can_not_be_tried_again(small: EngineFixture) -> None:
    """An import that runs, that has no failed rows, that is refused, or that there is not."""
    running = await small.split("assign", CLOSED)
    passed = await small.run("assign", OK)
    file = await small.upload("assign", data=b"")
    await small.queue.enqueue_split(file)
    await small.drain()

    assert await refused(small, running) == (
        "NOT_FINISHED",
        "The import is still running; wait for its end.",
    )
    assert await refused(small, passed) == ("NOTHING_TO_RETRY", "The import has no failed rows.")
    assert await refused(small, file) == ("NOTHING_TO_RETRY", "The import has no failed rows.")
    assert await refused(small, 404) == ("NOT_FOUND", "There is no such import.")


UNKNOWN = {"column": "user_id", "code": "NOT_FOUND", "value": "jones-1"}


async def test_a_correction_of_all_rows_of_a_kind(small: EngineFixture) -> None:
    """All failed rows with an error get the same new cell; other failed rows are not run."""
    import_id = await small.run(
        "assign",
        "trv-001,jones-1,,staff,0",
        "trv-003,jones-1,,staff,0",
        "trv-003,jack-9,,staff,0",
        CLOSED,
        OK,
    )
    await small.set_active("cases", "trv-002", is_active=True)
    await small.retry(import_id, where=UNKNOWN, cells={"User ID": "jones-001"})

    assert [result.what for result in (await small.results(import_id)).values()] == [
        "CREATED", "CREATED", "FAILED", "FAILED", "CREATED",
    ]  # fmt: skip
    assert await small.counts(import_id) == Counts("PROCESSED", 5, 3, 2, 0, 3, 0, 0, 0)
    assert (await small.cells(import_id, 2))[0][1] == "jones-001"
    assert ("trv-003", "jones-001") in await small.assignments()


async def test_all_rows_of_a_kind_as_they_are(small: EngineFixture) -> None:
    """Without new cells, the rows of a kind are run again with the same data."""
    import_id = await small.run("assign", CLOSED, "trv-002,jones-001,,staff,0", "x,jack-001,,,")
    await small.set_active("cases", "trv-002", is_active=True)
    await small.retry(import_id, where={"code": "CASE_CLOSED"})

    assert [result.what for result in (await small.results(import_id)).values()] == [
        "CREATED", "CREATED", "FAILED",
    ]  # fmt: skip


@pytest.mark.parametrize("is_dry_run", [False, True])
async def test_all_but_some(small: EngineFixture, is_dry_run: bool) -> None:
    """Failed rows with an error that is excepted stay as they are; a dry run plans the others."""
    rows = CLOSED, "trv-001,jones-1,,staff,0", "trv-002,jones-1,,staff,0", OK
    import_id = await small.run("assign", *rows, is_dry_run=is_dry_run)
    before = await small.errors(import_id)
    await small.set_active("cases", "trv-002", is_active=True)
    await small.retry(import_id, excepted=[UNKNOWN])

    assert [result.what for result in (await small.results(import_id)).values()] == [
        "CREATED", "FAILED", "FAILED", "CREATED",
    ]  # fmt: skip
    assert (await small.errors(import_id))[4] == before[4]
    assert [each["code"] for each in before[4]] == ["CASE_CLOSED", "NOT_FOUND"]


async def test_some_of_a_kind(small: EngineFixture) -> None:
    """Of the rows of a kind, those that have another error as well can be left out."""
    import_id = await small.run("assign", "trv-001,jones-1,,staff,0", "x,jones-1,,staff,0")
    await small.retry(
        import_id,
        where=UNKNOWN,
        cells={"user_id": "jones-001"},
        excepted=[{"column": "Case ID"}],
    )

    assert [cells[1] for cells in await small.cells(import_id, 2, 3)] == ["jones-001", "jones-1"]


async def test_all_or_nothing_excepts_none(small: EngineFixture) -> None:
    """Rows of an atomic import can't be left out: they take effect together."""
    import_id = await small.run("assign", "trv-001,jones-1,,staff,0", OK, is_atomic=True)
    with pytest.raises(RetryError) as caught:
        await small.request_retry(import_id, excepted=[UNKNOWN])

    assert (caught.value.code, caught.value.field) == ("ALL_OR_NOTHING", ("except",))


async def test_one_error_has_all_that_is_asked_for(small: EngineFixture) -> None:
    """A row with several errors is meant only if one of them has all fields."""
    import_id = await small.run("assign", "x,y,,staff,0", "trv-001,x,,staff,0")

    with pytest.raises(RetryError, match="No failed row has such an error"):
        await small.request_retry(import_id, where={"column": "case_id", "value": "y"})
    await small.retry(import_id, where={"column": "case_id", "value": "x"},
                      cells={"case_id": "trv-001"})  # fmt: skip
    assert [cells[0] for cells in await small.cells(import_id, 2, 3)] == ["trv-001", "trv-001"]
    assert [len(each) for each in (await small.errors(import_id)).values()] == [1, 1]


async def test_errors_of_whole_rows(small: EngineFixture) -> None:
    """A field that is None stands for an error without it."""
    import_id = await small.run("assign", ",,,,0", ",jack-001,,staff,0")
    await small.request_retry(import_id, where={"code": "REQUIRED", "column": None})
    async with connection() as db:
        work = await read_work(db, import_id)
        assert work
        layout = stored_layout(work, small.engine.importers["assign"])
        batches = failed_rows(db, work, small.engine.importers["assign"], layout)
        numbers = [number for batch in [each async for each in batches] for number in batch.numbers]

    assert numbers == [2]


async def test_an_import_as_a_whole_runs_all_again(small: EngineFixture) -> None:
    """Of an atomic import, the rows that are not corrected run again with those that are."""
    import_id = await small.run("assign", "trv-001,jones-1,,staff,0", OK, is_atomic=True)
    before = await small.counts(import_id)
    await small.retry(import_id, where=UNKNOWN, cells={"user_id": "jones-001"})

    assert (before.passed, before.failed) == (0, 2)
    assert await small.counts(import_id) == Counts("PROCESSED", 2, 2, 0, 0, 2, 0, 0, 0)


async def test_many_rows_of_a_kind_are_stored_in_a_few_words(small: EngineFixture) -> None:
    """What is kept of the request does not grow with the rows."""
    rows = [f"trv-00{number},jones-1,,staff,0" for number in (1, 3, 4)]
    import_id = await small.run("assign", *rows)
    await small.request_retry(import_id, where=UNKNOWN, cells={"user_id": "jones-001"})

    stored = (await small.fetchrow("SELECT retry FROM imports"))["retry"]
    assert json.loads(stored) == {
        "rows": None, "cells": {}, "where": UNKNOWN, "set": {"1": "jones-001"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "code", "field"),
    [
        ({"corrections": {2: {}}, "where": UNKNOWN}, "ROWS_AND_WHERE", ("where",)),
        ({"cells": {"user_id": "x"}}, "SET_WITHOUT_WHERE", ("set",)),
        ({"corrections": {2: {}}, "cells": {"user_id": "x"}}, "SET_WITHOUT_WHERE", ("set",)),
        ({"where": {}}, "EMPTY_WHERE", ("where",)),
        ({"corrections": {2: {}}, "excepted": [UNKNOWN]}, "ROWS_AND_EXCEPT", ("except",)),
        ({"excepted": [UNKNOWN, {}]}, "EMPTY_WHERE", ("except",)),
        ({"excepted": [{"code": "CASE_CLOSED"}]}, "NO_SUCH_ROW", ("except",)),
        ({"excepted": [{"code": "CASE_CLOSE"}]}, "NO_SUCH_ROW", ("except",)),
        ({"where": {"code": "NOT_FOUND"}}, "NO_SUCH_ROW", ("where",)),
        ({"where": {"code": "CASE_CLOSED"}, "cells": {"no": "x"}}, "UNKNOWN_COLUMN", ("set",)),
        ({"where": {"code": "CASE_CLOSED"}, "cells": {"case_id": "\0"}}, "INVALID_CELL", ("set",)),
    ],
)
async def test_wrong_wheres(
    small: EngineFixture, request_: dict[str, Any], code: str, field: tuple[str, ...]
) -> None:
    """What can't be meant, or would run no row, is refused, and nothing is run."""
    import_id = await small.run("assign", CLOSED)
    with pytest.raises(RetryError) as caught:
        await small.request_retry(import_id, **request_)

    assert (caught.value.code, caught.value.field) == (code, field)
    assert (await small.counts(import_id)).status == "FAILED"


async def test_name_taken(small: EngineFixture) -> None:
    """An import can't be opened again while another one of its name is running."""
    import_id = await small.run("assign", CLOSED, name="May")
    await small.upload("assign", OK, name="May")

    assert await refused(small, import_id) == (
        "NAME_TAKEN",
        "Another import of this name is running; wait for its end.",
    )
    assert (await small.counts(import_id)).status == "FAILED"


async def test_twice_at_once(small: EngineFixture) -> None:
    """Of two wishes at the same moment one is refused, and the rows are run once."""
    import_id = await small.run("assign", CLOSED, "x,y,,,")
    await small.set_active("cases", "trv-002", is_active=True)
    ends: list[Any] = await asyncio.gather(
        *[small.request_retry(import_id) for _ in range(4)], return_exceptions=True
    )
    await small.drain()

    assert sorted(getattr(end, "code", "") for end in ends) == ["", *["NOT_FINISHED"] * 3]
    assert await small.counts(import_id) == Counts("PROCESSED", 2, 1, 1, 0, 1, 0, 0, 0)


async def test_doubled_messages(small: EngineFixture) -> None:
    """Messages about a retry may come many times and at once."""
    import_id = await small.run("assign", *["x,y,,,"] * 7, CLOSED)
    await small.set_active("cases", "trv-002", is_active=True)
    await small.request_retry(import_id)
    await asyncio.gather(*[small.engine.split(import_id) for _ in range(4)])
    await asyncio.gather(*[small.engine.run(import_id) for _ in range(4)])
    await small.drain()

    assert await small.counts(import_id) == Counts("PROCESSED", 8, 1, 7, 0, 1, 0, 0, 0)


async def test_a_type_that_was_switched_off(world: EngineFixture) -> None:
    """When the import's type is gone, a retry ends, says why, and leaves the rows as they were."""
    on = world.with_engine(seating=world.engine.importers["assign"])
    import_id = await on.run("seating", OK, CLOSED, header=HEADERS["assign"])
    before = (await on.counts(import_id), await on.results(import_id))
    await world.retry(import_id)
    errors = await world.fetchrow("SELECT errors::text FROM imports")
    after = (await world.counts(import_id), await world.results(import_id))
    await world.set_active("cases", "trv-002", is_active=True)
    await on.retry(import_id)

    assert before == after
    assert "UNKNOWN_TYPE" in errors[0]
    assert await on.counts(import_id) == Counts("PROCESSED", 2, 2, 0, 0, 2, 0, 0, 0)
    assert (await on.fetchrow("SELECT errors::text FROM imports"))[0] == "[]"


async def test_refused_by_two_workers(
    world: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers that find at the same time that a retry can't be run leave the rows as they were."""
    on = world.with_engine(seating=world.engine.importers["assign"])
    import_id = await on.run("seating", OK, CLOSED, header=HEADERS["assign"])
    before = (await on.counts(import_id), await on.results(import_id))
    begun, other_is_done = asyncio.Event(), asyncio.Event()

    async def wait(*_: Any) -> None:
        if not begun.is_set():
            begun.set()
            await other_is_done.wait()

    monkeypatch.setattr(world.queue, "notify_changed", wait)
    await world.request_retry(import_id)
    late = asyncio.create_task(world.engine.split(import_id))
    await begun.wait()
    await world.engine.split(import_id)
    other_is_done.set()
    await late

    assert (await on.counts(import_id), await on.results(import_id)) == before


async def test_rows_that_are_gone(small: EngineFixture) -> None:
    """A retry that finds none of its rows ends."""
    import_id = await small.run("assign", OK, CLOSED)
    await small.request_retry(import_id)
    await small.execute("DELETE FROM import_rows WHERE status = 2")
    await small.drain()

    assert (await small.counts(import_id)).status == "PROCESSED"


async def test_a_code_of_ours(world: EngineFixture) -> None:
    """A plugin that uses the code of conflicts is not taken for the engine."""

    class Odd(AssignUsers):
        def change(self, row: Row) -> Any:
            raise RowError("case_id", "CONFLICTS_WITH_ROW", "is odd.")

    odd = world.with_engine(odd=Odd("odd"))
    import_id = await odd.run("odd", OK, header=HEADERS["assign"])
    await odd.retry(import_id)

    assert await odd.results(import_id) == {2: Result("FAILED", codes=("CONFLICTS_WITH_ROW",))}
    assert (await odd.fetchrow("SELECT errors::text FROM imports"))[0] == "[]"


async def test_many_rows(world: EngineFixture) -> None:
    """More failed rows than are read at once are all run again, in several chunks."""
    small = world.with_engine(chunk_rows=3_000)
    import_id = await small.run("assign", *[f"x-{n},y,,," for n in range(11_000)])
    await small.retry(import_id)

    assert await small.counts(import_id) == Counts("FAILED", 11_000, 0, 11_000, 0, 0, 0, 0, 0)


async def test_versions_grow(small: EngineFixture) -> None:
    """A reader can tell every state of a retry from the ones before it."""
    import_id = await small.run("assign", CLOSED)
    before = await small.fetchrow("SELECT version FROM imports")
    await small.retry(import_id)
    after = await small.fetchrow("SELECT version, retry, finished_at FROM imports")

    assert after["version"] == before["version"] + 3
    assert after["retry"] is None
    assert after["finished_at"]
