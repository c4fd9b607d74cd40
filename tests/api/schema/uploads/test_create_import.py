"""Uploads: what is accepted, what is refused at once, and races."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest

from importers.builtin.assign import AssignUsers
from models.file_part import PART_BYTES
from models.imports import ImportStatus
from tests.api.api_fixture import ASSIGN, Api, add_import, sql
from tests.api.third_party_plugins import offering, registry_of
from tests.importers.reading.isolated.hostile_readers import Lines, Moody


def codes(payload: dict[str, Any]) -> list[tuple[str, str]]:
    """Return codes and last steps of the fields; a payload with errors has nothing else."""
    assert (payload["import"] is None) == bool(payload["userErrors"])
    return [(error["code"], error["field"][-1]) for error in payload["userErrors"]]


async def stored() -> int:
    """Count the imports."""
    return int(await sql("fetchval", "SELECT count(*) FROM imports"))


async def test_upload(api: Api) -> None:
    """An upload is an import that waits, and its bytes are kept as they came."""
    content = ASSIGN + b"case-1,user-1,,staff,0\r\n" * 100_000

    payload = await api.upload(content, name=" May ", source="console", dryRun=True)

    row = await sql("fetchrow", "SELECT * FROM imports")
    parts = await sql("fetch", "SELECT data FROM import_file_parts ORDER BY number")
    assert codes(payload) == []
    assert (payload["import"]["name"], payload["import"]["status"]) == ("May", "QUEUED")
    assert payload["import"]["file"] == {
        "name": "May.csv",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    assert (row["source"], row["is_dry_run"], row["type"]) == ("console", True, "assign")
    assert b"".join(part["data"] for part in parts) == content
    assert all(len(part["data"]) == PART_BYTES for part in parts[:-1])


async def test_upload_is_enqueued(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are told once the import is there for them to see."""
    enqueued: list[int] = []

    async def split(import_id: int) -> None:
        enqueued.append(await sql("fetchval", "SELECT id FROM imports WHERE id = $1", import_id))

    monkeypatch.setattr(api.server.services.queue, "enqueue_split", split)
    await api.upload()

    assert enqueued == [await sql("fetchval", "SELECT id FROM imports")]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("C:\\Users\\jo\\May.csv", "May.csv"),
        ("..\\jo\\May.csv", "May.csv"),
        ("\\\\server\\jo\\May.csv", "May.csv"),
        ("a\\b.csv", "a\\b.csv"),
        ("../../etc/passwd", "passwd"),
        ("a\u202egnp.csv", "agnp.csv"),
        ("x" * 300 + ".csv", "x" * 255),
        ("..", "file"),
        ("  ", "file"),
        ("Mai é ü.csv", "Mai é ü.csv"),
    ],
)
async def test_file_names(api: Api, sent: str, kept: str) -> None:
    """Of a file's name only the last part is kept, without what can't be seen."""
    assert (await api.upload(filename=sent))["import"]["file"]["name"] == kept


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"name": ""}, ("REQUIRED", "name")),
        ({"name": " \t "}, ("REQUIRED", "name")),
        ({"name": "x" * 201}, ("TOO_LONG", "name")),
        ({"name": "a\nb"}, ("CONTROL_CHARACTER", "name")),
        ({"name": "a\x00b"}, ("CONTROL_CHARACTER", "name")),
        ({"type": "nothing"}, ("UNKNOWN_TYPE", "type")),
        ({"type": ""}, ("UNKNOWN_TYPE", "type")),
        ({"source": "x" * 51}, ("TOO_LONG", "source")),
        ({"encoding": "klingon"}, ("UNKNOWN_ENCODING", "encoding")),
        ({"encoding": "rot13"}, ("UNKNOWN_ENCODING", "encoding")),
        ({"idempotencyKey": "x" * 201}, ("TOO_LONG", "idempotencyKey")),
        ({"content": b""}, ("EMPTY_FILE", "file")),
        ({"content": b"case_id,user_id\r\n"}, (None, "file")),
        ({"content": b"%PDF-1.7"}, ("NOT_A_TABLE", "file")),
        ({"content": b"user_id,case_id\r\na,b\r\n"}, ("MISSING_COLUMN", "file")),
        ({"content": b"username,locale\r\na,b\r\n"}, ("WRONG_TYPE", "file")),
        (
            {"content": b"case_id,user_id,case_role_id,what\r\na,b,c,d\r\n"},
            ("UNKNOWN_COLUMN", "file"),
        ),
        ({"content": b"case_id,user_id,case_role_id\n\xff,b,staff\n"}, (None, "file")),
    ],
    ids=lambda value: repr(value)[:50],
)
async def test_refused_at_once(
    api: Api, values: dict[str, Any], expected: tuple[str | None, str]
) -> None:
    """What the input and the first bytes show to be wrong is told, and nothing is created."""
    payload = await api.upload(values.pop("content", ASSIGN), **values)

    [(code, field)] = codes(payload)
    assert (expected[0] or code, field) == (expected[0] or code, expected[1])
    assert expected[0] in (None, code)
    assert await stored() == 0


async def test_everything_wrong_is_told_at_once(api: Api) -> None:
    """InputErrors of name, type, source and file come together."""
    payload = await api.upload(b"%PDF-1.7", name="", type="x", source="y" * 99)

    assert [field for _, field in codes(payload)] == ["name", "source", "type", "file"]


async def test_nulls_are_defaults(api: Api) -> None:
    """A null of an optional field is as good as leaving it out."""
    payload = await api.upload(source=None, dryRun=None, encoding=None, idempotencyKey=None)

    row = await sql("fetchrow", "SELECT source, is_dry_run, idempotency_key FROM imports")
    assert codes(payload) == []
    assert tuple(row) == ("api", False, None)


@pytest.mark.parametrize("status", list(ImportStatus))
async def test_names_are_taken_while_running(api: Api, status: ImportStatus) -> None:
    """A name is taken as long as an import of it is waiting or running."""
    await add_import(api.world.app, "May", status)

    payload = await api.upload(name="May")

    assert codes(payload) == ([] if status.is_final else [("NAME_TAKEN", "name")])


async def test_race_for_a_name(api: Api) -> None:
    """Of many uploads of one name at the same moment, one wins, and the others are told so."""
    payloads = await asyncio.gather(*(api.upload(name="May") for _ in range(12)))

    taken = [codes(payload) for payload in payloads if payload["import"] is None]
    assert taken == [[("NAME_TAKEN", "name")]] * 11
    assert await stored() == 1


async def test_race_with_a_key(api: Api) -> None:
    """The same upload many times at the same moment is one import, and all are told which."""
    payloads = await asyncio.gather(*(api.upload(idempotencyKey="k") for _ in range(12)))

    assert len({payload["import"]["id"] for payload in payloads}) == 1
    assert await stored() == 1
    assert await sql("fetchval", "SELECT count(*) FROM import_file_parts") == 1


async def test_same_key_again(api: Api) -> None:
    """The same key gives the same import, also when it is finished, or the file's name differs."""
    first = await api.upload(idempotencyKey="k")
    await sql("execute", "UPDATE imports SET status = 'PROCESSED'")

    again = await api.upload(idempotencyKey="k", filename="other.csv")

    assert again["import"]["id"] == first["import"]["id"]
    assert await stored() == 1


@pytest.mark.parametrize(
    "values",
    [
        {"name": "June"},
        {"type": "modify"},
        {"content": ASSIGN + b"case-2,user-1,,staff,0\r\n"},
        {"dryRun": True},
        {"encoding": "windows-1252"},
        {"dateOrder": "DMY"},
        {"notify": ["boss@example.org"]},
    ],
    ids=lambda value: next(iter(value)),
)
async def test_same_key_for_something_else(api: Api, values: dict[str, Any]) -> None:
    """A key that was used for another upload is refused."""
    await api.upload(idempotencyKey="k")

    payload = await api.upload(values.pop("content", ASSIGN), idempotencyKey="k", **values)

    assert codes(payload) == [("IDEMPOTENCY_KEY_REUSED", "idempotencyKey")]


async def test_workbooks_are_looked_at_later(api: Api) -> None:
    """A workbook's header can't be seen in its first bytes: the import itself will tell."""
    payload = await api.upload(b"PK\x03\x04" + b"\x00" * 100, filename="May.xlsx")

    assert codes(payload) == []


async def test_files_of_plugins_are_looked_at_later(api: Api) -> None:
    """Only the plugin knows what is wrong with a file that it takes, once all of it is there."""
    content = b'[0, "no", "such", "columns"]\n'
    refused = await api.upload(content, filename="May.lines")
    with offering(api.server, registry_of(AssignUsers("assign"), readers=[Lines("lines")])):
        payload = await api.upload(content, filename="May.lines")

    assert len(codes(refused)) == 1
    assert codes(payload) == []


async def test_a_reader_that_fails(api: Api) -> None:
    """A reader that can't say whether it takes a file refuses it at once."""
    with offering(api.server, registry_of(AssignUsers("assign"), readers=[Moody("moody")])):
        payload = await api.upload(ASSIGN)

    assert codes(payload) == [("READER_ERROR", "file")]


async def test_declared_encoding_is_kept(api: Api) -> None:
    """An upload may say which encoding its file has."""
    content = ASSIGN + "caf\u00e9,user-1,,staff,0\r\n".encode("windows-1252")

    payload = await api.upload(content, encoding="windows-1252")

    assert codes(payload) == []
    assert await sql("fetchval", "SELECT declared_encoding FROM imports") == "windows-1252"


async def test_declared_date_order_is_kept(api: Api) -> None:
    """An upload may say what comes first in its file's dates."""
    payload = await api.upload(dateOrder="DMY")

    assert codes(payload) == []
    assert await sql("fetchval", "SELECT date_order FROM imports") == "DMY"


async def test_the_same_file_again(api: Api) -> None:
    """A file that came in the last 24 hours is accepted, with a warning that names its import."""
    first = await api.upload(name="May")
    again = await api.upload(name="May again", filename="other.csv")
    third = await api.upload(name="May once more")

    assert first["warnings"] == []
    assert again["import"]["id"] != first["import"]["id"]
    assert [(w["code"], w["import"]["id"]) for w in again["warnings"]] == [
        ("SAME_FILE", first["import"]["id"])
    ]
    assert "'May'" in again["warnings"][0]["message"]
    assert third["warnings"][0]["import"]["id"] == again["import"]["id"]


async def test_the_same_file_undone(api: Api) -> None:
    """The warning says which import has undone the one with the same file."""
    first = await api.upload(name="May")
    key = await sql("fetchval", "UPDATE imports SET status = 'PROCESSED' RETURNING id")
    await add_import(api.world.app, "Back", type="undo", undo_of_id=key)
    again = await api.upload(name="May again")

    [warning] = again["warnings"]
    assert warning["import"]["id"] == first["import"]["id"]
    assert warning["message"].endswith("UTC, and undone since by 'Back'.")


@pytest.mark.parametrize(
    ("change", "upload"),
    [
        pytest.param("created_at = now() - interval '25 hours'", {}, id="long ago"),
        pytest.param("is_dry_run = true", {}, id="a dry run"),
        pytest.param("status = 'FAILED'", {}, id="failed"),
        pytest.param("type = 'modify'", {}, id="another type"),
        pytest.param("app_id = app_id + 1", {}, id="another app"),
        pytest.param("type = type", {"content": ASSIGN + b"\r\n"}, id="another file"),
    ],
)
async def test_no_such_file_before(api: Api, change: str, upload: dict[str, Any]) -> None:
    """There is no warning of what can't have had the same effect."""
    await api.upload()
    await sql("execute", f"UPDATE imports SET {change}")

    payload = await api.upload(name="June", **upload)

    assert codes(payload) == []
    assert payload["warnings"] == []


async def test_no_warning_of_the_import_itself(api: Api) -> None:
    """An upload that is repeated with its key is no second import to be warned of."""
    await api.upload(idempotencyKey="k")
    again = await api.upload(idempotencyKey="k")

    assert again["warnings"] == []


async def test_who_is_told(api: Api) -> None:
    """Addresses are kept once each, without blanks around them."""
    await api.upload(notify=[" boss@example.org", "ops@example.org", "boss@example.org "])
    await api.upload(name="June", notify=[])
    rows = await sql("fetch", "SELECT notify FROM imports ORDER BY id")

    assert [row["notify"] for row in rows] == [["boss@example.org", "ops@example.org"], None]


@pytest.mark.parametrize(
    ("notify", "found"),
    [
        (["boss"], ["INVALID_EMAIL"]),
        (["boss@example.org", "", "x\r\nBcc: y@example.org"], ["INVALID_EMAIL"] * 2),
        ([f"a{n}@example.org" for n in range(21)], ["TOO_MANY_ADDRESSES"]),
    ],
    ids=["no address", "several", "too many"],
)
async def test_who_can_not_be_told(api: Api, notify: list[str], found: list[str]) -> None:
    """What is no address is named, and nothing is created."""
    payload = await api.upload(notify=notify)

    assert codes(payload) == [(code, "notify") for code in found]
    assert payload["import"] is None


async def test_the_most_who_are_told(api: Api) -> None:
    """Twenty addresses are not too many, however often each is named."""
    addresses = [f"a{n}@example.org" for n in range(20)]

    assert (await api.upload(notify=addresses * 2))["userErrors"] == []


MAPPED = b"Matter,Person,Role,Notes\r\ncase-1,user-1,staff,x\r\n"
MAPPING = {
    "columns": [
        {"header": "Matter", "column": "case_id"},
        {"header": "person", "column": "User ID"},
        {"header": "Role", "column": "case_role_id"},
    ],
    "ignoreColumns": ["Notes"],
}


async def test_a_mapping(api: Api) -> None:
    """The upload says what the file's headers mean; the import shows it, and another upload with
    the same key has to say the same."""
    made = await api.upload(MAPPED, **MAPPING, idempotencyKey="k")
    again = await api.upload(MAPPED, **MAPPING, idempotencyKey="k")
    other = await api.upload(MAPPED, **{**MAPPING, "ignoreColumns": []}, idempotencyKey="k")
    shown = await api.data(
        "query ($id: ID!) { import(id: $id) { columnMapping { header column } ignoredColumns } }",
        {"id": made["import"]["id"]},
    )

    assert codes(made) == []
    assert again["import"]["id"] == made["import"]["id"]
    assert codes(other) == [("IDEMPOTENCY_KEY_REUSED", "idempotencyKey")]
    assert sorted(each["header"] for each in shown["import"]["columnMapping"]) == [
        "Matter",
        "Role",
        "person",
    ]
    assert {each["column"] for each in shown["import"]["columnMapping"]} == {
        "case_id",
        "user_id",
        "case_role_id",
    }
    assert shown["import"]["ignoredColumns"] == ["Notes"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"columns": [{"header": "a", "column": "b"}]}, ("UNKNOWN_COLUMN", "columns")),
        ({"ignoreColumns": ["Age"]}, ("NO_SUCH_HEADER", "columns")),
        ({"ignoreColumns": ["case_id"]}, ("MISSING_COLUMN", "file")),
        ({"ignoreColumns": [""]}, ("REQUIRED", "ignoreColumns")),
    ],
)
async def test_a_mapping_that_does_not_fit(
    api: Api, values: dict[str, Any], expected: tuple[str, str]
) -> None:
    """A mapping that does not fit the type or the file is refused at once."""
    assert codes(await api.upload(**values))[0] == expected
    assert await stored() == 0
