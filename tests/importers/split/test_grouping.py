"""Rows that could be about the same pair get the same key, whatever names they use."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
import pytest

from importers import (
    AssignmentsOf,
    Case,
    CaseRef,
    Column,
    Email,
    Importer,
    Reference,
    RoleRef,
    TagId,
    User,
    UserRef,
)
from importers.isolation.guard import Guard, guarding
from importers.sdk.node_id import encode_node_id
from importers.split.grouping import GroupKeys, UngroupableError, group_rows, key_columns
from tests.importers.fakes import (
    ASSIGN,
    JACK,
    OPEN,
    REMOVE,
    UNTAGGED,
    FakeDirectory,
    SeatingPlan,
    layout,
    rows_of,
)

CASE_1, CASE_3 = encode_node_id("Case", OPEN.id), encode_node_id("Case", UNTAGGED.id)
JACK_ID = encode_node_id("User", JACK.id)


def kinds(
    importer: Importer, *texts: str, names: Sequence[str] = (), together: Sequence[str] = ()
) -> list[GroupKeys]:
    return asyncio.run(
        group_rows(importer, layout(importer, *names), cells(*texts), FakeDirectory(), together)
    ).kinds


def cells(*texts: str) -> list[list[str]]:
    """Make cells that are equal without being the same objects."""
    rows: list[list[str]] = orjson.loads(orjson.dumps([row.cells for row in rows_of(*texts)]))
    return rows


def keys(importer: Importer, *texts: str, names: Sequence[str] = ()) -> GroupKeys:
    (found,) = kinds(importer, *texts, names=names)
    return found


class Anything(Importer):
    """Has whatever columns it is given."""

    def __init__(self, **columns: Column[Any]) -> None:
        super().__init__("anything")
        for name, column in columns.items():
            column.name = name
        self.columns = columns


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("trv-001,jack-001,,staff,0", "trv-001,jack-001,,clients,1", id="the same"),
        pytest.param("trv-001,jack-001,,staff,0", f"{CASE_1},jack-001,,staff,0", id="case by ID"),
        pytest.param("trv-001,jack-001,,staff,0", f"trv-001,{JACK_ID},,staff,0", id="user by ID"),
        pytest.param(f"{CASE_3},jack-001,,staff,0", f" {CASE_3} ,{JACK_ID},,x,0", id="untagged"),
        pytest.param("trv-001,jack-001,,,0", " trv-001\u00a0,jack-001 ,,,", id="trimmed"),
        pytest.param("trv-001,jack-001,,,0", "trv-001,jack-001", id="too few cells"),
    ],
)
def test_same_pair(first: str, second: str) -> None:
    """Whatever names a case and a user, rows about the same pair have the same key."""
    one, other = keys(ASSIGN, first, second)

    assert one == other


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("trv-001,jack-001,,staff,0", "trv-002,jack-001,,staff,0", id="case"),
        pytest.param("trv-001,jack-001,,staff,0", "trv-001,jones-001,,staff,0", id="user"),
        pytest.param("a,bc,,staff,0", "ab,c,,staff,0", id="cells are not run together"),
    ],
)
def test_other_pair(first: str, second: str) -> None:
    """Rows about different pairs can go into different chunks."""
    one, other = keys(ASSIGN, first, second)

    assert one != other


def test_by_email() -> None:
    """An address in any case is the same user."""
    one, other = keys(SeatingPlan(), "trv-001,JACK@example.org,lead,", "trv-001,jack@example.org,,")

    assert one == other


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        pytest.param({"c": CaseRef(), "u": UserRef(), "r": RoleRef()}, ["c", "u"], id="one each"),
        pytest.param({"c": CaseRef(), "u": UserRef(), "v": UserRef()}, ["c"], id="two users"),
        pytest.param({"c": CaseRef(), "d": CaseRef(), "u": UserRef()}, ["u"], id="two cases"),
        pytest.param({"c": CaseRef()}, ["c"], id="a case alone"),
        pytest.param(
            {"c": CaseRef(), "d": CaseRef(), "u": UserRef(), "v": UserRef()}, [], id="two each"
        ),
    ],
)
def test_key_columns(columns: dict[str, Column[Any]], expected: list[str]) -> None:
    """A kind of which rows have one parts them; of several, any could be the one meant."""
    assert [column.name for column in key_columns(Anything(**columns))] == expected


def test_several_of_both() -> None:
    """When any row could be about any pair, all are one group."""
    importer = Anything(c=CaseRef(), d=CaseRef(), u=UserRef(), v=UserRef())

    assert len(set(keys(importer, "a,b,c,d", "e,f,g,h"))) == 1


def test_no_reference() -> None:
    """Rows that name no case and no user can't meet."""
    assert kinds(Anything(t=Column[str]()), "a", "a") == []


def test_a_column_that_the_file_lacks() -> None:
    """An optional reference that is not in the file tells no rows apart."""
    one, other = keys(REMOVE, "jack-001", "jack-001", names=("user_id",))

    assert one == other


class ByNumber(Reference[Case]):
    """Finds cases in its own way, without being a CaseRef."""


class ByAlias(CaseRef):
    """Finds cases by other names, as documented: by overriding `resolve` alone."""

    async def resolve(self, directory: Any, keys: Collection[str]) -> Mapping[str, Case]:
        """Find the one case that there is."""
        return dict.fromkeys(keys, OPEN)


class Shouted(UserRef):
    """Reads Tag IDs in any case."""

    def parse(self, text: str) -> str:
        """Make the text small."""
        return text.lower()


class Capitals(Column[str]):
    """Reads texts in any case."""

    def parse(self, text: str) -> str:
        """Make the text large."""
        return text.upper()


class Broken(CaseRef):
    """Can't look anything up."""

    async def resolve(self, directory: Any, keys: Collection[str]) -> Mapping[str, Case]:
        """Fail."""
        raise LookupError

    def is_plain(self, key: str) -> bool:
        """Let every key be looked up."""
        return False


class Strict(UserRef):
    """Refuses some texts."""

    def parse(self, text: str) -> str:
        """Fail, in one way or another."""
        return {"x": "y"}[text]


@pytest.mark.parametrize(
    ("columns", "first", "second"),
    [
        pytest.param({"c": ByAlias(), "u": UserRef()}, "one,jack-001", "two,jack-001", id="finds"),
        pytest.param({"c": CaseRef(), "u": Shouted()}, "a,JACK-001", "a,jack-001", id="parse"),
        pytest.param({"c": ByNumber(), "u": UserRef()}, "1,jack-001", "2,jack-001", id="own kind"),
        pytest.param({"c": ByNumber()}, "1", "2", id="own kind alone"),
        pytest.param(
            {"c": CaseRef(default="trv-001"), "u": UserRef()}, ",jack-001", "trv-001,jack-001",
            id="default",
        ),
        pytest.param({"c": CaseRef(), "u": Strict()}, "a,p", "a,p", id="failing to parse"),
    ],
)  # fmt: skip
def test_columns_of_third_parties(columns: dict[str, Column[Any]], first: str, second: str) -> None:
    """A plugin's own look-up can give two names to one thing; such rows stay together."""
    one, other = keys(Anything(**columns), first, second)

    assert one == other


def test_a_look_up_that_fails() -> None:
    """When a column can't say which rows are about the same case, the rows are not grouped."""
    with pytest.raises(UngroupableError, match="LookupError"):
        keys(Anything(c=Broken(), u=UserRef()), "a,jack-001")


@pytest.mark.parametrize("column", [Shouted(), Shouted(is_key=True), Capitals(is_key=True)])
def test_time_that_is_used_up(column: Column[Any]) -> None:
    """Neither is it when there was no time to read all of the cells."""
    guard = Guard("importer 'slow'", total_seconds=0)

    with guarding(guard), pytest.raises(UngroupableError, match="used up"):
        keys(Anything(u=column), "a", "b")


def test_users_are_one_kind() -> None:
    """A user found through another kind of column is still a user."""
    directory = FakeDirectory(known_users=[User(id=1, tag_id="a", email="a@b.c")])
    rows = cells("a@b.c", "A@B.C")
    importer = Anything(u=UserRef(by="email"))
    ((one, other),) = asyncio.run(group_rows(importer, layout(importer), rows, directory)).kinds

    assert one == other


def test_each_key_column_is_a_kind_of_its_own() -> None:
    """Rows can meet by any of their keys; cells that are blank or wrong meet no others."""
    importer = Anything(e=Email(is_key=True), t=TagId(is_key=True), n=Column[str]())
    emails, tags = kinds(
        importer, "jo@x.org,a,n", " JO@x.org , ,n", "al@x.org,a", "bad,b c,n", "bad,b c,n"
    )

    assert emails[0] == emails[1] != emails[2]
    assert tags[0] == tags[2] is not None
    assert [tags[1], emails[3], emails[4], tags[3], tags[4]] == [None] * 5


def test_a_text_in_two_key_columns() -> None:
    """The same text is another thing in another column."""
    one, other = kinds(Anything(a=TagId(is_key=True), b=TagId(is_key=True)), "x,x")

    assert one != other


def test_a_tag_id_that_the_file_gives() -> None:
    """A row can name a user by the Tag ID that another row gives; it does not meet itself."""
    users, tags = kinds(
        Anything(u=UserRef(is_key=True), t=TagId(is_key=True)),
        f"{JACK_ID},fresh-001", "fresh-001,", "jill-001,jill-001",
    )  # fmt: skip

    assert tags[0] == users[1]
    assert tags[2] is None


def test_a_reference_as_key() -> None:
    """What a reference names is a key whichever name it uses; rows about one pair share it."""
    importer = Anything(c=CaseRef(is_key=True), u=UserRef())
    (cases,) = kinds(importer, "trv-001,jack-001", f"{CASE_1},jones-001", ",jack-001")

    assert cases[0] == cases[1]
    assert cases[2] is None


def test_the_only_reference_as_key() -> None:
    """A key that tells rows apart anyway is one kind, not two."""
    assert len(kinds(Anything(c=CaseRef(is_key=True)), "trv-001", "trv-002")) == 1


def test_a_key_column_that_the_file_lacks() -> None:
    """No row meets another by a column that is not there."""
    importer = Anything(e=Email(is_key=True), t=TagId(is_key=True))

    assert kinds(importer, "jo@x.org", names=("e",))[1] == [None]


@pytest.mark.parametrize(
    ("together", "expected"),
    [
        pytest.param(["case"], [[0, 1]], id="by case"),
        pytest.param(["user"], [[0, 2]], id="by user"),
        pytest.param(["case", "user"], [[0, 1], [0, 2]], id="by both"),
        pytest.param([], [[]], id="by pair"),
    ],
)
def test_rows_that_validators_judge_together(
    together: Sequence[str], expected: list[list[int]]
) -> None:
    """Rows about one case, or one user, share a key when a validator counts over them."""
    found = kinds(
        ASSIGN,
        "trv-001,jack-001,,staff,0",
        f"{CASE_1},jones-001,,staff,0",
        f"trv-002,{JACK_ID},,staff,0",
        together=together,
    )
    same = [[row for row in range(3) if keys.count(keys[row]) > 1] for keys in found]

    assert same == expected


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"a": CaseRef(), "b": CaseRef(), "user": UserRef()}, id="several cases"),
    ],
)
def test_rows_of_several_cases_are_all_together(columns: dict[str, Column[Any]]) -> None:
    """Which of several cases a row counts for can't be seen: all rows are one group."""
    (found,) = kinds(Anything(**columns), "a,b,u", "c,d,v", names=list(columns), together=["case"])

    assert len(set(found)) == 1


def test_an_importer_without_cases() -> None:
    """Where no row can be about a case, counting by case changes nothing."""
    importer = Anything(user=UserRef(is_key=True))

    assert kinds(importer, "a", "b", names=["user"], together=["case"]) == kinds(
        importer, "a", "b", names=["user"]
    )


def test_cases_that_a_look_up_of_ones_own_finds() -> None:
    """Where a plugin's own look-up could find cases, all rows are one group."""

    class OwnRef(Reference[Case]):
        async def resolve(self, directory: Any, keys: Any) -> Any:
            return dict.fromkeys(keys, OPEN)

    importer = Anything(desk=OwnRef(), user=UserRef())
    (found,) = kinds(importer, "a,u", "b,v", names=["desk", "user"], together=["case"])

    assert len(set(found)) == 1


class Takeover(Importer):
    """Rows about all cases of two users."""

    case_id = CaseRef()
    old = UserRef()
    new = UserRef(by="email")
    theirs = AssignmentsOf(user="old")


TAKEOVER = Takeover("takeover")


def test_all_assignments_of_users() -> None:
    """Rows share a key that name the same user, in any column and by any name; not those that name
    the same case. A blank cell is nobody."""
    old, new = kinds(
        TAKEOVER,
        "trv-001,jack-001,jones@example.org",
        f"trv-001,{JACK_ID},",
        "trv-001,jones-001,JACK@example.org",
        "trv-001,,",
        "trv-001,gone-001,gone@example.org",
    )

    assert old[0] == old[1] == new[2]
    assert old[2] == new[0]
    assert (old[3], new[1], new[3], new[4]) == (None, None, None, None)
    assert len({old[0], old[2], old[4]}) == 3


class Both(Takeover):
    """Rows about all users of a case as well."""

    people = AssignmentsOf(case="case_id")


@pytest.mark.parametrize(
    ("importer", "together", "is_one_chain"),
    [
        (TAKEOVER, [], False),
        (TAKEOVER, ["user"], False),
        (TAKEOVER, ["case"], True),
        (TAKEOVER, ["case", "user"], True),
        (Both("both"), [], True),
        (Both("both"), ["user"], True),
    ],
)
def test_what_no_column_tells(importer: Importer, together: list[str], is_one_chain: bool) -> None:
    """Rows that may be about the same case are one group if that matters, though they name none."""
    found = kinds(importer, "a,jack-001,", "b,jones-001,", together=together)
    shared = [kind for kind in found if kind[0] is not None and kind[0] == kind[1]]

    assert bool(shared) == is_one_chain
