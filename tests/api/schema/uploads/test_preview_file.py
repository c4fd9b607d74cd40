"""A file is looked at before it is imported, and nothing is kept of it."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import pytest

from importers.builtin.assign import AssignUsers
from importers.reading.limits import Limits
from models.imports import ImportStatus
from tests.api.api_fixture import (
    ASSIGN,
    PREFLIGHT,
    Api,
    add_import,
    bearer,
    change_settings,
    multipart,
    node_id,
    sql,
)
from tests.api.third_party_plugins import offering, registry_of
from tests.fuzz.xlsx_writer import pack, parts_of
from tests.importers.reading.isolated.hostile_readers import Lines, Moody

PREVIEW = """
mutation ($input: PreviewFileInput!) {
  previewFile(input: $input) {
    preview {
      encoding encodingChoices delimiter headerRow missingColumns rowsSeen whole
      columns { header column suggestion ignored }
      rows { number cells }
      warnings { code message } errors { code message column suggestion params { name value } }
      suggestedType { key label } sameFile { id name }
      mappedBefore { id columnMapping { header column } ignoredColumns }
    }
    userErrors { code message field }
  }
}
"""


async def send(
    api: Api, content: bytes, *, filename: str = "May.csv", token: str | None = None, **values: Any
) -> dict[str, Any]:
    """Preview a file and return the answer."""
    given = {"type": "assign", "file": None, **values}
    form = multipart({"query": PREVIEW, "variables": {"input": given}})
    form.add_field("0", io.BytesIO(content), filename=filename, content_type="text/csv")
    headers = {**bearer(token or api.world.admin), **PREFLIGHT}
    async with api.http.post(f"{api.url}/graphql", data=form, headers=headers) as response:
        result: dict[str, Any] = await response.json()
        return result


async def preview(api: Api, content: bytes, **values: Any) -> dict[str, Any]:
    """Preview a file, of which the request is right."""
    payload = (await send(api, content, **values))["data"]["previewFile"]
    assert payload["userErrors"] == []
    found: dict[str, Any] = payload["preview"]
    return found


def codes(problems: list[dict[str, Any]]) -> list[str]:
    """Return the codes of errors."""
    return [each["code"] for each in problems]


async def test_a_good_file(api: Api) -> None:
    """The answer says how the file is read, and shows its first rows; nothing is stored."""
    found = await preview(api, ASSIGN + b"case-2,user-2\r\n")

    assert found == {
        "encoding": "utf-8",
        "encodingChoices": ["utf-8"],
        "delimiter": ",",
        "headerRow": 1,
        "missingColumns": [],
        "rowsSeen": 2,
        "whole": True,
        "columns": [
            {"header": name, "column": name, "suggestion": None, "ignored": False}
            for name in ASSIGN.decode().split("\r\n")[0].split(",")
        ],
        "rows": [
            {"number": 2, "cells": ["case-1", "user-1", "", "staff", "0"]},
            {"number": 3, "cells": ["case-2", "user-2", "", "", ""]},
        ],
        "warnings": [],
        "errors": [],
        "suggestedType": None,
        "sameFile": None,
        "mappedBefore": None,
    }
    assert await sql("fetchval", "SELECT count(*) FROM imports") == 0
    assert await sql("fetchval", "SELECT count(*) FROM import_file_parts") == 0


async def test_the_beginning_of_a_file(api: Api) -> None:
    """A client may send 64 KiB; the answer is the same as of the whole file."""
    content = ASSIGN * 1 + b"case-1,user-1,,staff,0\r\n" * 10_000
    size = len(content)

    cut = await preview(api, content[: 64 * 1024], size=size)
    whole = await preview(api, content)

    assert cut == whole
    assert (cut["whole"], len(cut["rows"])) == (False, 10)
    assert cut["rowsSeen"] == content[: 64 * 1024].count(b"\r\n") - 1


async def test_another_encoding(api: Api) -> None:
    """Of a file that is not UTF-8, the encodings are offered that it may be in."""
    content = "username,given_name\r\njo@example.org,José\r\n".encode("cp1252")

    unread = await preview(api, content, type="add-users")
    read = await preview(api, content, type="add-users", encoding="windows-1252")

    assert codes(unread["errors"]) == ["BAD_ENCODING"]
    assert "windows-1252" in unread["encodingChoices"]
    assert read["errors"] == []
    assert read["encoding"] == "windows-1252"
    assert read["encodingChoices"] == unread["encodingChoices"]
    assert read["rows"][0]["cells"] == ["jo@example.org", "José"]


async def test_the_wrong_type(api: Api) -> None:
    """The type is named that the file was meant for; a mapping is looked at, too."""
    content = b"E-Mail,given_name,Notes\r\njo@example.org,Jo,x\r\n"

    wrong = await preview(api, b"username,given_name\r\njo@example.org,Jo\r\n")
    mapped = await preview(
        api,
        content,
        type="add-users",
        columns=[{"header": "e-mail", "column": "username"}],
        ignoreColumns=["Notes"],
    )
    untyped = await preview(api, content, type=None)

    assert codes(wrong["errors"]) == ["WRONG_TYPE"]
    assert wrong["suggestedType"] == {"key": "add-users", "label": "Add users"}
    assert mapped["errors"] == []
    assert [each["column"] for each in mapped["columns"]] == ["username", "given_name", None]
    assert [each["ignored"] for each in mapped["columns"]] == [False, False, True]
    assert (untyped["errors"], untyped["suggestedType"]) == ([], None)
    assert [each["header"] for each in untyped["columns"]] == ["E-Mail", "given_name", "Notes"]


async def test_a_workbook(api: Api) -> None:
    """A workbook is read by a process of its own; its cells are shown as the sheet shows them."""
    rows = [["case_id", "user_id", "case_role_id"], ["case-1", "user-1", "x" * 300], [15, "", ""]]
    found = await preview(api, pack(parts_of(rows)), filename="May.xlsx")

    assert (found["encoding"], found["delimiter"], found["encodingChoices"]) == (None, None, [])
    assert (found["headerRow"], found["rowsSeen"], found["whole"]) == (1, 2, True)
    assert found["rows"][0]["cells"] == ["case-1", "user-1", "x" * 199 + "…"]
    assert found["rows"][1]["cells"] == ["15", "", ""]


async def test_half_a_workbook(api: Api) -> None:
    """A workbook's beginning shows nothing."""
    content = pack(parts_of([["case_id", "user_id", "case_role_id"], ["a", "b", "c"]]))
    payload = (await send(api, content[:100], size=len(content)))["data"]["previewFile"]

    assert payload["preview"] is None
    assert [(each["code"], each["field"]) for each in payload["userErrors"]] == [
        ("WHOLE_FILE_NEEDED", ["input", "file"])
    ]


async def test_a_file_of_a_plugin(api: Api) -> None:
    """A plugin's file is looked at when all of it is sent; its rows have the plugin's numbers."""
    content = b'[0, "case_id", "user_id", "case_role_id"]\n[7, "case-1", "user-1", "staff"]\n'
    with offering(api.server, registry_of(AssignUsers("assign"), readers=[Lines("lines")])):
        found = await preview(api, content, filename="May.lines")
        cut = (await send(api, content[:50], filename="May.lines", size=len(content)))["data"]
        broken = await preview(api, content + b"[8,", filename="May.lines")

    assert (found["encoding"], found["delimiter"], found["encodingChoices"]) == (None, None, [])
    assert (found["headerRow"], found["rowsSeen"], found["whole"]) == (0, 1, True)
    assert found["rows"] == [{"number": 7, "cells": ["case-1", "user-1", "staff"]}]
    assert (found["errors"], found["missingColumns"]) == ([], [])
    assert codes(cut["previewFile"]["userErrors"]) == ["WHOLE_FILE_NEEDED"]
    assert codes(broken["errors"]) == ["READER_ERROR"]


async def test_a_reader_that_fails(api: Api) -> None:
    """It is told as what the file would be refused for."""
    with offering(api.server, registry_of(AssignUsers("assign"), readers=[Moody("moody")])):
        found = await preview(api, ASSIGN)

    assert codes(found["errors"]) == ["READER_ERROR"]


async def test_the_same_file(api: Api) -> None:
    """The newest import of the same file that counts is named, of this type and this app."""
    content = ASSIGN
    sha256 = hashlib.sha256(content).hexdigest()
    await add_import(api.world.app, "older", file_sha256=sha256)
    key = await add_import(api.world.app, "same", file_sha256=sha256)
    await add_import(api.world.app, "failed", ImportStatus.FAILED, file_sha256=sha256)
    await add_import(api.world.app, "dry", file_sha256=sha256, is_dry_run=True)
    await add_import(api.world.app, "type", file_sha256=sha256, type="modify")
    await add_import(api.world.other, "theirs", file_sha256=sha256)

    by_content = await preview(api, content)
    by_digest = await preview(api, content[:10], size=len(content), sha256=sha256.upper())
    another = await preview(api, content + b"a,b\r\n")
    cut = await preview(api, content[:10], size=len(content))

    assert by_content["sameFile"] == {"id": node_id("Import", key), "name": "same"}
    assert by_digest["sameFile"] == by_content["sameFile"]
    assert (another["sameFile"], cut["sameFile"]) == (None, None)


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"type": "nothing"}, "UNKNOWN_TYPE", "type"),
        ({"sha256": "x"}, "INVALID_SHA256", "sha256"),
        ({"encoding": "x" * 41}, "TOO_LONG", "encoding"),
        ({"size": 2_000}, "TOO_LARGE", "file"),
        ({"columns": [{"header": "a", "column": "b"}]}, "UNKNOWN_COLUMN", "columns"),
        (
            {"columns": [{"header": name, "column": "user_id"} for name in "ab"]},
            "DUPLICATE_COLUMN",
            "columns",
        ),
        (
            {"columns": [{"header": "A", "column": "user_id"}], "ignoreColumns": ["a"]},
            "HEADER_TWICE",
            "ignoreColumns",
        ),
        ({"ignoreColumns": [" "]}, "REQUIRED", "ignoreColumns"),
        ({"ignoreColumns": ["x" * 1_001]}, "TOO_LONG", "ignoreColumns"),
        ({"ignoreColumns": ["a\0"]}, "CONTROL_CHARACTER", "ignoreColumns"),
        ({"ignoreColumns": [str(n) for n in range(101)]}, "TOO_MANY_COLUMNS", "ignoreColumns"),
    ],
)
async def test_what_is_refused(
    api: Api, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], code: str, field: str
) -> None:
    """What is wrong with the request is said at its field."""
    change_settings(api, monkeypatch, limits=Limits(max_bytes=1_000))
    payload = (await send(api, ASSIGN, **values))["data"]["previewFile"]

    assert payload["preview"] is None
    assert [(each["code"], each["field"]) for each in payload["userErrors"]] == [
        (code, ["input", field])
    ]


async def test_viewers(api: Api) -> None:
    """A token that may only read uploads nothing, not even to look at it."""
    result = await send(api, ASSIGN, token=api.world.viewer)

    assert [each["extensions"]["code"] for each in result["errors"]] == ["FORBIDDEN"]


async def test_a_slow_workbook(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workbook that takes too long for a preview is not said to be wrong."""
    monkeypatch.setattr("api.schema.uploads.preview_file._CHILD_SECONDS", 0)
    content = pack(parts_of([["case_id", "user_id", "case_role_id"], ["a", "b", "c"]]))
    payload = (await send(api, content))["data"]["previewFile"]

    assert codes(payload["userErrors"]) == ["PREVIEW_TOO_SLOW"]


async def test_an_earlier_mapping(api: Api) -> None:
    """What the last upload with the same headers said of them is offered, and not applied."""
    mapping = json.dumps({"columns": {"Matter": "case_id"}, "ignored": ["Notes"]})
    content = b"Matter,user_id,case_role_id,Notes\r\na,b,c,d\r\n"
    turned = ["Notes", "Matter", "user_id", "case_role_id"]
    for header, app, type_ in (
        (turned, api.world.app, "assign"),
        (turned, api.world.app, "modify"),
        (turned[1:], api.world.app, "assign"),
        (turned, api.world.other, "assign"),
    ):
        await add_import(app, header=header, type=type_, header_mapping=mapping)
    await add_import(api.world.app, header=turned)
    first = await sql("fetchval", "SELECT min(id) FROM imports")

    found = await preview(api, content)
    told = await preview(api, content, ignoreColumns=["Notes"])
    other = await preview(api, content.replace(b"Notes", b"Age"))

    assert found["mappedBefore"] == {
        "id": node_id("Import", first),
        "columnMapping": [{"header": "Matter", "column": "case_id"}],
        "ignoredColumns": ["Notes"],
    }
    assert codes(found["errors"]) == ["UNKNOWN_COLUMN", "UNKNOWN_COLUMN", "MISSING_COLUMN"]
    assert (told["mappedBefore"], other["mappedBefore"]) == (None, None)
    assert codes(told["warnings"]) == ["IGNORED_COLUMNS"]
