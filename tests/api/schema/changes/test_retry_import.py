"""Running all failed rows of a kind again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.db import transaction
from models.row import RowResult, RowStatus, write_rows
from tests.api.api_fixture import Api, add_import, node_id, sql

RETRY = """mutation ($id: ID!, $rows: [RowCorrectionInput!], $where: FailedRowsInput,
    $set: [CellInput!]) {
  retryImport(id: $id, rows: $rows, where: $where, set: $set) {
    import { status } userErrors { code field } } }"""
ERROR = {"code": "NOT_FOUND", "message": "no", "column": "user_id", "value": "x"}


@pytest.fixture
async def import_id(api: Api) -> str:
    """A finished import with a failed row."""
    key = await add_import(api.world.app, total=1, failed=1)
    async with transaction() as db:
        row = RowResult(2, b'["a","x"]', RowStatus.FAILED, errors=[ERROR])
        await write_rows(db, api.world.app.id, key, [row])
    return node_id("Import", key)


async def retry(api: Api, **variables: Any) -> Any:
    return (await api.data(RETRY, variables))["retryImport"]


@pytest.mark.parametrize(
    ("where", "stored"),
    [
        ({"code": "NOT_FOUND"}, {"code": "NOT_FOUND"}),
        ({"column": "User ID"}, {"column": "user_id"}),
        ({"column": "user_id", "code": "NOT_FOUND", "value": "x"},
         {"column": "user_id", "code": "NOT_FOUND", "value": "x"}),
    ],
)  # fmt: skip
async def test_where(
    api: Api, import_id: str, where: dict[str, str], stored: dict[str, str]
) -> None:
    """What is left out may be anything; new cells are named as the file's columns."""
    payload = await retry(
        api, id=import_id, where=where, set=[{"column": "User-ID", "value": "jones-001"}]
    )

    assert payload == {"import": {"status": "PROCESSING"}, "userErrors": []}
    assert json.loads(await sql("fetchval", "SELECT retry FROM imports")) == {
        "rows": None, "cells": {}, "where": stored, "set": {"1": "jones-001"},
    }  # fmt: skip


async def test_where_alone(api: Api, import_id: str) -> None:
    """Without new cells, the rows run again with the same data."""
    await retry(api, id=import_id, where={"code": "NOT_FOUND"})

    assert json.loads(await sql("fetchval", "SELECT retry FROM imports"))["set"] == {}


CELLS = [{"column": "user_id", "value": "y"}]


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        ({"where": {"code": "CASE_CLOSED"}}, "NO_SUCH_ROW", ["where"]),
        ({"where": {"code": "NOT_FOUND", "column": None}}, "NO_SUCH_ROW", ["where"]),
        ({"where": {}}, "EMPTY_WHERE", ["where"]),
        ({"where": {"code": "NOT_FOUND"}, "rows": [{"number": 2}]}, "ROWS_AND_WHERE", ["where"]),
        ({"set": CELLS}, "SET_WITHOUT_WHERE", ["set"]),
        ({"set": CELLS, "rows": [{"number": 2}]}, "SET_WITHOUT_WHERE", ["set"]),
        ({"where": {"code": "NOT_FOUND"}, "set": CELLS * 2}, "COLUMN_TWICE", ["set"]),
        ({"where": {"code": "NOT_FOUND"}, "set": [{"column": "no", "value": ""}]},
         "UNKNOWN_COLUMN", ["set"]),
    ],
)  # fmt: skip
async def test_wrong_arguments(
    api: Api, import_id: str, arguments: dict[str, Any], code: str, field: list[str]
) -> None:
    """What can't be meant is refused, with the argument at fault, and nothing is run."""
    payload = await retry(api, id=import_id, **arguments)

    assert payload == {"import": None, "userErrors": [{"code": code, "field": field}]}
    assert await sql("fetchval", "SELECT retry FROM imports") is None


async def test_who_may_not(api: Api, import_id: str) -> None:
    """A viewer may not run rows again; another app does not see the import."""
    variables = {"id": import_id, "where": {"code": "NOT_FOUND"}}
    theirs = (await api.data(RETRY, variables, api.world.stranger))["retryImport"]

    assert await api.code(RETRY, variables, api.world.viewer) == "FORBIDDEN"
    assert theirs["userErrors"] == [{"code": "NOT_FOUND", "field": ["id"]}]
    assert await sql("fetchval", "SELECT retry FROM imports") is None
