"""Rows found by their errors and by their texts."""

from __future__ import annotations

from typing import Any

import pytest

from models.db import transaction
from models.row import RowOutcome, RowResult, RowStatus, write_rows
from tests.api.api_fixture import Api, add_import, node_id

ROWS = """query ($id: ID!, $status: [RowStatus!], $code: [String!], $column: [String!],
    $value: String, $search: String, $first: Int, $after: String) {
  import(id: $id) { rows(status: $status, code: $code, column: $column, value: $value,
      search: $search, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor } edges { node { number } } } } }"""


def error(code: str, column: str | None = None, value: str | None = None) -> dict[str, Any]:
    return {"code": code, "message": f"{code} is 100% \\wrong", "column": column, "value": value}


@pytest.fixture
async def rows_of(api: Api) -> str:
    """An import with two passed and four failed rows."""
    app = api.world.app
    key = await add_import(app, total=6, passed=2, failed=4, created=2)
    failed, passed = RowStatus.FAILED, RowStatus.PASSED
    rows = [
        RowResult(2, '["trv-1","Jürgen \\"J\\""]'.encode(), passed, RowOutcome.CREATED),
        RowResult(3, b'["trv-2","x"]', passed, RowOutcome.CREATED, "repeats row 2"),
        RowResult(4, b'["trv-3","x"]', failed, errors=[error("NOT_FOUND", "case_id", "x")]),
        RowResult(5, b'["trv-4","y"]', failed, errors=[error("NOT_FOUND", "user_id", "x"),
                                                       error("CLOSED", "case_id", "y")]),
        RowResult(6, b'["trv-5","z"]', failed, errors=[error("CONFLICT")]),
        RowResult(7, b'["trv_5","z"]', failed, errors=[error("CLOSED", "user_id", 'a"b')]),
    ]  # fmt: skip
    async with transaction() as db:
        await write_rows(db, app.id, key, rows)
    return node_id("Import", key)


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({"code": ["NOT_FOUND"]}, [4, 5]),
        ({"code": ["CLOSED", "CONFLICT"]}, [5, 6, 7]),
        ({"column": ["case_id"]}, [4, 5]),
        ({"column": ["Case ID", "user_id"]}, [4, 5, 7]),
        ({"value": "x"}, [4, 5]),
        ({"value": 'a"b'}, [7]),
        ({"code": ["NOT_FOUND"], "column": ["user_id"]}, [5]),
        ({"code": ["CLOSED"], "value": "x"}, []),
        ({"code": ["CLOSED"], "column": ["case_id"], "value": "y"}, [5]),
        ({"code": []}, []),
        ({"code": ["NOT_FOUND"], "status": ["PASSED"]}, []),
        ({"search": "JÜRGEN"}, [2]),
        ({"search": '"j"'}, [2]),
        ({"search": "repeats"}, [3]),
        ({"search": "conflict is"}, [6]),
        ({"search": "0% \\w"}, [4, 5, 6, 7]),
        ({"search": "trv_5"}, [7]),
        ({"search": "trv-"}, [2, 3, 4, 5, 6]),
        ({"search": "z", "code": ["CLOSED"]}, [7]),
        ({"search": "x", "status": ["PASSED"]}, [3]),
        ({"search": " "}, [2, 3, 4, 5, 6, 7]),
        # What only the stored form has.
        ({"search": ","}, []),
        ({"search": "null"}, []),
        ({"search": "case_id"}, []),
        ({"search": "["}, []),
        ({"search": "\\"}, [4, 5, 6, 7]),
    ],
)
async def test_filters(api: Api, rows_of: str, filters: dict[str, Any], numbers: list[int]) -> None:
    """One error has the code, the column and the value; a text is in a cell or in a message."""
    found = (await api.data(ROWS, {"id": rows_of, **filters}))["import"]["rows"]

    assert [edge["node"]["number"] for edge in found["edges"]] == numbers
    assert found["totalCount"] == len(numbers)


async def test_pages_of_filtered_rows(api: Api, rows_of: str) -> None:
    """Filtered rows come in pages, with the right end."""
    filters = {"id": rows_of, "code": ["CLOSED"], "first": 1}
    first = (await api.data(ROWS, filters))["import"]["rows"]
    after = first["pageInfo"]["endCursor"]
    second = (await api.data(ROWS, {**filters, "after": after}))["import"]["rows"]

    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
    assert second["edges"] == [{"node": {"number": 7}}]
    assert first["totalCount"] == second["totalCount"] == 2


async def test_too_many_kinds(api: Api, rows_of: str) -> None:
    """Each row is compared with each kind of error, so there may not be many."""
    codes, columns = [f"C{n}" for n in range(20)], [f"c{n}" for n in range(20)]

    assert await api.code(ROWS, {"id": rows_of, "code": codes, "column": columns}) == "TOO_COMPLEX"
    assert await api.code(ROWS, {"id": rows_of, "code": codes * 20}) == "TOO_COMPLEX"


async def test_another_app(api: Api, rows_of: str) -> None:
    """Another app finds nothing, whatever it looks for."""
    found = await api.data(ROWS, {"id": rows_of, "search": "trv"}, api.world.stranger)

    assert found == {"import": None}
