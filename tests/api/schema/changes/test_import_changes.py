"""What an import has changed, or a dry run would change, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from importers import (
    Applied,
    Assign,
    CaseRef,
    Column,
    Difference,
    Importer,
    OwnChange,
    Remove,
    RoleRef,
    Row,
    UserRef,
)
from importers.plugins.registry import load
from importers.run_inline import run_here
from models.own_table import creation
from tests.api.api_fixture import Api, add_cases, add_import, add_users, node_id, sql
from tests.api.schema.changes.import_runner import nodes, run, run_custom
from tests.importers.own_tables import Rate, Rates

CHANGES = """query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String,
    $kind: [ChangeKind!], $case: ID, $user: ID) {
  import(id: $id) { changes(first: $first, after: $after, last: $last, before: $before,
      kind: $kind, case: $case, user: $user) {
    totalCount pageInfo { hasNextPage hasPreviousPage }
    edges { cursor node { row kind isStale case { tagId } user { tagId email }
      fields { name before after } } } } } }"""
ROWS = """query ($id: ID!) { import(id: $id) { rows { edges { node {
  number outcome changes { name before after } } } } } }"""


async def changes(api: Api, import_id: str, **arguments: Any) -> dict[str, Any]:
    data = await api.data(CHANGES, {"id": import_id, **arguments})
    found: dict[str, Any] = data["import"]["changes"]
    return found


async def shown(api: Api, import_id: str, **arguments: Any) -> list[tuple[Any, ...]]:
    """Return row, kind, case, user and fields of each change."""
    return [
        (
            node["row"],
            node["kind"],
            node["case"] and node["case"]["tagId"],
            node["user"] and (node["user"]["tagId"] or node["user"]["email"]),
            {each["name"]: (each["before"], each["after"]) for each in node["fields"]},
        )
        for node in nodes(await changes(api, import_id, **arguments))
    ]


async def fill(api: Api, cases: int = 3, users: int = 3) -> None:
    api.world.cases = await add_cases(api.world.app, cases)
    api.world.users = await add_users(api.world.app, users)


@pytest.mark.parametrize("is_dry_run", [True, False])
async def test_assignments(api: Api, is_dry_run: bool) -> None:
    """Fields have the names and values of files; only what differs is shown of an update."""
    await fill(api)
    await run(api, "assign", "case-1,user-1,staff,0", "case-1,user-2,clients,1")

    assign = await run(
        api, "assign", "case-1,user-1,staff,0", "case-2,user-1,clients,1", is_dry_run=is_dry_run
    )
    modify = await run(
        api,
        "modify",
        "case-1,user-1,clients,",
        "case-9,user-1,clients,",
        "case-1,user-2,staff,0",
        is_dry_run=is_dry_run,
    )
    remove = await run(api, "remove", "case-1,user-2", is_dry_run=is_dry_run)

    created = {"case_role_id": (None, "clients"), "case_notify": (None, "1")}
    assert await shown(api, assign) == [(3, "CREATE", "case-2", "user-1", created)]
    role, notify = {"case_role_id": ("staff", "clients")}, {"case_notify": ("1", "0")}
    back = {"case_role_id": ("clients", "staff"), **notify}
    assert await shown(api, modify) == [
        (2, "UPDATE", "case-1", "user-1", role),
        (4, "UPDATE", "case-1", "user-2", back),
    ]
    left = ("clients", "1") if is_dry_run else ("staff", "0")
    removed = {"case_role_id": (left[0], None), "case_notify": (left[1], None)}
    assert await shown(api, remove) == [(2, "REMOVE", "case-1", "user-2", removed)]


COUNTS = """query ($id: ID!) { import(id: $id) {
  passed created updated removed unchanged
  all: rows { totalCount } removing: rows(outcome: [REMOVED]) { totalCount }
  changes(kind: [REMOVE]) { totalCount } } }"""


@pytest.mark.parametrize("is_dry_run", [True, False])
async def test_removals_of_groups(api: Api, is_dry_run: bool) -> None:
    """Those of a sync belong to no row: all count as removed, and are changes of the first row."""
    await fill(api)
    await run(api, "assign", *[f"case-{c},user-{u},staff,0" for c in (1, 2) for u in (1, 2, 3)])

    sync = await run(api, "sync", "case-1,user-1,staff,0", "case-2,user-1,clients,0",
                     is_dry_run=is_dry_run)  # fmt: skip

    gone = {"case_role_id": ("staff", None), "case_notify": ("0", None)}
    assert await shown(api, sync) == [
        (2, "REMOVE", "case-1", "user-2", gone),
        (2, "REMOVE", "case-1", "user-3", gone),
        (3, "REMOVE", "case-2", "user-2", gone),
        (3, "REMOVE", "case-2", "user-3", gone),
        (3, "UPDATE", "case-2", "user-1", {"case_role_id": ("staff", "clients")}),
    ]
    assert len(await shown(api, sync, kind=["REMOVE"])) == 4
    assert (await api.data(COUNTS, {"id": sync}))["import"] == {
        "passed": 2,
        "created": 0,
        "updated": 1,
        "removed": 4,
        "unchanged": 0,
        "all": {"totalCount": 2},
        "removing": {"totalCount": 1},
        "changes": {"totalCount": 4},
    }


@pytest.mark.parametrize("is_dry_run", [True, False])
async def test_users_and_cases(api: Api, is_dry_run: bool) -> None:
    """Fields of users and cases have the names of their columns; a dry run's new ones no object."""
    await fill(api)

    add_user = await run(api, "add-users", "Jo@example.org,Jo,,sp,,jo-1", is_dry_run=is_dry_run)
    modify_user = await run(
        api, "modify-users", "user-1,Name1,,,0", "user-2,,en,,1", is_dry_run=is_dry_run
    )
    add_case = await run(api, "add-cases", "new-1,,01/31/2026,Smith", is_dry_run=is_dry_run)
    modify_case = await run(api, "modify-cases", "case-1,0,01/31/2026,", is_dry_run=is_dry_run)

    fields = {
        "username": (None, "Jo@example.org"),
        "given_name": (None, "Jo"),
        "locale": (None, "es"),
        "host_tag_id": (None, "jo-1"),
    }
    assert await shown(api, add_user) == [
        (2, "CREATE", None, None if is_dry_run else "jo-1", fields)
    ]
    assert await shown(api, modify_user) == [
        (2, "UPDATE", None, "user-1", {"host_user_status": ("1", "0")}),
        (3, "UPDATE", None, "user-2", {"locale": (None, "en")}),
    ]
    fields = {
        "tag_id": (None, "new-1"),
        "about": (None, "Smith"),
        "case_status": (None, "1"),
        "date_opened": (None, "2026-01-31"),
    }
    assert await shown(api, add_case) == [
        (2, "CREATE", None if is_dry_run else "new-1", None, fields)
    ]
    fields = {"case_status": ("1", "0"), "date_opened": (None, "2026-01-31")}
    assert await shown(api, modify_case) == [(2, "UPDATE", "case-1", None, fields)]


async def test_rows(api: Api) -> None:
    """Each row of an import says what it has changed, and one that did nothing says nothing."""
    await fill(api)
    await run(api, "assign", "case-1,user-1,staff,0")

    import_id = await run(api, "modify", "case-1,user-1,clients,", "case-1,user-1,clients,")

    found = nodes((await api.data(ROWS, {"id": import_id}))["import"]["rows"])
    assert found == [
        {
            "number": 2,
            "outcome": "UPDATED",
            "changes": [{"name": "case_role_id", "before": "staff", "after": "clients"}],
        },
        {"number": 3, "outcome": "UNCHANGED", "changes": []},
    ]


class Swaps(Importer):
    """Puts a user on a case in the place of another: two changes a row, of two kinds."""

    label = "Swaps"
    description = "Swaps users."
    columns: ClassVar = {
        "case": CaseRef(is_key=True),
        "out": UserRef(is_key=True),
        "into": UserRef(is_key=True),
        "role": RoleRef(),
    }

    def change(self, row: Row) -> Any:
        return [
            Remove(case=row.case, user=row.out),
            Assign(case=row.case, user=row.into, role=row.role),
        ]


@pytest.mark.parametrize("is_dry_run", [True, False])
async def test_several_changes_of_a_row(api: Api, is_dry_run: bool) -> None:
    """Each change of a row is an entry, with its own kind; pages may end within a row."""
    await fill(api, users=6)
    await run(
        api, "assign", "case-1,user-1,staff,0", "case-2,user-2,staff,0", "case-3,user-3,staff,0"
    )
    rows = [
        "case-1,user-1,user-4,staff",
        "case-2,user-2,user-5,staff",
        "case-3,user-3,user-6,staff",
    ]
    swaps = "\n".join(["case,out,into,role", *rows])

    import_id = await run_custom(api, Swaps("swaps"), swaps, is_dry_run=is_dry_run)

    whole = [each[:4] for each in await shown(api, import_id)]
    assert whole == [
        (2, "REMOVE", "case-1", "user-1"),
        (2, "CREATE", "case-1", "user-4"),
        (3, "REMOVE", "case-2", "user-2"),
        (3, "CREATE", "case-2", "user-5"),
        (4, "REMOVE", "case-3", "user-3"),
        (4, "CREATE", "case-3", "user-6"),
    ]
    first = await changes(api, import_id, first=3)
    cursor = first["edges"][-1]["cursor"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (6, True)
    assert [each[:4] for each in await shown(api, import_id, after=cursor)] == whole[3:]
    assert [each[:4] for each in await shown(api, import_id, last=9, before=cursor)] == whole[:2]
    assert [each[:4] for each in await shown(api, import_id, kind=["CREATE"])] == whole[1::2]
    user = node_id("User", api.world.users[4])
    assert [each[:4] for each in await shown(api, import_id, user=user)] == [whole[3]]
    case = node_id("Case", api.world.cases[2])
    assert [each[:4] for each in await shown(api, import_id, case=case)] == whole[4:]
    assert (await changes(api, import_id, kind=["CREATE"], case=case))["totalCount"] == 1
    assert (await changes(api, import_id, kind=["UPDATE"]))["totalCount"] == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(OwnChange):
    """Moves a desk; says so, or does not."""

    desk: str
    floor: str

    @property
    def keys(self) -> tuple[Any, ...]:
        return (("desk", self.desk),)

    def wish(self) -> Any:
        return ("Move", self.desk, self.floor)

    @classmethod
    async def apply(cls, changes: Sequence[Move], transaction: Any) -> list[Applied]:
        return [
            Applied(
                "UPDATED",
                difference=Difference(before={"floor": 1}, after={"floor": int(each.floor)})
                if each.floor
                else None,
            )
            for each in changes
        ]


class Desks(Importer):
    label = "Desks"
    description = "Moves desks."
    columns: ClassVar = {"desk": Column[str](is_key=True), "floor": Column[str](default="")}

    def change(self, row: Row) -> Move:
        return Move(desk=row.desk, floor=row.floor)


@pytest.mark.parametrize("is_dry_run", [True, False])
async def test_custom_changes(api: Api, is_dry_run: bool) -> None:
    """A plugin's fields have its names; what it does not say has none, and the row's outcome."""
    import_id = await run_custom(api, Desks("desks"), "desk,floor\na,2\nb,", is_dry_run=is_dry_run)

    assert await shown(api, import_id) == [
        (2, "UPDATE", None, None, {"floor": ("1", "2")}),
        (3, "UPDATE", None, None, {}),
    ]
    found = await changes(api, import_id)
    assert [each["isStale"] for each in nodes(found)] == [False, False]
    assert found["totalCount"] == 2


async def test_rows_stored_before_there_were_changes(api: Api) -> None:
    """Rows of earlier versions say what they did, and nothing of what."""
    await fill(api)
    import_id = await run(api, "assign", "case-1,user-1,staff,0")
    await sql("execute", "UPDATE import_rows SET case_id = NULL, user_id = NULL, after = NULL")

    assert await shown(api, import_id) == [(2, "CREATE", None, None, {})]


async def test_pages(api: Api) -> None:
    """Pages forth and back have the same changes; filters and counts agree."""
    await fill(api, cases=5, users=5)
    rows = [f"case-{c},user-{u},staff,0" for c in range(1, 6) for u in range(1, 6)]
    import_id = await run(api, "assign", *rows, "case-9,user-1,staff,0", is_dry_run=True)

    whole = await changes(api, import_id)
    cursors = [edge["cursor"] for edge in whole["edges"]]
    assert whole["totalCount"] == len(cursors) == 25
    assert [each["row"] for each in nodes(whole)] == list(range(2, 27))
    deep = await changes(api, import_id, first=4, after=cursors[19])
    assert [edge["cursor"] for edge in deep["edges"]] == cursors[20:24]
    assert deep["pageInfo"] == {"hasNextPage": True, "hasPreviousPage": True}
    back = await changes(api, import_id, last=3, before=cursors[5])
    assert [edge["cursor"] for edge in back["edges"]] == cursors[2:5]
    case = node_id("Case", api.world.cases[1])
    of_case = await changes(api, import_id, case=case, first=2)
    assert (of_case["totalCount"], [each["row"] for each in nodes(of_case)]) == (5, [7, 8])
    user = node_id("User", api.world.users[0])
    both = await changes(api, import_id, case=case, user=user)
    assert (both["totalCount"], [each["row"] for each in nodes(both)]) == (1, [7])
    assert (await changes(api, import_id, kind=["CREATE"]))["totalCount"] == 25
    for nothing in ({"kind": ["UPDATE"]}, {"kind": []}, {"user": "x"}, {"case": user}):
        assert (await changes(api, import_id, **nothing))["totalCount"] == 0
        assert (await changes(api, import_id, **nothing))["edges"] == []


async def test_stale_plan(api: Api) -> None:
    """A dry run's change is stale once what it found is no longer stored; in full, each kind."""
    await fill(api)
    await run(api, "assign", "case-1,user-1,staff,0", "case-1,user-2,staff,0")
    plans = [
        await run(api, "assign", "case-2,user-1,staff,0", is_dry_run=True),
        await run(api, "modify", "case-1,user-1,clients,0", is_dry_run=True),
        await run(api, "remove", "case-1,user-2", is_dry_run=True),
        await run(api, "add-users", "jo@example.org,Jo,,,,jo-1", is_dry_run=True),
        await run(api, "add-cases", "new-1,,,Smith", is_dry_run=True),
        await run(api, "modify-users", "user-1,Jill,,,", is_dry_run=True),
        await run(api, "modify-cases", "case-3,0,,", is_dry_run=True),
    ]

    async def stale() -> list[bool]:
        return [nodes(await changes(api, plan))[0]["isStale"] for plan in plans]

    assert await stale() == [False] * 7
    await run(api, "assign", "case-2,user-1,clients,0")
    await run(api, "modify", "case-1,user-1,clients,1", "case-1,user-2,staff,1")
    await run(api, "add-users", "JO@example.org,Jo,,,,", "x@example.org,X,,,,x-1")
    await run(api, "add-cases", "new-1,,,Jones")
    await run(api, "modify-users", "user-1,Kim,,,")
    await run(api, "modify-cases", "case-3,,01/31/2026,other")
    # The last plan found a case that is open, and it is open still.
    assert await stale() == [True] * 6 + [False]


async def test_stale_import(api: Api) -> None:
    """A change that was made is stale once what it left is no longer stored."""
    await fill(api)
    done = [
        await run(api, "assign", "case-1,user-1,staff,0"),
        await run(api, "add-users", "jo@example.org,Jo,,,,"),
        await run(api, "modify-cases", "case-3,0,,"),
    ]

    async def stale() -> list[bool]:
        return [nodes(await changes(api, each))[0]["isStale"] for each in done]

    assert await stale() == [False] * 3
    await run(api, "remove", "case-1,user-1")
    await sql("execute", "UPDATE users SET given_name = 'Jim' WHERE given_name = 'Jo'")
    await run(api, "modify-cases", "case-3,1,,")
    assert await stale() == [True] * 3


async def test_one_by_one(api: Api) -> None:
    """Where the executor calls resolvers one by one, they find the same."""
    await fill(api)
    import_id = await run(
        api, "assign", "case-1,user-1,staff,0", "case-2,user-2,staff,0", is_dry_run=True
    )
    query = """query ($id: ID!) { import(id: $id) { changes { edges { node { isStale
      user { tagId } case { tagId assignments { edges { node { createdBy { import { name } } } } }
      } } } } rows { edges { node { changes { name } message } } } } }"""

    found = nodes((await api.data(query, {"id": import_id}))["import"]["changes"])

    assert [(each["isStale"], each["user"]["tagId"], each["case"]["tagId"]) for each in found] == [
        (False, "user-1", "case-1"),
        (False, "user-2", "case-2"),
    ]


async def test_others(api: Api) -> None:
    """A viewer sees the changes; another app does not see the import, nor cases by its filter."""
    await fill(api)
    import_id = await run(api, "assign", "case-1,user-1,staff,0", is_dry_run=True)

    seen = await api.data(CHANGES, {"id": import_id}, api.world.viewer)
    hidden = await api.data(CHANGES, {"id": import_id}, api.world.stranger)

    assert len(seen["import"]["changes"]["edges"]) == 1
    assert hidden == {"import": None}


async def test_purged(api: Api) -> None:
    """Once the rows were removed, there are no changes."""
    key = await add_import(api.world.app, created=3, total=3, passed=3, purged_at=None)
    await sql("execute", "UPDATE imports SET purged_at = now() WHERE id = $1", key)

    found = await changes(api, node_id("Import", key))

    assert (found["totalCount"], found["edges"]) == (0, [])


@pytest.mark.parametrize("cursor", ["x", "cm93OjE="])
async def test_wrong_cursor(api: Api, cursor: str) -> None:
    """A cursor of another list is refused."""
    await fill(api)
    import_id = await run(api, "assign", "case-1,user-1,staff,0")

    assert await api.code(CHANGES, {"id": import_id, "after": cursor}) == "BAD_CURSOR"


async def test_names_of_columns(api: Api) -> None:
    """Fields are called as the columns of the type's own files."""
    await fill(api)
    files = {
        "add-users": "jo@example.org,Jo,Smith,en,America/New_York,jo-1",
        "modify-users": "user-1,Kim,es,,0",
        "add-cases": "new-1,0,01/31/2026,Smith",
        "modify-cases": "case-1,0,02/28/2026,other",
    }
    for type_, row in files.items():
        import_id = await run(api, type_, row, is_dry_run=True)
        query = "query ($id: ID!) { import(id: $id) { type { columns { name } } } }"
        found = (await api.data(query, {"id": import_id}))["import"]["type"]["columns"]
        [(*_, fields)] = await shown(api, import_id)

        assert fields.keys() <= {column["name"] for column in found}
        assert len(fields) >= 3


async def stale_in(api: Api, import_id: str) -> list[bool]:
    return [node["isStale"] for node in nodes(await changes(api, import_id))]


async def test_a_plugins_own_records(api: Api) -> None:
    """Their changes name the record, and have what tells it from others; so has the history."""
    await fill(api)
    table = Rate._declaration.own_table
    for statement in creation(table):
        await sql("execute", statement)
    rates = Rates("rates")
    first = await run_custom(api, rates, "verb,case_id,code,amount\n,case-1,A,1.50\n")
    plan = await run_custom(
        api, rates, "verb,case_id,code,amount\n,case-1,A,3\n,case-2,A,3\n", is_dry_run=True
    )
    fresh = [await stale_in(api, each) for each in (first, plan)]
    second = await run_custom(api, rates, "verb,case_id,code,amount\n,case-1,A,2\n")
    overtaken = [await stale_in(api, each) for each in (first, plan, second)]
    await run_custom(api, rates, "verb,case_id,code,amount\n,case-1,A,1.50\n,case-2,A,1\n")
    again = [await stale_in(api, each) for each in (first, plan, second)]
    case = '{ case(by: {tagId: "case-1"}) { history(first: 9) { edges { node { record'
    history = await api.data(f"{case} fields {{ name before after }} }} }} }} }} }}")
    await sql("execute", "DROP TABLE kit_rates")

    assert fresh == [[False], [False, False]]
    assert overtaken == [[True], [True, False], [False]]
    # What is stored is again what the first has left, and what the plan has found of one of them.
    assert again == [[False], [False, True], [True]]
    created = {"code": (None, "A"), "amount": (None, "1.50"), "is_net": (None, "0")}
    updated = {"code": ("A", "A"), "amount": ("1.50", "2")}
    assert await shown(api, first) == [(2, "CREATE", "case-1", None, created)]
    assert await shown(api, second) == [(2, "UPDATE", "case-1", None, updated)]
    query = "query ($id: ID!) { import(id: $id) { changes { edges { node { record } } } } }"
    named = await api.data(query, {"id": second})
    assert nodes(named["import"]["changes"]) == [{"record": "rate"}]
    [latest, *_] = nodes(history["case"]["history"])
    assert latest == {
        "record": "rate",
        "fields": [
            {"name": "amount", "before": "2", "after": "1.50"},
            {"name": "code", "before": "A", "after": "A"},
        ],
    }


async def test_a_retry_that_is_held(api: Api) -> None:
    """What would be released is listed; what was done before the retry is not."""
    await fill(api)
    import_id = await run(api, "assign", "case-0,user-0,staff,0", "case-1,nobody,staff,0")
    await sql("execute", "UPDATE apps SET requires_release = true")
    query = (
        "mutation ($id: ID!, $rows: [RowCorrectionInput!]) {"
        " retryImport(id: $id, rows: $rows) { userErrors { code } } }"
    )
    cells = [{"column": "user_id", "value": "user-1"}]
    await api.data(query, {"id": import_id, "rows": [{"number": 3, "cells": cells}]})
    await run_here(await sql("fetchval", "SELECT max(id) FROM imports"), load().importers)
    held = await changes(api, import_id)

    assert await sql("fetchval", "SELECT status FROM imports") == "HELD"
    assert [node["row"] for node in nodes(held)] == [3]
    assert held["totalCount"] == 1
