"""Downloads: uploaded files, failed rows and sample files."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import openpyxl
import orjson
import pytest

from api.access.scope import Scope
from api.files.failed_rows_csv import failed_rows_csv
from api.files.failed_rows_workbook import failed_rows_workbook
from api.files.text_workbook import XLSX_TYPE
from api.http.downloads import content_disposition
from models.db import transaction
from models.imports import ImportStatus
from models.list_facts import find_rows
from models.listing import IMPORTS, has_id
from models.row import RowOutcome, RowResult, RowStatus, write_rows
from tests.api.api_fixture import ASSIGN, Api, add_import, bearer, node_id, sql

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


def entries(folder: Path) -> list[Path]:
    return list(folder.iterdir())


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

    await sql("execute", "UPDATE imports SET total = 1")

    for path in ("", "/failed-rows.csv", "/results.csv"):
        status, body, _ = await api.get(f"/files/imports/{uploaded['id']}{path}")

        assert (status, b"GONE" in body, b"2026-03-01" in body) == (410, True, True)


@pytest.mark.parametrize(
    "import_id", ["nonsense", node_id("Import", 0), node_id("Case", 1), "%2e%2e"]
)
async def test_no_such_import(api: Api, import_id: str) -> None:
    """There is no file of an import that is not there."""
    for path in ("", "/failed-rows.csv", "/results.csv"):
        assert (await api.get(f"/files/imports/{import_id}{path}"))[0] == 404


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


async def test_results(api: Api) -> None:
    """Each row has the file's columns, its number, what became of it, remarks and errors."""
    app = api.world.app
    key = await add_import(app, total=4, header=["User ID", "=Case"], delimiter=";")
    results = [
        RowResult(2, b'["a","b"]', RowStatus.PASSED, RowOutcome.CREATED),
        RowResult(3, b'["=1+1"]', RowStatus.FAILED, errors=[ERROR, ERROR]),
        RowResult(5, b'["a","b","c"]', RowStatus.CANCELLED),
        RowResult(
            7,
            b'["a","b"]',
            RowStatus.PASSED,
            RowOutcome.UNCHANGED,
            "repeats row 2.",
            warnings=[{"message": "much like."}],
        ),
    ]
    async with transaction() as db:
        await write_rows(db, app.id, key, results)

    status, body, headers = await api.get(f"/files/imports/{node_id('Import', key)}/results.csv")

    assert (status, headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert headers["Content-Disposition"] == 'attachment; filename="May-results.csv"'
    assert body.decode() == (
        "\ufeffUser ID;'=Case;row;status;outcome;message;errors\r\n"
        "a;b;2;PASSED;CREATED;;\r\n"
        "'=1+1;;3;FAILED;;;Case Id: no. Case Id: no.\r\n"
        "a;b;5;CANCELLED;;;;c\r\n"
        "a;b;7;PASSED;UNCHANGED;repeats row 2. much like.;\r\n"
    )


@pytest.mark.parametrize(
    ("columns", "status", "code"),
    [
        ({"status": ImportStatus.PROCESSING, "total": 1}, 409, b"NOT_FINISHED"),
        ({"status": ImportStatus.FAILED, "total": 0}, 404, b"NOT_FOUND"),
    ],
)
async def test_no_results(api: Api, columns: dict[str, Any], status: int, code: bytes) -> None:
    """An import that runs has no results yet, and one whose file was refused has none."""
    key = await add_import(api.world.app, **columns)
    url = "query ($id: ID!) { import(id: $id) { resultsUrl } }"

    found = await api.get(f"/files/imports/{node_id('Import', key)}/results.csv")

    assert (found[0], code in found[1]) == (status, True)
    assert (await api.data(url, {"id": node_id("Import", key)}))["import"]["resultsUrl"] is None


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
    [
        "=1+1",
        "+1",
        "-1",
        "@a",
        "\tx",
        "\rx",
        "\nx",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff20a",
        "'=x",
    ],
)
async def test_formulas_are_guarded(api: Api, cell: str) -> None:
    """A cell that a spreadsheet would compute, or that looks guarded, gets a `'`, which an upload
    of the file takes off again."""
    path = await fail(api, {2: [cell, "plain"]})

    _, body, _ = await api.get(path)

    [_, row] = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""))
    assert row[:2] == [f"'{cell}", "plain"]


async def test_failed_rows_in_a_workbook(api: Api) -> None:
    """A workbook has the same cells as texts, notes at those with errors, and lists of choices."""
    header = ["Case ID", "user_id", "case_role_id", "row"]
    path = await fail(api, {3: ["007", "=1", "boss", "2"], 9: ["1E+05"]}, header=header)

    status, body, headers = await api.get(f"{path}?format=xlsx")

    sheet = openpyxl.load_workbook(io.BytesIO(body)).active
    assert sheet
    assert (status, headers["Content-Type"]) == (200, XLSX_TYPE)
    assert headers["Content-Disposition"] == 'attachment; filename="May-failed-rows.xlsx"'
    assert list(sheet.values) == [
        ("Case ID", "user_id", "case_role_id", "row", "errors"),
        ("007", "'=1", "boss", "3", "Case Id: no. Case Id: no."),
        ("1E+05", None, None, "9", "Case Id: no. Case Id: no."),
    ]
    assert [row[0].comment.text for row in sheet.iter_rows(min_row=2)] == [
        "Case Id: no.\nCase Id: no."
    ] * 2
    assert [each.formula1 for each in sheet.data_validations.dataValidation] == [
        '"clients,staff,default"'
    ]


async def test_workbook_of_a_type_that_is_gone(api: Api) -> None:
    """Without the type, nothing is known of the columns, and the rows are there all the same."""
    path = await fail(api, {2: ["a", "b"]}, type="roster")

    _, body, _ = await api.get(f"{path}?format=xlsx")

    sheet = openpyxl.load_workbook(io.BytesIO(body)).active
    assert sheet
    assert sheet["A2"].value == "a"
    assert sheet["A1"].comment is None


@pytest.mark.parametrize(
    ("rows", "failed", "message"),
    [
        pytest.param(
            {2: ["a"], 7: ["b", "x" * 32_768]},
            2,
            "a cell of row 7 has 32,768 characters of UTF-16, and 32,767 are the most",
            id="a long cell",
        ),
        pytest.param(
            {2: ["\U0001f600" * 16_384]},
            1,
            "a cell of row 2 has 32,768 characters of UTF-16, and 32,767 are the most",
            id="a cell that is long in UTF-16",
        ),
        pytest.param(
            {2: ["<r><t>x</t></r>"]},
            1,
            "a cell of row 2 has a text that is markup",
            id="a cell that is markup",
        ),
        pytest.param(
            {2: ["a"]},
            100_001,
            "there are 100,001, and 100,000 are the most",
            id="many rows",
        ),
    ],
)
async def test_too_much_for_a_workbook(
    api: Api, rows: dict[int, list[str]], failed: int, message: str
) -> None:
    """What a workbook can't hold is refused, never cut; CSV has it all."""
    path = await fail(api, rows)
    await sql("execute", "UPDATE imports SET failed = $1", failed)

    status, body, _ = await api.get(f"{path}?format=xlsx")

    [error] = json.loads(body)["errors"]
    assert (status, error["extensions"]["code"]) == (422, "WORKBOOK_TOO_LARGE")
    assert error["message"] == (
        f"A workbook can't hold these rows: {message}. Download the CSV file instead."
    )
    assert (await api.get(path))[0] == 200


async def test_workbooks_leave_nothing_behind(api: Api, tmp_path: Path, monkeypatch: Any) -> None:
    """The temporary file of a workbook is gone when it was sent, refused, or only its head asked
    for."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    good = await fail(api, {number: ["a", "b"] for number in range(2, 6_000)})
    bad = await fail(api, {2: ["x" * 40_000]}, name="June")

    assert (await api.get(f"{good}?format=xlsx"))[0] == 200
    assert (await api.get(f"{bad}?format=xlsx"))[0] == 422
    headers = bearer(api.world.admin)
    async with api.http.head(f"{api.url}{good}?format=xlsx", headers=headers) as response:
        assert (response.status, response.headers["Content-Type"]) == (200, XLSX_TYPE)
    scope = Scope(api.server.services.pool, api.world.app.id, asyncio.Semaphore(1))
    key = await sql("fetchval", "SELECT min(id) FROM imports")
    [row] = await scope.read(find_rows, IMPORTS, has_id([key]))
    blocks = failed_rows_workbook(scope, row, None, [])
    assert await anext(blocks)
    assert entries(tmp_path) != []
    await blocks.aclose()  # the client has left
    assert entries(tmp_path) == []
    assert (await api.quota()).memory.taken == 0


async def test_failed_rows_of_an_import_that_runs(api: Api) -> None:
    """Before an import has ended, its failed rows are not complete."""
    path = await fail(api, {2: ["a", "b"]}, status=ImportStatus.PROCESSING)

    for format_ in ("csv", "xlsx"):
        status, body, _ = await api.get(f"{path}?format={format_}")

        assert (status, json.loads(body)["errors"][0]["extensions"]["code"]) == (
            409,
            "NOT_FINISHED",
        )


@pytest.mark.parametrize("format_", ["pdf", "XLSX", ""])
async def test_no_such_format(api: Api, format_: str) -> None:
    """An unknown format is refused, naming those that there are."""
    failed = await fail(api, {2: ["a", "b"]})

    for path in (failed, "/files/samples/assign_sample.csv"):
        status, body, _ = await api.get(f"{path}?format={format_}")

        assert status == 400
        assert b"there are csv and xlsx" in body


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

    blocks = [block async for block in failed_rows_csv(scope, row, None)]

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


async def test_samples_as_workbooks(api: Api) -> None:
    """A sample as a workbook has the same cells, and the app's roles to choose from."""
    data = await api.data('{ sampleTemplate(type: "assign") { content workbookUrl } }')

    status, body, headers = await api.get(data["sampleTemplate"]["workbookUrl"])

    sheet = openpyxl.load_workbook(io.BytesIO(body)).active
    assert sheet
    assert status == 200
    assert headers["Content-Disposition"] == 'attachment; filename="assign_sample.xlsx"'
    assert [[cell or "" for cell in row] for row in sheet.values] == list(
        csv.reader(io.StringIO(data["sampleTemplate"]["content"], newline=""))
    )
    assert '"clients,staff,default"' in [
        each.formula1 for each in sheet.data_validations.dataValidation
    ]


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
