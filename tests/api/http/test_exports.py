"""Exports: which rows they have, in which form, and who gets them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import tempfile
from pathlib import Path
from urllib.parse import urlencode

import openpyxl
import pytest

from api.access.scope import Scope
from api.files import workbook_file
from api.files.export_form import ExportForm
from api.files.export_nouns import EXPORTS
from api.files.export_rows import Export
from api.files.text_workbook import XLSX_TYPE
from importers.plugins.registry import load
from models.app import add_role
from tests.api.api_fixture import (
    Api,
    add_cases,
    add_import,
    add_users,
    assign,
    bearer,
    node_id,
    sql,
)

REGISTRY = load()
TYPES = [
    (noun, key, kind)
    for noun, export in EXPORTS.items()
    for kind in export.types
    for key, importer in REGISTRY.importers.items()
    if type(importer) is kind
]


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def pairs(content: bytes) -> list[tuple[str, str]]:
    return [(row["case_id"], row["user_id"]) for row in table(content)]


def entries(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def refusal(content: bytes) -> tuple[str, str]:
    [error] = json.loads(content)["errors"]
    return error["extensions"]["code"], error["message"]


async def some_assignments(api: Api) -> tuple[list[int], list[int]]:
    """Put three users on two cases as staff, one of them as a client of the first."""
    cases, users = await add_cases(api.world.app, 2), await add_users(api.world.app, 3)
    await assign(api.world.app, cases, users)
    await sql(
        "execute",
        "UPDATE assignments SET notify = true,"
        " role_id = (SELECT id FROM roles WHERE key = 'clients' AND app_id = $3)"
        " WHERE case_id = $1 AND user_id = $2",
        cases[0],
        users[1],
        api.world.app.id,
    )
    return cases, users


def test_every_type_of_ours_can_be_exported() -> None:
    """All types that come with Caseroll are types of an export, and none is one of two."""
    assert sorted(key for _, key, _ in TYPES) == sorted(REGISTRY.importers)


@pytest.mark.parametrize(("noun", "key", "kind"), TYPES)
async def test_header(api: Api, noun: str, key: str, kind: type) -> None:
    """The columns are those of the type's sample file, then `errors`; without rows, too."""
    data = await api.data(
        "query ($type: String!) { sampleTemplate(type: $type) { content } }", {"type": key}
    )

    status, body, headers = await api.get(f"/files/{noun}.csv?type={key}")

    sample = data["sampleTemplate"]["content"].partition("\r\n")[0]
    assert (status, body.decode()) == (200, f"\ufeff{sample},errors\r\n")
    assert headers["Content-Type"] == "text/csv; charset=utf-8"
    assert headers["Content-Disposition"] == f'attachment; filename="{key}_export.csv"'
    assert headers["X-Content-Type-Options"] == "nosniff"


async def test_assignments(api: Api) -> None:
    """A row for each assignment, by Tag IDs; an ID stands where there is none."""
    cases, users = await some_assignments(api)
    await sql("execute", "UPDATE users SET tag_id = NULL WHERE id = $1", users[1])
    await sql("execute", "UPDATE cases SET tag_id = NULL WHERE id = $1", cases[1])
    case, user = node_id("Case", cases[1]), node_id("User", users[1])

    bodies = [(await api.get(f"/files/assignments.csv{query}"))[1] for query in
              ("", "?type=assign", "?type=remove")]  # fmt: skip

    assert [body.decode("utf-8-sig").splitlines() for body in bodies] == [
        [
            "case_id,user_id,case_role_id,case_notify,errors",
            "case-1,user-1,staff,0,",
            f"case-1,{user},clients,1,",
            "case-1,user-3,staff,0,",
            f"{case},user-1,staff,0,",
            f"{case},{user},staff,0,",
            f"{case},user-3,staff,0,",
        ],
        [
            "case_id,user_id,case_role_order,case_role_id,case_notify,errors",
            "case-1,user-1,,staff,0,",
            f"case-1,{user},,clients,1,",
            "case-1,user-3,,staff,0,",
            f"{case},user-1,,staff,0,",
            f"{case},{user},,staff,0,",
            f"{case},user-3,,staff,0,",
        ],
        [
            "user_id,case_id,errors",
            "user-1,case-1,",
            f"{user},case-1,",
            "user-3,case-1,",
            f"user-1,{case},",
            f"{user},{case},",
            f"user-3,{case},",
        ],
    ]


async def test_users_and_cases(api: Api) -> None:
    """All fields that the type has, as its cells."""
    await add_cases(api.world.app, 1)
    await add_users(api.world.app, 1)
    await sql("execute", "UPDATE cases SET date_opened = '2026-02-03', is_active = false")
    await sql("execute", "UPDATE users SET locale = 'es-MX', zoneinfo = 'UTC', family_name = '=2'")

    found = {
        key: (await api.get(f"/files/{noun}.csv?type={key}"))[1].decode("utf-8-sig").split("\r\n")
        for noun, key, _ in TYPES
        if noun != "assignments"
    }

    assert {key: lines[1:] for key, lines in found.items()} == {
        "modify-users": ["user-1,Name1,'=2,es-MX,UTC,user-1,1,", ""],
        "add-users": ["user1@example.org,Name1,'=2,es-MX,UTC,user-1,", ""],
        "modify-cases": ["case-1,0,2026-02-03,About 1,", ""],
        "add-cases": ["case-1,0,2026-02-03,About 1,", ""],
    }


@pytest.mark.parametrize("by_id", [False, True])
async def test_filters(api: Api, *, by_id: bool) -> None:
    """A case, a user and a role choose rows, also together; both are named as in files."""
    cases, users = await some_assignments(api)
    case = node_id("Case", cases[0]) if by_id else "case-1"
    user = node_id("User", users[1]) if by_id else "user-2"
    found = []
    for asked in (
        {"case": case},
        {"user": user},
        {"case": case, "user": user},
        {"role": "clients"},
        {"case": case, "role": "staff"},
        {"user": user, "role": "staff"},
        {"case": case, "user": user, "role": "staff"},
    ):
        _, body, _ = await api.get(f"/files/assignments.csv?{urlencode(asked)}")
        found.append(pairs(body))

    assert found == [
        [("case-1", "user-1"), ("case-1", "user-2"), ("case-1", "user-3")],
        [("case-1", "user-2"), ("case-2", "user-2")],
        [("case-1", "user-2")],
        [("case-1", "user-2")],
        [("case-1", "user-1"), ("case-1", "user-3")],
        [("case-2", "user-2")],
        [],
    ]


async def test_filters_of_lists(api: Api) -> None:
    """What a list of the API can be filtered by chooses rows as well."""
    cases, users = await some_assignments(api)
    import_id = await add_import(api.world.app)
    await sql(
        "execute", "DELETE FROM assignments WHERE case_id = $1 AND user_id = $2", cases[1], users[0]
    )
    await assign(api.world.app, cases[1:], users[:1], import_id)
    await sql("execute", "UPDATE cases SET is_active = false WHERE id = $1", cases[1])
    await sql("execute", "UPDATE users SET is_active = false WHERE id = $1", users[2])
    found = []
    for asked in (
        {"import": node_id("Import", import_id)},
        {"import": node_id("Import", import_id), "case": "case-1"},
        {"search": "name2"},
        {"search": "case-2", "userStatus": "DISABLED"},
        {"caseStatus": "CLOSED", "role": "staff"},
        {"caseStatus": "ACTIVE", "userStatus": "ACTIVE", "role": "staff"},
    ):
        _, body, _ = await api.get(f"/files/assignments.csv?{urlencode(asked)}")
        found.append(pairs(body))

    assert found == [
        [("case-2", "user-1")],
        [],
        [("case-1", "user-2"), ("case-2", "user-2")],
        [("case-2", "user-3")],
        [("case-2", "user-2"), ("case-2", "user-3"), ("case-2", "user-1")],
        [("case-1", "user-1")],
    ]


async def test_a_tag_id_wins(api: Api) -> None:
    """A name that is the Tag ID of one case and the ID of another means the former, as in files."""
    cases, _ = await some_assignments(api)
    name = node_id("Case", cases[0]).rstrip("=")
    await sql("execute", "UPDATE cases SET tag_id = $2 WHERE id = $1", cases[1], name)

    _, body, _ = await api.get(f"/files/assignments.csv?case={name}&user=user-1")

    assert pairs(body) == [(name, "user-1")]


@pytest.mark.parametrize(
    ("path", "status", "code", "message"),
    [
        ("nothing.csv", 404, "NOT_FOUND", "There is no such file."),
        ("cases.ods", 404, "NOT_FOUND", "There is no such file."),
        ("assignments.csv?case=case-9", 404, "NOT_FOUND",
         "There is no case with the Tag ID or ID 'case-9'."),
        ("assignments.csv?case=", 404, "NOT_FOUND",
         "There is no case with the Tag ID or ID ''."),
        ("assignments.csv?user=%00", 404, "NOT_FOUND",
         "There is no user with the Tag ID or ID '\0'."),
        ("assignments.xlsx?role=boss", 404, "NOT_FOUND",
         "There is no role 'boss'; the app has clients, staff, default."),
        ("assignments.csv?type=add-users", 400, "BAD_REQUEST",
         "There is no export of type 'add-users'; the types are modify, assign, sync, remove."),
        ("users.csv?type=", 400, "BAD_REQUEST",
         "There is no export of type ''; the types are modify-users, add-users."),
        ("users.csv?case=case-1", 400, "BAD_REQUEST",
         "There is no parameter 'case'; there is type."),
        ("assignments.csv?cases=case-1", 400, "BAD_REQUEST",
         "There is no parameter 'cases'; there are type, case, user, role, import, search, "
         "caseStatus, userStatus."),
        ("assignments.csv?import=SW1wb3J0Ojk=", 404, "NOT_FOUND",
         "There is no import with the ID 'SW1wb3J0Ojk='."),
        ("assignments.csv?import=case-1", 404, "NOT_FOUND",
         "There is no import with the ID 'case-1'."),
        ("assignments.csv?caseStatus=OPEN", 400, "BAD_REQUEST",
         "There is no state 'OPEN' of cases; there are ACTIVE and CLOSED."),
        ("assignments.csv?userStatus=CLOSED", 400, "BAD_REQUEST",
         "There is no state 'CLOSED' of users; there are ACTIVE and DISABLED."),
        ("assignments.csv?case=case-1&case=case-2", 400, "BAD_REQUEST",
         "A parameter of the URL comes twice."),
    ],
)  # fmt: skip
async def test_refusals(api: Api, path: str, status: int, code: str, message: str) -> None:
    """What can't be exported is refused in words: never is a filter passed over."""
    await some_assignments(api)

    found, body, _ = await api.get(f"/files/{path}")

    assert (found, refusal(body)) == (status, (code, message))


async def test_types_that_are_off(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A type that is off, or a plugin with the key of one of ours, has no exports."""
    importers = {
        "assign": REGISTRY.importers["assign"],
        "modify": REGISTRY.importers["remove"],
    }
    registry = type(REGISTRY)(importers=importers, validators=[], plugins=[], path=REGISTRY.path)
    services = api.server.services
    changed = type(services)(
        **{name: getattr(services, name) for name in services.__slots__} | {"registry": registry}
    )
    monkeypatch.setitem(api.server.app.state._state, "services", changed)

    _, off, _ = await api.get("/files/users.csv")
    _, other, _ = await api.get("/files/assignments.csv?type=remove")

    assert refusal(off)[1] == "There is no export of type ''; none is switched on."
    assert refusal(other)[1] == (
        "There is no export of type 'remove'; the types are assign, modify."
    )


async def test_workbook(api: Api) -> None:
    """A workbook has the same cells as texts, with lists of choices."""
    await some_assignments(api)
    await sql("execute", "UPDATE cases SET tag_id = '007' WHERE tag_id = 'case-1'")

    status, body, headers = await api.get("/files/assignments.xlsx?case=007")

    sheet = openpyxl.load_workbook(io.BytesIO(body)).active
    assert sheet
    assert (status, headers["Content-Type"]) == (200, XLSX_TYPE)
    assert headers["Content-Disposition"] == 'attachment; filename="modify_export.xlsx"'
    assert list(sheet.values) == [
        ("case_id", "user_id", "case_role_id", "case_notify", "errors"),
        ("007", "user-1", "staff", "0", None),
        ("007", "user-2", "clients", "1", None),
        ("007", "user-3", "staff", "0", None),
    ]
    assert '"clients,staff,default"' in [
        each.formula1 for each in sheet.data_validations.dataValidation
    ]


async def test_too_much_for_a_workbook(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than a workbook may have are refused, and so is a cell that is markup."""
    await add_cases(api.world.app, 3)
    monkeypatch.setattr(workbook_file, "_MOST_ROWS", 2)
    many = await api.get("/files/cases.xlsx")
    monkeypatch.undo()
    await sql("execute", "UPDATE cases SET about = '<r>x</r>' WHERE tag_id = 'case-2'")
    odd = await api.get("/files/cases.xlsx")

    assert [(status, refusal(body)) for status, body, _ in (many, odd)] == [
        (422, ("WORKBOOK_TOO_LARGE", f"A workbook can't hold these rows: {reason}."
               " Download the CSV file instead."))
        for reason in (
            "there are 3, and 2 are the most",
            "a cell of row 3 has a text that is markup",
        )
    ]  # fmt: skip
    assert (await api.get("/files/cases.csv"))[0] == 200


async def test_many_rows(api: Api) -> None:
    """All rows come, each once, however many pages they take; none is held between two."""
    cases, users = await add_cases(api.world.app, 30), await add_users(api.world.app, 30)
    await assign(api.world.app, cases, users)
    importer = REGISTRY.importers["modify"]
    noun = EXPORTS["assignments"]
    scope = Scope(api.server.services.pool, api.world.app.id, asyncio.Semaphore(1))
    export = Export(
        form=ExportForm(noun, importer),
        listing=noun.listing,
        parent=scope.app_id,
        conditions=(),
        page_rows=100,
    )

    blocks = [block async for block in export.as_csv(scope)]
    found = pairs(b"".join(blocks))

    assert len(blocks) == 10
    assert len(found) == len(set(found)) == 900
    assert b"".join(blocks) == (await api.get("/files/assignments.csv"))[1]


async def test_nothing_is_left_behind(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The temporary file of a workbook is gone when it was sent, or only its head asked for; what
    was counted towards the token's memory is uncounted."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    await some_assignments(api)

    for noun in EXPORTS:
        for extension in ("csv", "xlsx"):
            path = f"{api.url}/files/{noun}.{extension}"
            async with api.http.head(path, headers=bearer(api.world.admin)) as response:
                assert response.status == 200
            assert (await api.get(f"/files/{noun}.{extension}"))[0] == 200

    assert entries(tmp_path) == []
    assert (await api.quota()).memory.taken == 0


@pytest.mark.parametrize("noun", EXPORTS)
async def test_who_gets_it(api: Api, noun: str) -> None:
    """A viewer exports as an admin does; another app gets its own rows, and none of these."""
    await some_assignments(api)

    _, admin, _ = await api.get(f"/files/{noun}.csv")
    _, viewer, _ = await api.get(f"/files/{noun}.csv", api.world.viewer)
    _, stranger, _ = await api.get(f"/files/{noun}.csv", api.world.stranger)

    assert admin == viewer
    assert table(admin)
    assert table(stranger) == []


async def test_filters_of_strangers(api: Api) -> None:
    """Cases, users and roles of another app are not there."""
    cases, users = await some_assignments(api)
    await add_role(api.world.app, "boss", "Boss")
    case, user = (
        node_id(kind, key).replace("=", "%3D")
        for kind, key in (("Case", cases[0]), ("User", users[0]))
    )

    for query in ("case=case-1", f"case={case}", "user=user-1", f"user={user}", "role=boss"):
        path = f"/files/assignments.csv?{query}"
        assert (await api.get(path))[0] == 200
        assert (await api.get(path, api.world.stranger))[0] == 404


async def test_changes_meanwhile(api: Api) -> None:
    """No connection is held while the client takes a page: what changes meanwhile, changes."""
    await some_assignments(api)
    noun = EXPORTS["assignments"]
    places = asyncio.Semaphore(1)
    scope = Scope(api.server.services.pool, api.world.app.id, places)
    form = ExportForm(noun, REGISTRY.importers["modify"])
    export = Export(
        form=form, listing=noun.listing, parent=scope.app_id, conditions=(), page_rows=2
    )
    blocks = export.as_csv(scope)
    content = await anext(blocks) + await anext(blocks)

    assert not places.locked()
    await sql("execute", "DELETE FROM assignments WHERE id > (SELECT min(id) + 2 FROM assignments)")
    content += b"".join([block async for block in blocks])

    assert len(pairs(content)) == 3
