"""Files of the three types, from the upload to what is stored in the end."""

from __future__ import annotations

import pytest

from importers.builtin.assign import AssignUsers
from tests.fuzz.saved_file import FOLDER, load
from tests.importers.engine_fixture import HEADERS, PAIRS, Counts, EngineFixture, Result, make_world

OK = "trv-001,jack-001,,staff,0"


async def test_assign(world: EngineFixture) -> None:
    """Every row of the table, in one file."""
    await world.put(
        ("trv-003", "jack-001", "staff", 0),
        ("trv-003", "jones-001", "clients", 1),
        ("trv-002", "jones-001", "staff", 0),
    )
    import_id = await world.run(
        "assign",
        "trv-001,jack-001,,staff,0",
        "trv-001,jones-001,,role::clients,yes",
        "trv-003,jack-001,,staff,",
        "trv-003,jones-001,,staff,1",
        "trv-002,jack-001,,staff,0",
        "trv-001,gone-001,,staff,0",
        "trv-001,jack-001,,staff,no",
        "trv-001,jack-001,,clients,0",
        "trv-002,jones-001,,staff,0",
        "trv-01,jones-1,1,boss,maybe",
        "trv-001,jack-001",
    )

    assert await world.results(import_id) == {
        2: Result("CREATED"),
        3: Result("CREATED"),
        4: Result("UNCHANGED"),
        5: Result("FAILED", codes=("ALREADY_ASSIGNED",)),
        6: Result("FAILED", codes=("CASE_CLOSED",)),
        7: Result("FAILED", codes=("USER_DISABLED",)),
        8: Result("UNCHANGED", "repeats row 2"),
        9: Result("FAILED", codes=("CONFLICTS_WITH_ROW",)),
        10: Result("UNCHANGED"),
        11: Result(
            "FAILED",
            codes=("NOT_FOUND", "NOT_FOUND", "NOT_BLANK", "INVALID_CHOICE", "INVALID_FLAG"),
        ),
        12: Result("FAILED", codes=("REQUIRED",)),
    }
    assert await world.counts(import_id) == Counts("PROCESSED", 11, 5, 6, 0, 2, 0, 0, 3)
    assert await world.assignments() == {
        ("trv-001", "jack-001"): ("staff", 0),
        ("trv-001", "jones-001"): ("clients", 1),
        ("trv-002", "jones-001"): ("staff", 0),
        ("trv-003", "jack-001"): ("staff", 0),
        ("trv-003", "jones-001"): ("clients", 1),
    }
    assert await world.history(import_id) == [
        (2, "trv-001", "jack-001", None, None, "staff", 0),
        (3, "trv-001", "jones-001", None, None, "clients", 1),
    ]
    assert await world.mails(import_id) == [(3, "SENT")]


async def test_modify(world: EngineFixture) -> None:
    """Every row of the table, in one file; blank cells keep."""
    await world.put(
        ("trv-001", "jack-001", "staff", 0),
        ("trv-001", "jones-001", "staff", 1),
        ("trv-002", "jack-001", "staff", 0),
        ("trv-003", "gone-001", "staff", 0),
        ("trv-003", "jack-001", "staff", 0),
        ("trv-004", "jack-001", "staff", 1),
    )
    import_id = await world.run(
        "modify",
        "trv-001,jack-001,clients,",
        "trv-001,jones-001,,1",
        "trv-003,jones-001,staff,0",
        "trv-002,jack-001,clients,0",
        "trv-003,gone-001,clients,1",
        "trv-001,jack-001,clients,",
        "trv-001,jack-001,clients,0",
        "trv-003,jack-001,,YES",
        "trv-002,jack-001,,",
        "trv-004,jack-001,default,false",
    )

    assert await world.results(import_id) == {
        2: Result("UPDATED"),
        3: Result("UNCHANGED"),
        4: Result("FAILED", codes=("NOT_ASSIGNED",)),
        5: Result("FAILED", codes=("CASE_CLOSED",)),
        6: Result("UPDATED"),
        7: Result("UNCHANGED", "repeats row 2"),
        8: Result("FAILED", codes=("CONFLICTS_WITH_ROW",)),
        9: Result("UPDATED"),
        10: Result("FAILED", codes=("CONFLICTS_WITH_ROW",)),
        11: Result("UPDATED"),
    }
    assert await world.counts(import_id) == Counts("PROCESSED", 10, 6, 4, 0, 0, 4, 0, 2)
    assert await world.history(import_id) == [
        (2, "trv-001", "jack-001", "staff", 0, "clients", 0),
        (6, "trv-003", "gone-001", "staff", 0, "clients", 1),
        (9, "trv-003", "jack-001", "staff", 0, "staff", 1),
        (11, "trv-004", "jack-001", "staff", 1, "default", 0),
    ]
    assert await world.mails(import_id) == [(6, "SENT"), (9, "SENT")]
    assert (await world.assignments())["trv-001", "jones-001"] == ("staff", 1)


async def test_remove(world: EngineFixture) -> None:
    """Every row of the table, in one file; closed cases and disabled users are no hindrance."""
    await world.put(
        ("trv-001", "jack-001", "staff", 1),
        ("trv-002", "jack-001", "staff", 0),
        ("trv-003", "gone-001", "staff", 0),
        ("trv-003", "jones-001", "staff", 0),
    )
    import_id = await world.run(
        "remove",
        "jack-001,trv-001",
        "jack-001,trv-002",
        "gone-001,trv-003",
        "jill-001,trv-001",
        "jack-001,trv-001",
        "jill-001,trv-01",
    )

    assert await world.results(import_id) == {
        2: Result("REMOVED"),
        3: Result("REMOVED"),
        4: Result("REMOVED"),
        5: Result("UNCHANGED", "was not assigned"),
        6: Result("UNCHANGED", "repeats row 2"),
        7: Result("FAILED", codes=("NOT_FOUND",)),
    }
    assert await world.counts(import_id) == Counts("PROCESSED", 6, 5, 1, 0, 0, 0, 3, 2)
    assert await world.assignments() == {("trv-003", "jones-001"): ("staff", 0)}
    assert await world.history(import_id) == [
        (2, "trv-001", "jack-001", "staff", 1, None, None),
        (3, "trv-002", "jack-001", "staff", 0, None, None),
        (4, "trv-003", "gone-001", "staff", 0, None, None),
    ]
    assert await world.mails(import_id) == []


@pytest.mark.parametrize(
    ("type_", "rows"),
    [
        ("assign", ["trv-001,jack-001,,staff,1", "trv-004,jill-001,,clients,0"]),
        ("modify", ["trv-003,jones-001,staff,1", "trv-003,jack-001,,1"]),
        ("remove", ["jones-001,trv-003", "jill-001,trv-001"]),
    ],
)
async def test_the_same_file_again(world: EngineFixture, type_: str, rows: list[str]) -> None:
    """A file that went through goes through again, changes nothing and sends nothing."""
    await world.put(("trv-003", "jones-001", "clients", 0), ("trv-003", "jack-001", "staff", 0))
    first = await world.run(type_, *rows)
    before, mails = await world.assignments(), len(world.transport.sent)
    again = await world.run(type_, *rows)

    assert (await world.counts(first)).passed == 2
    assert await world.counts(again) == Counts("PROCESSED", 2, 2, 0, 0, 0, 0, 0, 2)
    assert await world.assignments() == before
    assert await world.history(again) == []
    assert await world.mails(again) == []
    assert len(world.transport.sent) == mails


async def test_in_effect_on_a_case_closed_since(world: EngineFixture) -> None:
    """A row that is in effect does not fail because its case was closed or its user disabled."""
    await world.run("assign", OK)
    await world.set_active("cases", "trv-001", is_active=False)
    await world.set_active("users", "jack-001", is_active=False)
    again = await world.run("assign", OK)

    assert await world.results(again) == {2: Result("UNCHANGED")}


async def test_provenance(world: EngineFixture) -> None:
    """An assignment says which row of which import created it and which last changed it."""
    created = await world.run("assign", "", OK)
    updated = await world.run("modify", "trv-001,jack-001,clients,")
    await world.run("modify", "trv-001,jack-001,clients,")
    row = await world.fetchrow("SELECT * FROM assignments")

    assert (row["created_import_id"], row["created_row"]) == (created, 3)
    assert (row["updated_import_id"], row["updated_row"]) == (updated, 2)
    assert row["updated_at"] > row["created_at"]


async def test_rows_keep_their_numbers_and_cells(world: EngineFixture) -> None:
    """Blank lines are skipped and keep their number; cells are stored as they were."""
    import_id = await world.run("assign", OK, "", " trv-004 , jack-001,,staff,0 ")
    cells = await world.cells(import_id, 2, 4)

    assert list(await world.results(import_id)) == [2, 4]
    assert cells == [
        ["trv-001", "jack-001", "", "staff", "0"],
        [" trv-004 ", " jack-001", "", "staff", "0 "],
    ]
    assert (await world.counts(import_id)).total == 2


async def test_header_and_encoding_are_kept(world: EngineFixture) -> None:
    """The import says how the file was read."""
    import_id = await world.run(
        "assign", data=b"\xef\xbb\xbfUser-ID;Case ID;CASE_ROLE_ID\njack-001;trv-001;staff\n"
    )
    row = await world.fetchrow("SELECT * FROM imports")

    assert (await world.counts(import_id)).created == 1
    assert row["header"] == ["User-ID", "Case ID", "CASE_ROLE_ID"]
    assert (row["encoding"], row["delimiter"]) == ("utf-8-bom", ";")
    assert row["started_at"] < row["split_at"] < row["finished_at"]


async def test_every_row_failed(world: EngineFixture) -> None:
    """An import none of whose rows passed has failed."""
    import_id = await world.run("assign", "trv-01,jack-001,,staff,0", "trv-002,jack-001,,staff,0")

    assert await world.counts(import_id) == Counts("FAILED", 2, 0, 2, 0, 0, 0, 0, 0)


async def test_pair_by_any_name(small: EngineFixture) -> None:
    """A pair named by Tag IDs here and by the API's IDs there is one pair, in any chunk."""
    case, user = small.case_id("trv-001"), small.user_id("jack-001")
    filler = [f"trv-003,u-{n},,staff,0" for n in range(5)]
    import_id = await small.run(
        "assign",
        "trv-001,jack-001,,staff,0",
        *filler,
        f"{case},jack-001,,staff,0",
        *filler,
        f"{case},{user},,clients,0",
        f"trv-001,{user},,staff,0",
    )
    results = await small.results(import_id)

    assert results[2] == Result("CREATED")
    assert results[8] == Result("UNCHANGED", "repeats row 2")
    assert results[14] == Result("FAILED", codes=("CONFLICTS_WITH_ROW",))
    assert results[15] == Result("UNCHANGED", "repeats row 2")


async def test_apps_do_not_meet(world: EngineFixture) -> None:
    """Cases and users of another app can't be named, by neither name."""
    other = await make_world(slug="other")
    await world.execute("UPDATE cases SET tag_id = 'their-' || id WHERE app_id = $1", other.app_id)
    theirs = f"their-{other.cases['trv-001']}"
    import_id = await world.run(
        "assign",
        f"{other.case_id('trv-001')},jack-001,,staff,0",
        f"trv-001,{other.user_id('jack-001')},,staff,0",
        f"{theirs},jack-001,,staff,0",
    )

    assert {result.codes for result in (await world.results(import_id)).values()} == {
        ("NOT_FOUND",)
    }
    assert all(
        error["suggestion"] is None or not error["suggestion"].startswith("their")
        for errors in (await world.errors(import_id)).values()
        for error in errors
    )


async def test_did_you_mean(world: EngineFixture) -> None:
    """Suggestions come from the app's own Tag IDs."""
    import_id = await world.run("assign", "trv-01,jones-1,,staf,0")

    assert [error["message"] for error in (await world.errors(import_id))[2]] == [
        "Case Id: no case has the Tag ID or ID 'trv-01'; did you mean 'trv-001'?",
        "User Id: no user has the Tag ID or ID 'jones-1'; did you mean 'jones-001'?",
        "Case Role Id: there is no 'staf'; did you mean 'staff'?",
    ]


@pytest.mark.parametrize(
    ("type_", "rows"),
    [
        ("assign", [OK, "trv-003,jack-001,,clients,1", "trv-002,jack-001,,staff,1", OK, "x,y,,,"]),
        ("modify", ["trv-003,jack-001,clients,1", "trv-001,jill-001,staff,", "trv-003,jack-001,,"]),
        ("remove", ["jack-001,trv-003", "jack-001,trv-003", "jill-001,trv-001", "x,y"]),
    ],
)
async def test_dry_run(small: EngineFixture, type_: str, rows: list[str]) -> None:
    """A dry run tells what the real run would do to each row, and does none of it."""
    await small.put(("trv-003", "jack-001", "staff", 0))
    before = await small.assignments()
    rehearsal = await small.run(type_, *rows, is_dry_run=True)
    after = await small.assignments()
    history, mails = await small.history(rehearsal), await small.mails(rehearsal)
    real = await small.run(type_, *rows)

    assert await small.results(rehearsal) == await small.results(real)
    assert await small.errors(rehearsal) == await small.errors(real)
    assert await small.counts(rehearsal) == await small.counts(real)
    assert (after, history, mails) == (before, [], [])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"", "EMPTY_FILE", id="empty"),
        pytest.param(b"case_id,user_id,case_role_id\r\n", "NO_ROWS", id="no row"),
        pytest.param(b"case_id,user_id\r\ntrv-001,jack-001\r\n", None, id="missing column"),
        pytest.param(b"case_id,user_id,case_role_id,colour\r\na,b,c,d\r\n", None, id="unknown"),
        pytest.param(b"case_id,user_id,case_role_id\r\ncaf\xe9,b,c\r\n", None, id="encoding"),
        pytest.param(b"%PDF-1.7 \x00", None, id="another kind of file"),
        pytest.param(b"username,locale\r\njo@example.org,en\r\n", "WRONG_TYPE", id="another type"),
        pytest.param(
            load(FOLDER / "90244900.json").content,
            "DAMAGED_WORKBOOK",
            id="a NUL in a tag, which the error quotes",
        ),
    ],
)
async def test_refused_files(world: EngineFixture, data: bytes, code: str | None) -> None:
    """A file that can't be read ends the import, with the reasons and without any row."""
    import_id = await world.run("assign", data=data)
    row = await world.fetchrow("SELECT errors::text, finished_at FROM imports")

    assert await world.counts(import_id) == Counts("FAILED", 0, 0, 0, 0, 0, 0, 0, 0)
    assert await world.results(import_id) == {}
    assert '"message"' in row["errors"]
    assert code is None or f'"{code}"' in row["errors"]
    assert row["finished_at"]
    assert world.queue.changes == [import_id] * 2


async def test_refused_at_the_last_row(small: EngineFixture) -> None:
    """Nothing is applied of a file that turns out to be broken at its end."""
    rows = [f"trv-001,u-{n},,staff,0".encode() for n in range(20)]
    data = b"\r\n".join(
        [b"case_id,user_id,case_role_order,case_role_id,case_notify", *rows, b"\xff"]
    )
    import_id = await small.run("assign", data=data)

    assert (await small.counts(import_id)).status == "FAILED"
    assert await small.fetch("SELECT 1 FROM import_chunks") == []
    assert await small.results(import_id) == {}


async def test_a_type_that_is_not_on(world: EngineFixture) -> None:
    """An import whose type is not switched on where it is to be run ends as failed."""
    import_id = await world.run("seating", "a,b", header="x,y")
    errors = await world.fetchrow(
        "SELECT errors #>> '{0,message}', errors #>> '{0,code}' FROM imports"
    )

    assert (await world.counts(import_id)).status == "FAILED"
    assert tuple(errors) == (
        "The import type 'seating' is not switched on where this import was to be run.",
        "UNKNOWN_TYPE",
    )


async def test_a_type_that_is_switched_off_meanwhile(world: EngineFixture) -> None:
    """Rows that wait when their type is switched off fail, and say why."""
    on = world.with_engine(seating=AssignUsers("seating"))
    import_id = await on.split("seating", OK, header=HEADERS["assign"])
    await world.queue.enqueue_run(import_id)
    await world.drain()

    assert await world.results(import_id) == {2: Result("FAILED", codes=("IMPORTER_ERROR",))}
    assert [error["message"] for error in (await world.errors(import_id))[2]] == [
        "The import type 'seating' is not switched on."
    ]


async def test_changes_are_told(small: EngineFixture) -> None:
    """Readers are told when an import is begun, when it is cut and after each chunk."""
    import_id = await small.split("assign", *PAIRS[:9])
    (chunks,) = await small.fetchrow("SELECT count(*)::int FROM import_chunks")
    await small.queue.enqueue_run(import_id)
    await small.drain()

    assert chunks >= 3
    assert small.queue.changes == [import_id] * (2 + chunks)
    assert await small.fetchrow("SELECT version FROM imports") == (3 + chunks,)


async def test_nothing_is_left_behind(small: EngineFixture) -> None:
    """A finished import has no chunks; its payloads are gone."""
    await small.run("assign", *[OK] * 20)

    assert await small.fetch("SELECT 1 FROM import_chunks") == []
