"""Groups of failed rows as clients see them."""

from __future__ import annotations

from typing import Any

import pytest

from models.db import transaction
from models.imports import ImportStatus
from models.row import RowResult, RowStatus, write_rows
from tests.api.api_fixture import Api, add_import, node_id, sql

GROUPS = """query ($id: ID!, $first: Int, $after: String) { import(id: $id) {
  errorGroups(first: $first, after: $after) {
    totalCount isComplete pageInfo { hasNextPage endCursor }
    edges { node {
      column code value suggestion message params { name value } count rows firstRow } } } } }"""
NOT_FOUND = {
    "code": "NOT_FOUND", "message": "User Id: no user has the Tag ID or ID 'jones-1'.",
    "column": "user_id", "value": "jones-1", "suggestion": "jones-001",
    "params": {"noun": "user", "text": "jones-1"},
}  # fmt: skip
CLOSED = {"code": "CASE_CLOSED", "message": "Case Id: is closed.", "column": "case_id",
          "value": "trv-002", "suggestion": None}  # fmt: skip
WHOLE = {"code": "ALREADY_ASSIGNED", "message": "Is on it.", "column": None, "value": None}


async def add_failed(api: Api, *, is_running: bool = False, purged: bool = False) -> str:
    """Add an import with four failed rows; return its ID."""
    app = api.world.app
    now = await sql("fetchval", "SELECT now()")
    key = await add_import(
        app,
        status=ImportStatus.PROCESSING if is_running else ImportStatus.PROCESSED,
        total=9,
        failed=4,
        passed=5,
        finished_at=None if is_running else now,
        purged_at=now if purged else None,
    )
    rows = {3: [WHOLE], 4: [NOT_FOUND], 5: [NOT_FOUND, CLOSED], 8: [NOT_FOUND]}
    async with transaction() as db:
        await write_rows(db, app.id, key, [
            RowResult(number, b'["a","b"]', RowStatus.FAILED, errors=errors)
            for number, errors in rows.items()
        ])  # fmt: skip
    return node_id("Import", key)


async def groups(api: Api, import_id: str, token: str | None = None, **page: Any) -> Any:
    found = await api.data(GROUPS, {"id": import_id, **page}, token)
    return found["import"]["errorGroups"]


@pytest.mark.parametrize("is_running", [False, True])
async def test_groups(api: Api, is_running: bool) -> None:
    """The largest come first, each with the error of its first row; also of a running import."""
    found = await groups(api, await add_failed(api, is_running=is_running))

    assert (found["totalCount"], found["isComplete"]) == (3, True)
    assert [edge["node"] for edge in found["edges"]] == [
        {
            "column": "user_id", "code": "NOT_FOUND", "value": "jones-1",
            "suggestion": "jones-001",
            "message": "User Id: no user has the Tag ID or ID 'jones-1'.",
            "params": [{"name": "noun", "value": "user"}, {"name": "text", "value": "jones-1"}],
            "count": 3, "rows": ["4-5", "8"], "firstRow": 4,
        },
        {
            "column": None, "code": "ALREADY_ASSIGNED", "value": None, "suggestion": None,
            "message": "Is on it.", "params": [], "count": 1, "rows": ["3"], "firstRow": 3,
        },
        {
            "column": "case_id", "code": "CASE_CLOSED", "value": "trv-002", "suggestion": None,
            "message": "Case Id: is closed.", "params": [], "count": 1, "rows": ["5"],
            "firstRow": 5,
        },
    ]  # fmt: skip


@pytest.mark.parametrize("is_running", [False, True])
async def test_pages(api: Api, is_running: bool) -> None:
    """Groups come in pages, as all lists do."""
    import_id = await add_failed(api, is_running=is_running)
    first = await groups(api, import_id, first=2)
    rest = await groups(api, import_id, first=2, after=first["pageInfo"]["endCursor"])

    assert first["pageInfo"]["hasNextPage"]
    assert not rest["pageInfo"]["hasNextPage"]
    assert [edge["node"]["code"] for page in (first, rest) for edge in page["edges"]] == [
        "NOT_FOUND", "ALREADY_ASSIGNED", "CASE_CLOSED",
    ]  # fmt: skip


async def test_many_failed_rows_of_a_running_import(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a large import runs, its first failed rows are grouped, and the answer says so."""
    monkeypatch.setattr("api.schema.importing.error_groups.EARLY_ROWS", 2)
    found = await groups(api, await add_failed(api, is_running=True))

    assert not found["isComplete"]
    assert [edge["node"]["count"] for edge in found["edges"]] == [1, 1]


async def test_several_imports_at_once(api: Api) -> None:
    """In one operation, each import has its own groups, whether it runs or not."""
    ended, running = await add_failed(api), await add_failed(api, is_running=True)
    await sql("execute", "DELETE FROM import_rows WHERE id = (SELECT max(id) FROM import_rows)")
    query = f"""{{ a: import(id: "{ended}") {{ ...G }} b: import(id: "{running}") {{ ...G }} }}
      fragment G on Import {{ errorGroups(first: 1) {{ edges {{ node {{ count rows }} }} }} }}"""
    found = await api.data(query)

    [a], [b] = (found[name]["errorGroups"]["edges"] for name in "ab")
    assert a["node"] == {"count": 3, "rows": ["4-5", "8"]}
    assert b["node"] == {"count": 2, "rows": ["4-5"]}


async def test_no_failed_rows(api: Api) -> None:
    """An import without failed rows, or whose rows were removed, has no groups."""
    passed = await add_import(api.world.app, total=1, passed=1, created=1)
    purged = await add_failed(api, purged=True)

    for import_id in (node_id("Import", passed), purged):
        found = await groups(api, import_id)
        assert (found["totalCount"], found["isComplete"], found["edges"]) == (0, True, [])


async def test_readers(api: Api) -> None:
    """A viewer may read groups; another app does not even see the import."""
    import_id = await add_failed(api)

    assert (await groups(api, import_id, api.world.viewer))["totalCount"] == 3
    assert await api.data(GROUPS, {"id": import_id}, api.world.stranger) == {"import": None}
