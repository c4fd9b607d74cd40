"""Cancelling imports and running failed rows again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.file_upload import FileVar
from gql.transport.websockets import WebsocketsTransport

from models.db import transaction
from models.imports import ImportStatus
from models.row import RowOutcome, RowResult, RowStatus, write_rows
from tests.api.api_fixture import ASSIGN, PREFLIGHT, Api, add_import, bearer, node_id, sql

CANCEL = """mutation ($id: ID!) { cancelImport(id: $id) {
  import { id cancelRequested status } userErrors { code field } } }"""
RETRY = """mutation ($id: ID!, $rows: [RowCorrectionInput!]) { retryImport(id: $id, rows: $rows) {
  import { id status progress } userErrors { code field } } }"""


@pytest.fixture
def enqueued(api: Api, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What was put into the queue."""
    calls: list[tuple[str, int]] = []

    async def split(import_id: int) -> None:
        calls.append(("split", import_id))

    async def chunks(import_id: int) -> None:
        calls.append(("chunks", import_id))

    monkeypatch.setattr(api.server.services.queue, "enqueue_split", split)
    monkeypatch.setattr(api.server.services.queue, "enqueue_run", chunks)
    return calls


async def add_failed(api: Api, **columns: Any) -> int:
    """Add a finished import of which the rows 3 and 4 have failed."""
    app = api.world.app
    counters = {"total": 3, "passed": 1, "failed": 2, "created": 1, **columns}
    key = await add_import(app, **counters)
    rows = [
        RowResult(2, b'["a","b"]', RowStatus.PASSED, RowOutcome.CREATED),
        RowResult(3, b'["c","d"]', RowStatus.FAILED),
        RowResult(4, b'["e","f"]', RowStatus.FAILED),
    ]
    async with transaction() as db:
        await write_rows(db, app.id, key, rows)
    return key


@pytest.mark.parametrize("status", [ImportStatus.QUEUED, ImportStatus.PROCESSING])
async def test_cancel(api: Api, status: ImportStatus, enqueued: list[tuple[str, int]]) -> None:
    """A cancel is a wish that workers are told of; asking twice changes nothing."""
    key = await add_import(api.world.app, status=status)

    for _ in range(2):
        payload = (await api.data(CANCEL, {"id": node_id("Import", key)}))["cancelImport"]
        assert payload["userErrors"] == []
        assert payload["import"]["cancelRequested"]

    assert set(enqueued) == {("split", key), ("chunks", key)}


@pytest.mark.parametrize("status", [each for each in ImportStatus if each.is_final])
async def test_cancel_too_late(
    api: Api, status: ImportStatus, enqueued: list[tuple[str, int]]
) -> None:
    """What is finished can't be cancelled."""
    key = await add_import(api.world.app, status=status)

    payload = (await api.data(CANCEL, {"id": node_id("Import", key)}))["cancelImport"]

    assert payload == {"import": None, "userErrors": [{"code": "FINISHED", "field": ["id"]}]}
    assert enqueued == []


@pytest.mark.parametrize("import_id", ["nonsense", node_id("Import", 0), node_id("Case", 1)])
async def test_no_such_import(api: Api, import_id: str) -> None:
    """What is not an import can be neither cancelled nor run again."""
    cancelled = (await api.data(CANCEL, {"id": import_id}))["cancelImport"]
    retried = (await api.data(RETRY, {"id": import_id}))["retryImport"]

    assert (
        cancelled["userErrors"] == retried["userErrors"] == [{"code": "NOT_FOUND", "field": ["id"]}]
    )


async def test_retry_everything(api: Api, enqueued: list[tuple[str, int]]) -> None:
    """Without rows, every failed row is run again, and workers are told."""
    key = await add_failed(api)

    payload = (await api.data(RETRY, {"id": node_id("Import", key)}))["retryImport"]

    assert payload["userErrors"] == []
    assert payload["import"]["status"] == "PROCESSING"
    assert payload["import"]["progress"] < 1
    assert enqueued == [("split", key)]
    assert json.loads(await sql("fetchval", "SELECT retry FROM imports"))["rows"] is None


async def test_retry_some(api: Api, enqueued: list[tuple[str, int]]) -> None:
    """Rows can be chosen, and their cells corrected by the names of the columns."""
    key = await add_failed(api)
    rows = [
        {"number": 4, "cells": [{"column": "User-ID", "value": "x"}]},
        {"number": 3},
    ]

    payload = (await api.data(RETRY, {"id": node_id("Import", key), "rows": rows}))["retryImport"]

    stored = json.loads(await sql("fetchval", "SELECT retry FROM imports"))
    assert payload["userErrors"] == []
    assert stored == {"rows": [3, 4], "cells": {"4": {"1": "x"}}}


@pytest.mark.parametrize(
    ("rows", "columns", "code"),
    [
        ([], {}, "NO_ROWS"),
        ([{"number": 2}], {}, "ROW_NOT_FAILED"),
        ([{"number": 9}], {}, "NO_SUCH_ROW"),
        ([{"number": -1}], {}, "NO_SUCH_ROW"),
        ([{"number": 3}, {"number": 3}], {}, "ROW_TWICE"),
        (
            [
                {
                    "number": 3,
                    "cells": [
                        {"column": "user_id", "value": "x"},
                        {"column": "User ID", "value": "y"},
                    ],
                }
            ],
            {},
            "COLUMN_TWICE",
        ),
        ([{"number": 3, "cells": [{"column": "what", "value": ""}]}], {}, "UNKNOWN_COLUMN"),
        (None, {"failed": 0}, "NOTHING_TO_RETRY"),
        (None, {"status": ImportStatus.PROCESSING}, "NOT_FINISHED"),
    ],
)
async def test_retry_wrongly(
    api: Api, *, rows: Any, columns: dict[str, Any], code: str, enqueued: list[tuple[str, int]]
) -> None:
    """What can't be run again is told, and nothing is asked of the workers."""
    key = await add_failed(api, **columns)

    payload = (await api.data(RETRY, {"id": node_id("Import", key), "rows": rows}))["retryImport"]

    assert [error["code"] for error in payload["userErrors"]] == [code]
    assert enqueued == []


async def test_retry_while_the_name_is_taken(api: Api) -> None:
    """An import can't run again while another of its name is running."""
    key = await add_failed(api)
    await add_import(api.world.app, status=ImportStatus.QUEUED)

    payload = (await api.data(RETRY, {"id": node_id("Import", key)}))["retryImport"]

    assert [error["code"] for error in payload["userErrors"]] == ["NAME_TAKEN"]


KEPT = """query ($id: ID!) { import(id: $id) { total failed expiresAt purgedAt failedRowsUrl
  failedRowsWorkbookUrl file { name url } rows(first: 9) { totalCount edges { node { number } } }
  failures: rows(first: 9, status: [FAILED]) { totalCount edges { node { number } } } } }"""


async def test_header(api: Api) -> None:
    """The names of a file's columns are those of its header; null until it is read."""
    await add_import(api.world.app, "read", header=["Case ID", "user_id"])
    await add_import(api.world.app, "waits", ImportStatus.QUEUED, header=None)
    found = await api.data("{ imports { edges { node { file { header } } } } }")

    assert [edge["node"]["file"]["header"] for edge in found["imports"]["edges"]] == [
        None,
        ["Case ID", "user_id"],
    ]


async def test_what_is_kept_and_for_how_long(api: Api) -> None:
    """An import says until when its file and rows are kept; it is not known before its end."""
    finished = datetime(2026, 3, 1, tzinfo=UTC)
    done = await add_failed(api, finished_at=finished)
    running = await add_import(api.world.app, "June", ImportStatus.PROCESSING, failed=1)

    found = [
        (await api.data(KEPT, {"id": node_id("Import", key)}))["import"] for key in (done, running)
    ]

    expiry = finished + timedelta(days=api.server.services.settings.retention_days)
    assert [each["purgedAt"] for each in found] == [None, None]
    assert [each["expiresAt"] for each in found] == [expiry.isoformat(), None]
    assert found[0]["rows"]["totalCount"] == 3
    assert found[0]["failedRowsUrl"]
    # A file of them would not be complete yet.
    assert (found[1]["failed"], found[1]["failedRowsUrl"]) == (1, None)
    assert found[1]["failedRowsWorkbookUrl"] is None


async def test_what_is_gone(api: Api, enqueued: list[tuple[str, int]]) -> None:
    """Once rows and file are removed, counts stay, lists are empty, and a retry says why not.

    The rows count as removed from then on, also while some are yet to be deleted.
    """
    purged = datetime(2026, 6, 1, tzinfo=UTC)
    key = await add_failed(api, finished_at=purged - timedelta(days=90), purged_at=purged)
    id_ = node_id("Import", key)

    found = (await api.data(KEPT, {"id": id_}))["import"]
    retried = (await api.data(RETRY, {"id": id_}))["retryImport"]

    assert (found["total"], found["failed"], found["failedRowsUrl"]) == (3, 2, None)
    assert found["failedRowsWorkbookUrl"] is None
    assert found["purgedAt"] == found["expiresAt"] == purged.isoformat()
    assert found["rows"] == found["failures"] == {"totalCount": 0, "edges": []}
    assert found["file"]["url"]
    assert retried == {"import": None, "userErrors": [{"code": "PURGED", "field": ["id"]}]}
    assert enqueued == []


async def test_the_gql_client(api: Api) -> None:
    """The client that the command line uses can upload, ask and subscribe."""
    http = AIOHTTPTransport(f"{api.url}/graphql", headers={**bearer(api.world.admin), **PREFLIGHT})
    async with Client(transport=http, fetch_schema_from_transport=True) as session:
        upload = gql(
            'mutation ($f: Upload!) { createImport(input: {name: "a", type: "assign", file: $f})'
            " { import { id } userErrors { message } } }"
        )
        upload.variable_values = {"f": FileVar(_file(), filename="a.csv")}
        created = (await session.execute(upload, upload_files=True))["createImport"]
    await sql("execute", "UPDATE imports SET status = 'FAILED', finished_at = now(), version = 2")
    socket = WebsocketsTransport(
        api.url.replace("http", "ws") + "/graphql",
        init_payload=bearer(api.world.viewer),
        connect_args={"proxy": None},
    )
    async with Client(transport=socket) as session:
        watch = gql("subscription ($id: ID!) { importUpdated(id: $id) { status } }")
        watch.variable_values = {"id": created["import"]["id"]}
        states = [event async for event in session.subscribe(watch)]

    assert created["userErrors"] == []
    assert states == [{"importUpdated": {"status": "FAILED"}}]


def _file() -> Any:
    import io

    return io.BytesIO(ASSIGN)
