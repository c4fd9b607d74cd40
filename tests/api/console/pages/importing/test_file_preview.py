"""What the page says of a file before it is sent."""

from __future__ import annotations

from typing import Any

import aiohttp

from api.console.form import Form
from api.console.pages.importing.file_preview import (
    UnknownColumn,
    column_heads,
    columns_of,
    free_name,
    problems_of_file,
    unknown_columns,
)
from models.imports import ImportStatus
from tests.api.api_fixture import ASSIGN, Api, add_import, sql
from tests.api.console.browser import Answer, Browser
from tests.api.console.pages.importing.test_new_import import form, send

PREVIEW = "/console/imports/new/preview"


def head(header: str, column: str | None = None, **values: Any) -> dict[str, Any]:
    """A name in a header, as the API describes it."""
    return {"header": header, "column": column, "suggestion": None, "ignored": False, **values}


SEEN = {
    "columns": [
        head("Case ID", "case_id"),
        head("user_id", "user_id"),
        head("errors", ignored=True),
        head("Role", None, suggestion="role"),
        head("Notes"),
        head(""),
    ],
    "mappedBefore": None,
    "missingColumns": [],
}
COLUMNS = ["case_id", "user_id", "role"]


def test_unknown_columns() -> None:
    """A column may stand for what no other stands for; a choice stays when it is known."""
    first = unknown_columns(SEEN, Form(), COLUMNS)
    said = Form({"header-1": ["Role"], "use-1": ["role"]})
    mapped = {**SEEN, "columns": [*SEEN["columns"][:3], head("Role", "role"), head("Notes")]}

    assert first == [
        UnknownColumn(header="Role", suggestion="role", choice="", choices=["role"]),
        UnknownColumn(header="Notes", suggestion=None, choice="", choices=["role"]),
    ]
    assert unknown_columns(mapped, said, COLUMNS) == [
        UnknownColumn(header="Role", suggestion=None, choice="role", choices=["role"]),
        UnknownColumn(header="Notes", suggestion=None, choice="", choices=[]),
    ]


def test_columns_that_the_type_passes_over() -> None:
    """They are offered only while a column is missing, which one of them may be."""
    seen = {**SEEN, "columns": [head("errors", ignored=True), head("Office", ignored=True)]}
    lacking = {**seen, "missingColumns": ["role"]}

    assert unknown_columns(seen, Form(), COLUMNS) == []
    assert [each.header for each in unknown_columns(lacking, Form(), COLUMNS)] == ["Office"]


def test_what_was_said_before() -> None:
    """What the last upload with this header has said is proposed, and not chosen."""
    earlier = {
        "columnMapping": [{"header": "Role", "column": "role"}],
        "ignoredColumns": ["Notes"],
    }
    found = unknown_columns({**SEEN, "mappedBefore": earlier}, Form(), COLUMNS)

    assert [(each.before, each.choice) for each in found] == [("role", ""), ("-", "")]


def test_no_type() -> None:
    """Without a type, and without a table, no column is unknown."""
    types = [{"key": "assign", "columns": [{"name": "case_id"}]}]

    assert columns_of(types, Form(type=["assign"])) == ["case_id"]
    assert columns_of(types, Form(type=[""])) == []
    assert unknown_columns(SEEN, Form(), []) == []
    assert unknown_columns(None, Form(), COLUMNS) == []


def test_heads() -> None:
    """Above a column stands ours, and the file's name where it is another."""
    assert column_heads(SEEN)[:2] == [("case_id", "Case ID"), ("user_id", "")]
    assert column_heads(SEEN)[4] == ("", "Notes")
    assert column_heads(None) == []


def test_problems() -> None:
    """An unknown column is no problem of the file beside the field where it is settled."""
    errors = [{"code": "UNKNOWN_COLUMN"}, {"code": "MISSING_COLUMN"}]

    assert problems_of_file({"errors": errors}) == [{"code": "MISSING_COLUMN"}]


def test_names() -> None:
    """A name that is taken gets the first number that is free."""
    assert free_name("May", set()) == "May"
    assert free_name("May", {"May", "May (3)"}) == "May (2)"


async def preview(api: Api, browser: Browser, content: bytes, **fields: str) -> Answer:
    """Look at a file, as the script does."""
    given = {"type": "assign", "size": str(len(content)), "sha256": "", "encoding": "", **fields}
    return await send(api, browser, form(given, content, {}), PREVIEW)


async def test_a_good_file(api: Api, admin: Browser) -> None:
    """The fragment shows the rows, and proposes a name that is free."""
    await add_import(api.world.app, "May", ImportStatus.PROCESSED)
    answer = await preview(api, admin, ASSIGN)

    assert answer.status == 200
    assert 'data-name="May (2)"' in answer.text
    assert "The file can be imported." in answer.text
    assert '<td><bdi dir="auto">user-1</bdi></td>' in answer.text
    assert "1 row</span>" in answer.text


async def test_an_unknown_column(api: Api, admin: Browser) -> None:
    """A column gets the field that says what it is, and the suggestion as a button."""
    answer = await preview(api, admin, ASSIGN.replace(b"case_notify", b"case_notifyy"))

    assert 'name="header-1" value="case_notifyy"' in answer.text
    assert 'data-set="use-1" data-value="case_notify"' in answer.text


async def test_a_wrong_type(api: Api, admin: Browser) -> None:
    """The type that was meant is a button; also when none was chosen yet."""
    content = b"username,given_name\r\na@example.org,A\r\n"
    wrong = await preview(api, admin, content)
    none = await preview(api, admin, content, type="")

    for answer in (wrong, none):
        assert 'data-set="type" data-value="add-users"' in answer.text


async def test_an_encoding(api: Api, admin: Browser) -> None:
    """A file that does not say its encoding is read in the one that is chosen."""
    content = ASSIGN + "case-1,Zoé,,staff,0\r\n".encode("cp1252")
    before = await preview(api, admin, content)
    after = await preview(api, admin, content, encoding="windows-1252")

    assert 'data-value="windows-1252" aria-pressed="false"' in before.text
    assert 'data-value="windows-1252" aria-pressed="true"' in after.text
    assert "Zoé" in after.text


async def test_the_same_file(api: Api, admin: Browser) -> None:
    """A file that has run brings the question that is asked before it runs again."""
    fields = {"key": "k", "type": "assign", "name": "First", "then": "run"}
    await send(api, admin, form(fields, ASSIGN, {}))
    answer = await preview(api, admin, ASSIGN)

    assert 'This very file was imported as “<bdi dir="auto">First</bdi>”' in answer.text
    assert '<dialog id="same-file"' in answer.text


async def test_the_same_file_undone(api: Api, admin: Browser) -> None:
    """Of a file that was undone since, the page says so, and asks nothing before it runs again."""
    await send(api, admin, form({"key": "k", "type": "assign", "name": "First"}, ASSIGN, {}))
    finish = "UPDATE imports SET status = 'PROCESSED', is_dry_run = false RETURNING id"
    await add_import(api.world.app, "Back", type="undo", undo_of_id=await sql("fetchval", finish))
    answer = await preview(api, admin, ASSIGN)
    again = {"key": "k2", "type": "assign", "name": "Second", "then": "run"}
    ran = await send(api, admin, form(again, ASSIGN, {}))

    assert 'It was undone since, by “<bdi dir="auto">Back</bdi>”' in answer.text
    assert '<dialog id="same-file"' not in answer.text
    assert "same-file" not in ran.location


async def test_a_refusal(api: Api, stranger: Browser, admin: Browser) -> None:
    """A script gets a sentence: without a session, and when the request is wrong."""
    script = {"x-requested-with": "console"}
    data = form({"type": "assign", "size": "3"}, ASSIGN, {})
    ended = await send(api, stranger, data, PREVIEW, **script)
    plain = aiohttp.FormData({"size": "3"}, default_to_multipart=True)
    wrong = await send(api, admin, plain, PREVIEW, **script)

    assert ended.status == 401
    assert ended.text.startswith("Send a valid token")
    assert (wrong.status, wrong.text) == (400, "Choose a file.")
