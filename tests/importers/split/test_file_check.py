"""The check of a whole file: before the first write, with all rows, in bounded memory."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import asyncpg
import pytest

from importers import (
    Assign,
    CaseRef,
    Date,
    Directory,
    FileRows,
    Importer,
    RoleRef,
    Row,
    RowError,
    UserRef,
)
from importers.sdk.errors import FileRefusedError, RetryableError
from importers.split import file_check
from importers.testing import run_importer
from tests.importers.engine_fixture import Counts, EngineFixture, Result

HEADER = "case_id,user_id,day"
ROWS = ["trv-001,jack-001,", "trv-003,jack-001,", "trv-004,jack-001,"]


class EachCaseOnce(Importer):
    """Put users on cases, if the file names each case of the app just once."""

    label = "Each case once"
    case_id = CaseRef(required=True, help="The case.", example="trv-001")
    user_id = UserRef(required=True, help="The user.", example="jack-001")
    day = Date(help="The day.")
    role = RoleRef(default="staff", help="The role.")

    def __init__(self, key: str = "once", settings: Any = None) -> None:
        super().__init__(key, settings)
        self.seen: list[int] = []
        self.failed: list[int] = []

    async def check_file(self, rows: FileRows, directory: Directory) -> Iterable[RowError] | None:
        named: Counter[int] = Counter()
        async for row in rows:
            self.seen.append(row.number)
            named[row.case_id.id] += 1
        self.failed.append(rows.failed)
        cases = await directory.fetch(
            "SELECT id, tag_id FROM cases WHERE app_id = $1 AND is_active ORDER BY 2",
            directory.app_id,
        )
        return [
            RowError("case_id", "NOT_ONCE", "{tag} is named {count} times.", tag=each["tag_id"],
                     count=named[each["id"]])
            for each in cases
            if named[each["id"]] != 1
        ]  # fmt: skip

    def change(self, row: Row) -> Assign:
        """Put the user on the case."""
        return Assign(case=row.case_id, user=row.user_id, role=row.role)


async def run(world: EngineFixture, *rows: str, importer: Importer, **options: Any) -> int:
    made = world.with_engine(chunk_rows=2, once=importer)
    return await made.run("once", *rows, header=HEADER, **options)


async def errors(world: EngineFixture, import_id: int) -> list[dict[str, Any]]:
    row = await world.fetchrow("SELECT errors FROM imports WHERE id = $1", import_id)
    found: list[dict[str, Any]] = json.loads(row["errors"])
    return found


@pytest.mark.parametrize("options", [{}, {"is_dry_run": True}, {"is_atomic": True}])
async def test_a_file_that_passes(world: EngineFixture, options: dict[str, Any]) -> None:
    """The importer sees each row once, in the order of the file."""
    importer = EachCaseOnce()
    import_id = await run(world, *ROWS, importer=importer, **options)

    assert (await world.counts(import_id)).created == 3
    assert importer.seen == [2, 3, 4]
    assert importer.failed == [0]


@pytest.mark.parametrize("options", [{}, {"is_dry_run": True}, {"is_atomic": True}])
async def test_a_file_that_is_refused(world: EngineFixture, options: dict[str, Any]) -> None:
    """Nothing of it is applied, and early results are deleted, as with any file that is refused."""
    rows = [*ROWS[:2], "nobody,jack-001,", ROWS[1]]
    importer = EachCaseOnce()
    import_id = await run(world, *rows, importer=importer, **options)

    assert await world.counts(import_id) == Counts("FAILED", 0, 0, 0, 0, 0, 0, 0, 0)
    assert await errors(world, import_id) == [
        {
            "code": "NOT_ONCE",
            "message": f"Case Id: {tag} is named {count} times.",
            "column": "case_id",
            "value": None,
            "suggestion": None,
            "params": {"tag": tag, "count": count},
        }
        for tag, count in (("trv-003", 2), ("trv-004", 0))
    ]
    assert importer.seen == [2, 3, 5]
    assert importer.failed == [1]
    assert await world.results(import_id) == {}
    assert await world.assignments() == {}
    assert await world.fetch("SELECT 1 FROM import_chunks") == []


async def test_columns_that_observe(world: EngineFixture) -> None:
    """Rows are read as in their chunks: in the light of the whole file."""

    days: list[tuple[int, int]] = []

    class Days(EachCaseOnce):
        async def check_file(self, rows: FileRows, directory: Directory) -> None:
            days.extend([(row.day.day, row.day.month) async for row in rows])

    rows = ["trv-001,jack-001,02/01/2026", "trv-003,jack-001,13/02/2026"]
    await run(world, *rows, importer=Days())
    await run(world, *rows, importer=Days(), date_order="DMY")

    # Without the declared order, the second row makes the first ambiguous.
    assert days == [(2, 1), (13, 2)]


async def test_a_retry(world: EngineFixture) -> None:
    """A file that has passed is not looked at again, nor is a plan that is applied."""
    importer = EachCaseOnce()
    rows = [*ROWS, "trv-002,nobody,"]
    made = world.with_engine(chunk_rows=2, once=importer)
    import_id = await made.run("once", *rows, header=HEADER)
    dry = await made.run("once", *rows[:3], header=HEADER, is_dry_run=True, name="dry")
    checked = len(importer.failed)
    await made.retry(import_id)
    await made.apply_plan(dry, "applied")

    assert (checked, len(importer.failed)) == (2, 2)
    assert (await made.results(import_id))[5] == Result("FAILED", codes=("NOT_FOUND",))


class Wrong(EachCaseOnce):
    """Does something wrong."""

    async def check_file(self, rows: FileRows, directory: Directory) -> Any:
        match self.settings:
            case "fails":
                raise ZeroDivisionError
            case "file":
                raise FileNotFoundError("acme.conf")
            case "query":
                await directory.fetch("SELECT * FROM nowhere")
            case "hangs":
                while True:
                    pass
            case "returns":
                return ["no"]
            case "column":
                return [RowError("nobody", "WRONG", "is wrong.")]
        return None


@pytest.mark.parametrize("mistake", ["fails", "file", "query", "hangs", "returns", "column"])
async def test_an_importer_that_fails(
    world: EngineFixture, mistake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file is refused: what could not be checked is not applied."""
    monkeypatch.setattr(file_check, "_COMPUTING_SECONDS", 0.3)
    import_id = await run(world, *ROWS, importer=Wrong("once", mistake))
    (error,) = await errors(world, import_id)

    assert error["code"] == "IMPORTER_ERROR"
    assert error["message"].startswith("The importer failed where it checks the file as a whole")
    assert await world.assignments() == {}


class Gathering(EachCaseOnce):
    """Looks things up while it reads."""

    async def check_file(self, rows: FileRows, directory: Directory) -> None:
        async def count() -> None:
            async for row in rows:
                self.seen.append(row.number)
                await directory.cases([row.case_id.tag_id])

        await asyncio.gather(count(), directory.roles(), directory.users(["jack-001"]))


async def test_look_ups_at_the_same_time(world: EngineFixture) -> None:
    """Look-ups of the importer and the reading of the file take turns."""
    importer = Gathering()
    import_id = await run(world, *ROWS, importer=importer)

    assert importer.seen == [2, 3, 4]
    assert (await world.counts(import_id)).created == 3


class Careless(EachCaseOnce):
    """Takes every error for the end of the file, or lets it pass."""

    async def check_file(self, rows: FileRows, directory: Directory) -> None:
        try:
            self.seen += [row.number async for row in rows]
        except Exception:
            if self.settings:
                raise ValueError("no") from None


@pytest.mark.parametrize("raises", [True, False])
async def test_a_database_that_is_lost(
    world: EngineFixture, monkeypatch: pytest.MonkeyPatch, raises: bool
) -> None:
    """Whatever the importer makes of it, the file is split again later."""

    async def lose(*_: Any) -> Any:
        raise asyncpg.ConnectionDoesNotExistError("gone")
        yield

    monkeypatch.setattr(file_check, "unfinished_rows", lose)
    made = world.with_engine(once=Careless("once", raises))
    import_id = await made.upload("once", *ROWS, header=HEADER)
    with pytest.raises(RetryableError):
        await made.engine.split(import_id)

    assert (await made.counts(import_id)).status == "PROCESSING"


class AtMostTwo(EachCaseOnce):
    """Stops reading as soon as there are too many rows."""

    async def check_file(self, rows: FileRows, directory: Directory) -> list[RowError]:
        count = 0
        async for _ in rows:
            count += 1
            if count > 2:
                return [RowError(None, "TOO_MANY", "The file has more than two rows.")]
        return []


async def test_reading_that_stops(world: EngineFixture) -> None:
    """A check need not read to the end; there are no more errors than were asked for."""
    many = await run(world, *ROWS, importer=AtMostTwo())
    few = await run(world, *ROWS[:2], importer=AtMostTwo())

    assert [error["code"] for error in await errors(world, many)] == ["TOO_MANY"]
    assert (await world.counts(few)).created == 2


def test_in_a_test() -> None:
    """`run_importer` raises what the API would say of the file."""
    with pytest.raises(FileRefusedError, match="more than two rows"):
        run_importer(AtMostTwo, "case_id,user_id\n" + 3 * "trv-002,jack-001\n")

    assert len(run_importer(AtMostTwo, "case_id,user_id\ntrv-002,jack-001\n")) == 1
