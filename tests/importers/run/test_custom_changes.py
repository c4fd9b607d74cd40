"""Changes of own kinds: what a plugin brings is carried out by the rules of all changes."""

from __future__ import annotations

import asyncio
import logging
import random
import re
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from asyncpg import Connection, UniqueViolationError

from importers import (
    Applied,
    Assign,
    Case,
    CaseRef,
    Column,
    Difference,
    Importer,
    OwnChange,
    Refused,
    RoleRef,
    Row,
    RowError,
    Transaction,
    UserRef,
)
from importers.run.carried_keys import CarriedKeys
from importers.sdk.changes import Change
from models.db import connection
from models.plugin_tables import make_tables
from tests.importers.engine_fixture import EngineFixture, Result
from tests.importers.fakes import CLOSED, NOTHING_CARRIED, OPEN, Scripted, plan_read, planned, read

ROW = "trv-001,jack-001"


@dataclass(frozen=True, slots=True, kw_only=True)
class Describe(OwnChange):
    """Write down what a case is about, under a label that no other case has."""

    taken = {"label": ("label", "LABEL_TAKEN")}  # noqa: RUF012 - as the base says

    case: Case
    about: str
    label: str | None = None

    @property
    def keys(self) -> tuple[tuple[str | int, ...], ...]:
        """The case, and the label if there is one."""
        return (("case", self.case.id), *([("label", self.label)] if self.label else []))

    @classmethod
    async def apply(
        cls, changes: Sequence[Describe], transaction: Transaction
    ) -> list[Applied | Refused]:
        """Write in one statement, or misbehave as a row says."""
        told = {change.about for change in changes}
        if "raise" in told:
            raise ValueError("secret")
        if "nonsense" in told:
            return []
        rows = await transaction.db.fetch(
            """
            UPDATE cases c SET about = nullif(a, 'null')
            FROM unnest($2::bigint[], $3::text[]) AS n(i, a)
            WHERE c.app_id = $1 AND c.id = i AND about <> a AND a <> 'bad' RETURNING c.id
            """,
            transaction.app_id,
            [change.case.id for change in changes],
            [change.about for change in changes],
        )
        written = {row[0] for row in rows}
        return [cls._answer(change, is_written=change.case.id in written) for change in changes]

    @staticmethod
    def _answer(change: Describe, *, is_written: bool) -> Applied | Refused:
        if change.about == "bad":
            return Refused(((change.about, RowError(None, "BAD", "says nothing.")),))
        return Applied("UPDATED" if is_written else "UNCHANGED", "described")


class Descriptions(Importer):
    """Describe cases, and put a user on each if the row names one."""

    label = "Descriptions"
    case_id = CaseRef(required=True, is_key=True)
    about = Column[str](required=True)
    label_ = Column[str](is_key=True)
    user_id = UserRef()
    role = RoleRef()

    def change(self, row: Row) -> Iterable[Change]:
        """Describe, and assign."""
        yield Describe(case=row.case_id, about=row.about, label=row.label_)
        if row.user_id:
            yield Assign(case=row.case_id, user=row.user_id, role=row.role)


HEADER = "case_id,about,label_,user_id,role"


@pytest.fixture
def own(world: EngineFixture) -> EngineFixture:
    """The world with that importer."""
    return world.with_engine(describe=Descriptions("describe"))


def applied(**after: Any) -> Applied:
    return Applied("CREATED", difference=Difference(before=None, after=after))


async def abouts(world: EngineFixture) -> dict[str, str]:
    rows = await world.fetch("SELECT tag_id, about FROM cases ORDER BY 1")
    return {row[0]: row[1].partition("@")[0] for row in rows}


def describe(about: str = "x", label: str | None = None, case: Case = OPEN) -> Describe:
    return Describe(case=case, about=about, label=label)


def codes(*answers: Any) -> list[Any]:
    """Plan a row for each answer; give error codes, else how many changes and repeats."""
    plans = planned(Scripted(*answers), *[ROW for _ in answers])
    return [
        [error.code for error in plan.errors] or (len(plan.changes), len(plan.repeats))
        for plan in plans
    ]


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        pytest.param(describe("x", "a"), (0, 1), id="the same is a repeat"),
        pytest.param(describe("y", "b"), ["CONFLICTS_WITH_ROW"], id="of the same thing"),
        pytest.param(describe("x", "a", CLOSED), ["LABEL_TAKEN"], id="a field that is taken"),
        pytest.param(describe("y", "a"), ["CONFLICTS_WITH_ROW", "LABEL_TAKEN"], id="both"),
        pytest.param(describe("x"), ["CONFLICTS_WITH_ROW"], id="fewer keys"),
        pytest.param(describe("x", "b", CLOSED), (1, 0), id="other keys"),
    ],
)
def test_rows_that_share_keys(second: Describe, expected: object) -> None:
    """The first row that has a key is applied; others repeat it as a whole or contradict it."""
    assert codes(describe("x", "a"), second) == [(1, 0), expected]


def test_keys_of_two_rows() -> None:
    """A row that has keys of two earlier rows repeats neither, and claims nothing."""
    both = describe("x", "b")

    assert codes(describe("x", "a"), describe("x", "b", CLOSED), both)[2] == [
        "CONFLICTS_WITH_ROW",
        "LABEL_TAKEN",
    ]


def test_messages_of_conflicts() -> None:
    """Both ways of failing say which row was first."""
    _, other = planned(Scripted(describe("x", "a"), describe("y", "a")), ROW, ROW)

    assert [error.message for error in other.errors] == [
        "The row says something else of the same case than row 2; keep one of them.",
        "row 2 of this file has it too.",
    ]


def test_keys_are_handed_on() -> None:
    """The next chunk of a chain tells repeats from contradictions as the same chunk would."""
    importer = Scripted(describe("x", "a"))
    carried = CarriedKeys(
        seen=plan_read(importer, read(importer, ROW), NOTHING_CARRIED).carried.seen
    )
    again = CarriedKeys.unpack(carried.pack())
    same, other = planned(
        Scripted(describe("x", "a"), describe("y", "b")), ROW, ROW, carried=again, first=9
    )

    assert again == carried
    assert [mention.row for _, mention in same.repeats] == [2]
    assert [error.code for error in other.errors] == ["CONFLICTS_WITH_ROW"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[
            ("keys", keys)
            for keys in [(), ((),), ((1, 2),), (("a", 1.5),), (("a", 1 << 63),), ("ab",), None]
        ],
        ("wish", lambda _: "x"),
        ("wish", lambda _: ("x", 1.5)),
        ("taken", {"label": "label"}),
        ("taken", {"label": ("lable", "LABEL_TAKEN")}),
    ],
)
def test_nonsense(name: str, value: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Keys and wishes that can't be compared across chunks are the importer's error."""

    class Odd(Describe):
        pass

    setattr(Odd, name, value)
    with caplog.at_level(logging.ERROR):
        assert codes(Odd(case=OPEN, about="x")) == [["IMPORTER_ERROR"]]


async def test_outcomes(own: EngineFixture) -> None:
    """What the class answers is the row's result; a refusal is on the column with the value."""
    import_id = await own.run(
        "describe",
        "trv-001,one,,,",
        "trv-003,trv-003@example.org,,,",
        "trv-004,bad,,,",
        "trv-001,one,,,",
        "trv-001,two,,,",
        header=HEADER,
    )

    assert await own.results(import_id) == {
        2: Result("UPDATED", "described"),
        3: Result("UNCHANGED", "described"),
        4: Result("FAILED", codes=("BAD",)),
        5: Result("UNCHANGED", "repeats row 2"),
        6: Result("FAILED", codes=("CONFLICTS_WITH_ROW",)),
    }
    (error,) = (await own.errors(import_id))[4]
    assert (error["column"], error["value"], error["message"]) == (
        "about", "bad", "About: says nothing.",
    )  # fmt: skip


@pytest.mark.parametrize("is_dry_run", [False, True])
async def test_all_or_nothing(own: EngineFixture, is_dry_run: bool) -> None:
    """Of a row that fails nothing is kept, whichever of its changes was refused."""
    import_id = await own.run(
        "describe",
        "trv-001,one,,jack-001,staff",
        "trv-002,two,,jack-001,staff",
        "trv-003,bad,,jack-001,staff",
        "trv-002,two,,,",
        "trv-004,four,,,",
        header=HEADER,
        is_dry_run=is_dry_run,
    )
    found = await abouts(own)

    assert await own.results(import_id) == {
        2: Result("UPDATED", "described"),
        3: Result("FAILED", codes=("CASE_CLOSED",)),
        4: Result("FAILED", codes=("BAD",)),
        5: Result("FAILED", codes=("CASE_CLOSED",)),
        6: Result("UPDATED", "described"),
    }
    if is_dry_run:
        assert (list(found.values()), await own.assignments()) == (list(found), {})
    else:
        assert list(found.values()) == ["one", "trv-002", "trv-003", "four"]
        assert await own.assignments() == {("trv-001", "jack-001"): ("staff", 0)}


@pytest.mark.parametrize(
    ("about", "code"),
    [("raise", "IMPORTER_ERROR"), ("nonsense", "IMPORTER_ERROR"), ("null", "NOT_WRITTEN")],
)
async def test_what_goes_wrong_fails_one_row(
    own: EngineFixture, about: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception, a wrong answer or an error of the database fails the row at fault alone."""
    with caplog.at_level(logging.ERROR):
        import_id = await own.run(
            "describe", "trv-001,one,,,", f"trv-002,{about},,,", "trv-003,three,,,", header=HEADER
        )

    assert await own.results(import_id) == {
        2: Result("UPDATED", "described"),
        3: Result("FAILED", codes=(code,)),
        4: Result("UPDATED", "described"),
    }
    assert list((await abouts(own)).values()) == ["one", "trv-002", "three", "trv-004"]
    assert "row 3 of import" in caplog.text
    assert "secret" not in str(await own.errors(import_id))


@pytest.mark.parametrize("name", ["file", "arguments", "key"])
async def test_what_looks_like_the_database(
    own: EngineFixture, monkeypatch: Any, name: str
) -> None:
    """What another attempt would cure if it came from PostgreSQL, and never does from a plugin,
    fails the row at fault."""

    async def apply(changes: Sequence[Describe], transaction: Transaction) -> list[Applied]:
        if any(change.about == "bad" for change in changes):
            if name == "file":
                raise FileNotFoundError("acme.conf")
            if name == "arguments":
                await transaction.db.execute("SELECT $1::int", 1, 2)
            raise UniqueViolationError("duplicate key")
        return [Applied("CREATED") for _ in changes]

    monkeypatch.setattr(Describe, "apply", apply)
    import_id = await own.run("describe", "trv-001,one,,,", "trv-003,bad,,,", header=HEADER)

    assert await own.results(import_id) == {
        2: Result("CREATED"),
        3: Result("FAILED", codes=("IMPORTER_ERROR",)),
    }


async def end_by_word(db: Connection) -> None:
    await db.execute("commit")


async def close(db: Connection) -> None:
    await db.close()


async def fail_beside_others(db: Connection) -> None:
    slow = (db.fetch("SELECT pg_sleep(0.05)") for _ in range(3))
    await asyncio.gather(*slow, db.fetch("SELECT 1 / 0"))


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (end_by_word, "IMPORTER_ERROR"),
        (close, "IMPORTER_ERROR"),
        (fail_beside_others, "NOT_WRITTEN"),
    ],
)
async def test_what_would_spoil_the_connection(
    own: EngineFixture, monkeypatch: Any, act: Callable[[Connection], Awaitable[None]], code: str
) -> None:
    """A plugin can't end the transaction that other rows are written in, nor get in its way."""

    async def apply(changes: Sequence[Describe], transaction: Transaction) -> list[Applied]:
        await asyncio.gather(*(transaction.db.fetch("SELECT 1") for _ in range(3)))
        await transaction.db.execute("SAVEPOINT own; ROLLBACK TO own")
        if any(change.about == "bad" for change in changes):
            await act(transaction.db)
        return [Applied("CREATED") for _ in changes]

    monkeypatch.setattr(Describe, "apply", apply)
    import_id = await own.run("describe", "trv-001,one,,,", "trv-003,bad,,,", header=HEADER)

    assert await own.results(import_id) == {
        2: Result("CREATED"),
        3: Result("FAILED", codes=(code,)),
    }


@pytest.mark.parametrize("seed", range(4))
async def test_any_order_of_chunks(own: EngineFixture, seed: int) -> None:
    """Rows that are tied by keys of several kinds come to the same in chunks of any size and
    order."""
    rng = random.Random(seed)
    rows = [
        f"{rng.choice(['trv-001', own.case_id('trv-001'), 'trv-002', 'trv-003', 'trv-004'])},"
        f"{rng.choice('xy')},{rng.choice(['', 'a', 'b', 'c'])},,"
        for _ in range(30)
    ]
    whole = await own.run("describe", *rows, header=HEADER)
    expected, described = await own.results(whole), await abouts(own)
    await own.execute("UPDATE cases SET about = tag_id || '@example.org'")
    small = own.with_engine(chunk_rows=4)
    import_id = await small.upload("describe", *rows, header=HEADER)
    await small.queue.enqueue_split(import_id)
    await small.drain(rng)

    assert await own.results(import_id) == expected
    assert await abouts(own) == described


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "CREATED",
        Applied("DONE"),
        Applied("CREATED", 7),
        Refused(()),
        Refused((RowError(None, "BAD", "is bad."),)),
        Refused((("x", "is bad."),)),
        applied(text="\ud800"),
        applied(text="a\0b"),
        applied(number=1 << 63),
        applied(number=float("nan")),
        Applied("CREATED", difference=Difference(before=None, after={}, case_id="1")),  # type: ignore[arg-type]
    ],
    ids=repr,
)
async def test_nonsense_answers(
    own: EngineFixture,
    answer: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What is no answer fails the row as the importer's error."""

    async def apply(changes: Sequence[Any], transaction: Transaction) -> list[Any]:
        return [answer for _ in changes]

    monkeypatch.setattr(Describe, "apply", apply)
    with caplog.at_level(logging.ERROR):
        import_id = await own.run("describe", "trv-001,one,,,", header=HEADER)

    assert await own.results(import_id) == {2: Result("FAILED", codes=("IMPORTER_ERROR",))}


async def test_a_lost_race_is_run_again(
    own: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A unique key that somebody else was faster to take is looked at again."""
    calls: list[int] = []
    apply = Describe.apply

    async def racing(changes: Any, transaction: Transaction) -> Any:
        calls.append(len(changes))
        if len(calls) == 1:
            raise UniqueViolationError("duplicate key")
        return await apply(changes, transaction)

    monkeypatch.setattr(Describe, "apply", racing)
    import_id = await own.run("describe", "trv-001,one,,,", "trv-003,three,,,", header=HEADER)

    assert calls == [2, 2]
    assert [result.what for result in (await own.results(import_id)).values()] == ["UPDATED"] * 2


@pytest.fixture
def guide(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of all Python of the guide."""
    guide = ModuleType("guide")
    monkeypatch.setitem(sys.modules, "guide", guide)
    text = (Path(__file__).parents[3] / "docs/writing-an-importer.md").read_text()
    for snippet in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(snippet, vars(guide))
    return guide


async def test_the_guides_example(world: EngineFixture, guide: ModuleType) -> None:
    """What the guide shows of changes of one's own works on a table as the guide has it."""
    await world.execute(
        "CREATE TABLE acme_rooms (app_id bigint, room text, case_id bigint, UNIQUE (app_id, room))"
    )
    rooms = world.with_engine(rooms=guide.Rooms("rooms"))
    header = "case_id,room"
    first = await rooms.run("rooms", "trv-001,2-14", "trv-003,2-15", header=header)
    second = await rooms.run("rooms", "trv-004,2-14", "trv-002,2-16", "trv-003,2-15", header=header)
    booked = await world.fetch("SELECT room FROM acme_rooms ORDER BY 1")
    undone = await rooms.undo(first)
    await rooms.run("rooms", "trv-004,2-15", header=header)
    again = await rooms.undo(undone)
    left = await world.fetch(
        "SELECT room, tag_id FROM acme_rooms JOIN cases ON cases.id = case_id ORDER BY 1"
    )
    await world.execute("DROP TABLE acme_rooms")

    assert [each.what for each in (await world.results(first)).values()] == ["CREATED"] * 2
    assert await world.results(second) == {
        2: Result("FAILED", codes=("ROOM_TAKEN",)),
        3: Result("CREATED"),
        4: Result("UNCHANGED"),
    }
    assert [row[0] for row in booked] == ["2-14", "2-15", "2-16"]
    assert [each.what for each in (await world.results(undone)).values()] == ["REMOVED"] * 2
    ends = sorted((each.what, each.codes) for each in (await world.results(again)).values())
    assert ends == [("CREATED", ()), ("FAILED", ("ROOM_TAKEN",))]
    assert list(map(tuple, left)) == [
        ("2-14", "trv-001"),
        ("2-15", "trv-004"),
        ("2-16", "trv-002"),
    ]


async def test_the_guides_table(world: EngineFixture, guide: ModuleType) -> None:
    """What it shows of tables that are declared works."""
    async with connection() as db:
        assert await make_tables(db, [guide.Rate._declaration.own_table]) == []
    rates = world.with_engine(rates=guide.Rates("rates"))

    done = await rates.run(
        "rates", "trv-001,court,185.50", "trv-001,advice,x", header="case,work,price"
    )

    assert await world.results(done) == {
        2: Result("CREATED"),
        3: Result("FAILED", codes=("NOT_A_PRICE",)),
    }
    stored = await world.fetchrow("SELECT work, amount::text, currency FROM acme_rates")
    assert tuple(stored) == ("court", "185.50", "USD")
    await world.execute("DROP TABLE acme_rates")
