"""Downloads: uploaded files, failed rows and sample files."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
from typing import Any

import orjson
import pytest

from api.access.scope import Scope
from api.http.downloads import content_disposition
from api.http.failed_rows_csv import failed_rows_csv
from models.db import transaction
from models.listing import IMPORTS, has_id
from models.page import find_rows
from models.row import RowResult, RowStatus, write_rows
from tests.api.api_fixture import ASSIGN, Api, add_import, node_id, sql

ERROR = {"code": "NOT_FOUND", "message": "Case Id: no.", "column": "case_id"}


async def fail(api: Api, rows: dict[int, list[str]], **columns: Any) -> str:
    """Add an import with failed rows, and return the path of its download."""
    app = api.world.app
    key = await add_import(app, failed=len(rows), passed=1, **columns)
    results = [
        RowResult(number, orjson.dumps(cells), RowStatus.FAILED, errors=[ERROR, ERROR])
        for number, cells in rows.items()
    ]
    async with transaction() as db:
        await write_rows(
            db, app.id, key, [*results, RowResult(99_999, b'["ok"]', RowStatus.PASSED)]
        )
    return f"/files/imports/{node_id('Import', key)}/failed-rows.csv"


async def test_uploaded_file(api: Api) -> None:
    """The uploaded file comes back byte by byte, as a download and nothing else."""
    content = ASSIGN + b"case-1,user-1,,staff,0\r\n" * 150_000
    uploaded = (await api.upload(content, filename='Mai "é".csv'))["import"]

    status, body, headers = await api.get(f"/files/imports/{uploaded['id']}")

    assert status == 200
    assert hashlib.sha256(body).hexdigest() == uploaded["file"]["sha256"]
    assert headers["Content-Length"] == str(len(content))
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"] == content_disposition('Mai "é".csv')


async def test_file_that_retention_has_removed(api: Api) -> None:
    """A file that is kept no longer is gone, not empty, and so are failed rows; the answer says
    since when."""
    uploaded = (await api.upload())["import"]
    await sql("execute", "UPDATE imports SET failed = 1, purged_at = '2026-03-01Z'")

    for path in ("", "/failed-rows.csv"):
        status, body, _ = await api.get(f"/files/imports/{uploaded['id']}{path}")

        assert (status, b"GONE" in body, b"2026-03-01" in body) == (410, True, True)


@pytest.mark.parametrize(
    "import_id", ["nonsense", node_id("Import", 0), node_id("Case", 1), "%2e%2e"]
)
async def test_no_such_import(api: Api, import_id: str) -> None:
    """There is no file of an import that is not there."""
    for path in (f"/files/imports/{import_id}", f"/files/imports/{import_id}/failed-rows.csv"):
        assert (await api.get(path))[0] == 404


async def test_failed_rows(api: Api) -> None:
    """Failed rows have the file's columns in its order, their numbers and what is wrong."""
    path = await fail(api, {3: ["a", "b"], 7: ["c", "d"]}, header=["User ID", "Case ID"])

    status, body, headers = await api.get(path)

    assert (status, headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert body.decode() == (
        "\ufeffUser ID,Case ID,row,errors\r\n"
        "a,b,3,Case Id: no. Case Id: no.\r\n"
        "c,d,7,Case Id: no. Case Id: no.\r\n"
    )
    assert headers["Content-Disposition"] == 'attachment; filename="May-failed-rows.csv"'


async def test_failed_rows_again(api: Api) -> None:
    """The columns that an earlier download has added are not added twice."""
    path = await fail(
        api, {2: ["9", "a", "old", "b"]}, header=["Row", "case_id", "errors", "user_id"]
    )

    _, body, _ = await api.get(path)

    assert body.decode().splitlines()[0] == "\ufeffcase_id,user_id,row,errors"
    assert body.decode().splitlines()[1].startswith("a,b,2,")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", None])
async def test_failed_rows_keep_the_delimiter(api: Api, delimiter: str | None) -> None:
    """The download has the file's own delimiter; that of a workbook is a comma."""
    cells = ['a"b', "c\nd, e; f\t|"]
    path = await fail(api, {2: cells}, delimiter=delimiter)

    _, body, _ = await api.get(path)

    rows = list(
        csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), delimiter=delimiter or ",")
    )
    assert rows[1][:2] == cells


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1", "-1", "@a", "\tx", "\rx", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20a", "'=x"],
)
async def test_formulas_are_guarded(api: Api, cell: str) -> None:
    """A cell that a spreadsheet would compute gets one `'`, which an upload drops again."""
    path = await fail(api, {2: [cell, "plain"]})

    _, body, _ = await api.get(path)

    [_, row] = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""))
    assert row[:2] == [cell if cell == "'=x" else f"'{cell}", "plain"]


async def test_short_and_long_rows(api: Api) -> None:
    """A row with too few cells is filled up; what is beyond the header comes after the errors."""
    path = await fail(api, {2: ["a"], 3: ["a", "b", "c", "=d"]})

    _, body, _ = await api.get(path)

    error = "Case Id: no. Case Id: no."
    assert [line.split(",") for line in body.decode().splitlines()[1:]] == [
        ["a", "", "2", error],
        ["a", "b", "3", error, "c", "'=d"],
    ]


async def test_long_rows_again(api: Api) -> None:
    """What is beyond the header stays through a second download."""
    path = await fail(
        api,
        {2: ["a", "b", "9", "old", "c"]},
        header=["case_id", "user_id", "row", "errors"],
    )

    _, body, _ = await api.get(path)

    assert body.decode().splitlines()[1] == "a,b,2,Case Id: no. Case Id: no.,c"


async def test_many_failed_rows(api: Api) -> None:
    """All failed rows come, however many pages they take, in order."""
    path = await fail(api, {number: ["a", "b"] for number in range(2, 4_503)})

    _, body, _ = await api.get(path)

    numbers = [int(row["row"]) for row in csv.DictReader(io.StringIO(body.decode("utf-8-sig")))]
    assert numbers == list(range(2, 4_503))


async def test_long_failed_rows(api: Api) -> None:
    """Long rows are read and sent some at a time, so that no download fills the memory."""
    path = await fail(api, {number: ["a" * 1_000_000, "b"] for number in range(2, 22)})
    key = await sql("fetchval", "SELECT max(id) FROM imports")
    scope = Scope(api.server.services.pool, api.world.app.id, asyncio.Semaphore(1))
    [row] = await scope.read(find_rows, IMPORTS, has_id([key]))

    blocks = [block async for block in failed_rows_csv(scope, row)]

    assert max(map(len, blocks)) < 8_000_000
    assert b"".join(blocks) == (await api.get(path))[1]
    assert b"".join(blocks).count(b"\r\n") == 21


async def test_no_failed_rows(api: Api) -> None:
    """There is no file of failed rows when none has failed."""
    key = await add_import(api.world.app)

    assert (await api.get(f"/files/imports/{node_id('Import', key)}/failed-rows.csv"))[0] == 404


@pytest.mark.parametrize("key", ["assign", "modify", "remove"])
async def test_samples(api: Api, key: str) -> None:
    """A sample file is what the schema shows as its content."""
    data = await api.data(
        "query ($type: String!) { sampleTemplate(type: $type) { content url filename } }",
        {"type": key},
    )

    status, body, headers = await api.get(data["sampleTemplate"]["url"])

    assert (status, body.decode()) == (200, data["sampleTemplate"]["content"])
    assert f'"{key}_sample.csv"' in headers["Content-Disposition"]


@pytest.mark.parametrize("name", ["assign.csv", "nothing_sample.csv", "_sample.csv", "assign"])
async def test_no_such_sample(api: Api, name: str) -> None:
    """There are sample files of the types that are on, and no others."""
    assert (await api.get(f"/files/samples/{name}"))[0] == 404


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("May.csv", 'attachment; filename="May.csv"'),
        ('a"b\\c.csv', "attachment; filename=\"a_b_c.csv\"; filename*=UTF-8''a%22b%5Cc.csv"),
        ("é.csv", "attachment; filename=\"_.csv\"; filename*=UTF-8''%C3%A9.csv"),
        ("a\r\nb", "attachment; filename=\"a__b\"; filename*=UTF-8''a%0D%0Ab"),
        ("50%.csv", "attachment; filename=\"50_.csv\"; filename*=UTF-8''50%25.csv"),
    ],
)
def test_content_disposition(name: str, header: str) -> None:
    """No name of a file can break out of its header."""
    assert content_disposition(name) == header
