"""What is exported and uploaded again changes nothing, whatever is stored."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from typing import Any
from unicodedata import normalize

import pytest

from importers.plugins.registry import load
from importers.reading.limits import Limits
from importers.reading.table import open_table
from importers.run_inline import run_here
from models.app import App, add_role
from tests.api.api_fixture import Api, node_id, sql

TABLES = ("assignment_history", "assignments", "cases", "mails", "users")
TAGS = ["-x", "--", "007", "7", "a_b", "2026/trv-1", "0-0", "x-1E05", "_"]
# Texts that an upload reads as they are stored.
TEXTS = [
    "=1+1",
    "'=1+1",
    "''@x",
    "'quoted'",
    '"a", "b"; c | d',
    '"',
    "two\nlines",
    "+49 30",
    "-",
    "@home",
    "\uff1dcmd",
    "Ren\u00e9",
    normalize("NFD", "Ren\u00e9"),
    "_x0041_",
    "007",
    "a\u2028b",
    "\u0639\u0631\u0628\u064a",
    "sep=;",
    "31/01/2026",
    "=" + "x" * 199,
]
LONGEST = "=" + "\u00e9" * 9_999
# What the API or SQL can store, and files name, but can't create or say.
ODD_TAGS = ["1E05", "5-Jan", "TRUE", "NULL", "nan", "1/5", "\u00e9lan", "e\u0301lan"]
ODD_TEXTS = ["NULL", "#N/A", " a ", "a\rb", "=\r", "\t"]
DAYS = ["2026-01-31", "1900-01-01", "2026-03-04", None]
ODD_DAYS = ["1850-05-05"]


async def make_state(app: App, chance: random.Random, *, is_odd: bool) -> None:
    """Store cases, users and assignments with everything that a file might spoil.

    Args:
        is_odd: also what no file can say.
    """
    texts, tags = TEXTS + ODD_TEXTS * is_odd, TAGS + ODD_TAGS * is_odd
    for tag in chance.sample(tags, 8) + [None] * 3:
        await sql(
            "execute",
            "INSERT INTO cases (app_id, tag_id, about, is_active, date_opened)"
            " VALUES ($1, $2, $3, $4, $5::text::date)",
            app.id,
            tag,
            chance.choice([*texts, LONGEST, *[""] * is_odd]),
            chance.random() < 0.7,
            chance.choice(DAYS + ODD_DAYS * is_odd),
        )
    for number, tag in enumerate(chance.sample(tags, 8) + [None] * 3):
        await sql(
            "execute",
            "INSERT INTO users (app_id, tag_id, email, given_name, family_name, locale, zoneinfo,"
            " is_active) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            app.id,
            tag,
            f"{chance.choice('+=-aA')}user{number}@example.org",
            chance.choice(["", *texts]),
            chance.choice(["", *texts]),
            chance.choice(["en", "es-MX", None]),
            chance.choice(["America/New_York", None]),
            chance.random() < 0.7,
        )
    await sql(
        "execute",
        "INSERT INTO assignments (app_id, case_id, user_id, role_id, notify)"
        " SELECT $1, c.id, u.id, (SELECT id FROM roles WHERE app_id = $1"
        "   ORDER BY (id + c.id + u.id) % 4 LIMIT 1), (c.id + u.id) % 2 = 0"
        " FROM cases c, users u"
        " WHERE c.app_id = $1 AND u.app_id = $1 AND (c.id + 2 * u.id) % 3 > 0",
        app.id,
    )


async def contents() -> list[str]:
    """Return every row of what imports change, as text."""
    return [
        f"{table} {row[0]}"
        for table in TABLES
        for row in await sql("fetch", f"SELECT t::text FROM {table} t ORDER BY t::text")
    ]


async def export(api: Api, path: str) -> bytes:
    status, body, _ = await api.get(path)
    assert status == 200, body
    return body


async def upload(api: Api, key: str, content: bytes) -> list[Any]:
    """Import a file, and return its rows' results."""
    payload = await api.upload(content, name=key, type=key, filename="export")
    assert payload["userErrors"] == []
    import_id = await sql("fetchval", "SELECT max(id) FROM imports")
    await run_here(import_id, load().importers)
    return list(
        await sql(
            "fetch",
            "SELECT status, outcome, errors, warnings FROM import_rows"
            " WHERE id > $1::bigint << 32 ORDER BY id",
            import_id,
        )
    )


def remarks(content: bytes) -> list[str]:
    """Return the cells of the column `errors`."""
    table = open_table(io.BytesIO(content), filename="", encoding=None, limits=Limits())
    return [cells[table.header.index("errors")] for _, cells in table.rows]


def outcomes(rows: list[Any]) -> Counter[tuple[int, int | None]]:
    return Counter((row["status"], row["outcome"]) for row in rows)


PASSED, FAILED = 1, 2
UPDATED, REMOVED, UNCHANGED = 2, 3, 4


@pytest.mark.parametrize("extension", ["csv", "xlsx"])
@pytest.mark.parametrize("seed", range(4))
async def test_nothing_changes(api: Api, seed: int, extension: str) -> None:
    """Every row of every export is unchanged, and nothing is changed, byte by byte."""
    await add_role(api.world.app, "9-lives", "Cats")
    await make_state(api.world.app, random.Random(seed), is_odd=False)
    for noun, key in (
        ("assignments", "modify"),
        ("assignments", "assign"),
        ("assignments", "sync"),
        ("users", "modify-users"),
        ("users", "add-users"),
        ("cases", "modify-cases"),
        ("cases", "add-cases"),
    ):
        if key == "add-cases":  # which gives each case a Tag ID
            await sql("execute", "UPDATE cases SET tag_id = 't-' || id WHERE tag_id IS NULL")
        before = await contents()
        content = await export(api, f"/files/{noun}.{extension}?type={key}")
        rows = await upload(api, key, content)

        assert set(remarks(content)) == {""}, key
        assert outcomes(rows) == {
            (PASSED, UNCHANGED): await sql("fetchval", f"SELECT count(*) FROM {noun}")
        }, key
        assert [row["warnings"] for row in rows if row["warnings"]] == []
        assert await contents() == before


@pytest.mark.parametrize("extension", ["csv", "xlsx"])
@pytest.mark.parametrize("seed", range(3))
async def test_what_no_file_can_say(api: Api, seed: int, extension: str) -> None:
    """What a file can't say is remarked: files that modify leave it blank, which keeps it; in files
    that create, the row fails. Nothing is changed."""
    await make_state(api.world.app, random.Random(seed), is_odd=True)
    before = await contents()
    for noun, modify, add in (
        ("users", "modify-users", "add-users"),
        ("cases", "modify-cases", "add-cases"),
    ):
        count = await sql("fetchval", f"SELECT count(*) FROM {noun}")
        kept = await export(api, f"/files/{noun}.{extension}?type={modify}")
        added = await export(api, f"/files/{noun}.{extension}?type={add}")
        odd = [bool(remark) for remark in remarks(added)]

        assert any(remarks(kept))
        assert outcomes(await upload(api, modify, kept)) == {(PASSED, UNCHANGED): count}
        assert [row["status"] == FAILED for row in await upload(api, add, added)] == odd
        assert len(odd) == count

    assert await contents() == before


async def test_an_id_that_is_a_tag_id(api: Api) -> None:
    """The ID of a case without a Tag ID does not name it if it is another's Tag ID: the row says
    so, and fails."""
    await make_state(api.world.app, random.Random(1), is_odd=False)
    key = await sql("fetchval", "SELECT min(id) FROM cases WHERE tag_id IS NULL")
    other = await sql("fetchval", "SELECT min(id) FROM cases WHERE tag_id IS NOT NULL")
    name = node_id("Case", key)
    await sql("execute", "UPDATE cases SET tag_id = $2, about = 'x' WHERE id = $1", other, name)
    before = await contents()

    for noun, key in (("cases", "modify-cases"), ("assignments", "modify")):
        content = await export(api, f"/files/{noun}.csv?type={key}")
        table = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
        rows = await upload(api, key, content)

        assert [row["case_id"] == "" for row in table] == [bool(row["errors"]) for row in table]
        assert {row["errors"] for row in table} == {
            "",
            f"Case Id: another case has the ID of this one, '{name}', as its Tag ID; give this case"
            " a Tag ID.",
        }
        assert [row["status"] == FAILED for row in rows] == [not row["case_id"] for row in table]
    assert await contents() == before


async def test_a_file_that_removes(api: Api) -> None:
    """Uploaded unchanged, an export of type remove removes the assignments that it has."""
    await make_state(api.world.app, random.Random(2), is_odd=True)
    await sql("execute", "DELETE FROM assignments WHERE id % 2 = 0")
    count = await sql("fetchval", "SELECT count(*) FROM assignments")

    rows = await upload(api, "remove", await export(api, "/files/assignments.csv?type=remove"))

    assert outcomes(rows) == {(PASSED, REMOVED): count}
    assert await sql("fetchval", "SELECT count(*) FROM assignments") == 0


async def test_one_cell_changed(api: Api) -> None:
    """Of a file in which one cell was changed, one row changes something."""
    await make_state(api.world.app, random.Random(3), is_odd=False)
    await sql("execute", "UPDATE cases SET is_active = true")
    content = (await export(api, "/files/assignments.csv?type=modify")).decode()
    header, first, rest = content.split("\r\n", 2)
    role = first.split(",")[2]
    wanted = "staff" if role != "staff" else "clients"

    changed = "\r\n".join([header, first.replace(f",{role},", f",{wanted},"), rest])
    rows = await upload(api, "modify", changed.encode())

    assert outcomes(rows) == {(PASSED, UNCHANGED): len(rows) - 1, (PASSED, UPDATED): 1}
