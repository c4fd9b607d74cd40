"""What each field of the schema returns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from graphql import parse, print_ast, separate_operations

from models.db import transaction
from models.imports import ImportStatus
from models.row import RowOutcome, RowResult, RowStatus, write_rows
from tests.api.api_fixture import Api, add_cases, add_import, add_users, assign, node_id, sql

CONSOLE = separate_operations(
    parse((Path(__file__).parents[1] / "clients" / "console.graphql").read_text())
)


async def ask(api: Api, name: str, **variables: Any) -> Any:
    """Run one of the console's operations."""
    return await api.data(print_ast(CONSOLE[name]), variables)


async def test_viewer(api: Api) -> None:
    """The viewer is the token, with its app and what it may do; roles keep their order."""
    guards = {
        "removePercent": 20, "removeAtLeast": 100, "requiresRelease": False, "releaseTypes": [],
    }  # fmt: skip
    app = {"id": node_id("App", api.world.app.id), "slug": "one", "name": "One", "guards": guards}
    app["requiredRole"] = None

    data = await ask(api, "Me")

    assert {
        "app": app,
        "permission": "ADMIN",
        "tokenName": "admin",
        "tokenExpiresAt": None,
    } == data["viewer"]
    assert data["roles"] == [
        {"key": "clients", "label": "Clients"},
        {"key": "staff", "label": "Staff"},
        {"key": "default", "label": "Default"},
    ]


async def test_case(api: Api) -> None:
    """A case has all its fields, and is found by ID and by Tag ID."""
    [key] = await add_cases(api.world.app, 1)
    await sql("execute", "UPDATE cases SET date_opened = '2026-02-03', is_active = false")

    by_id = (await ask(api, "OneCase", by={"id": node_id("Case", key)}))["case"]
    by_tag = (await ask(api, "OneCase", by={"tagId": "case-1"}))["case"]

    assert by_id == by_tag
    assert {
        "id": node_id("Case", key),
        "tagId": "case-1",
        "about": "About 1",
    }.items() <= by_id.items()
    assert (by_id["status"], by_id["dateOpened"]) == ("CLOSED", "2026-02-03")
    assert by_id["createdAt"].endswith("+00:00")


async def test_user(api: Api) -> None:
    """A user has all its fields, and is found by ID, by Tag ID and by e-mail in any case."""
    [key] = await add_users(api.world.app, 1)
    await sql("execute", "UPDATE users SET locale = 'es', zoneinfo = 'Europe/Paris'")

    found = [
        (await ask(api, "OneUser", by=by))["user"]
        for by in (
            {"id": node_id("User", key)},
            {"tagId": "user-1"},
            {"email": " USER1@example.org"},
        )
    ]

    assert found[0] == found[1] == found[2]
    assert {
        "id": node_id("User", key),
        "tagId": "user-1",
        "email": "user1@example.org",
        "givenName": "Name1",
        "familyName": "",
        "locale": "es",
        "zoneinfo": "Europe/Paris",
        "status": "ACTIVE",
    }.items() <= found[0].items()


@pytest.mark.parametrize(
    ("field", "by"),
    [
        ("case", '{tagId: "CASE-1"}'),
        ("case", '{tagId: "case-2"}'),
        ("case", '{id: "Q2FzZTo5OTk5OTk="}'),
        ("case", '{id: "VXNlcjox"}'),
        ("case", '{id: "nonsense"}'),
        ("case", '{id: ""}'),
        ("user", '{tagId: ""}'),
        ("user", '{email: "nobody@example.org"}'),
        ("user", '{id: "!"}'),
    ],
)
async def test_not_found(api: Api, field: str, by: str) -> None:
    """What is not there is null; Tag IDs are exact."""
    await add_cases(api.world.app, 1)

    assert {field: None} == await api.data(f"{{ {field}(by: {by}) {{ id }} }}")


@pytest.mark.parametrize("by", ["{}", '{id: "a", tagId: "b"}', "{tagId: null}", "null"])
async def test_one_of(api: Api, by: str) -> None:
    """A case is named in exactly one way."""
    assert await api.code(f"{{ case(by: {by}) {{ id }} }}") == "BAD_REQUEST"


async def test_assignment(api: Api) -> None:
    """An assignment comes with its case, user and role, and says which row made and changed it."""
    app = api.world.app
    cases, users = await add_cases(app, 1), await add_users(app, 1)
    key = await add_import(app)
    await assign(app, cases, users, key)
    made = (await ask(api, "OneCase", by={"tagId": "case-1"}))["case"]["assignments"]["edges"][0]

    found = (await ask(api, "Anything", id=made["node"]["id"]))["node"]

    assert found.pop("__typename") == "Assignment"
    assert found == made["node"]
    assert found["role"] == {"key": "staff", "label": "Staff"}
    assert (found["case"]["tagId"], found["user"]["tagId"]) == ("case-1", "user-1")
    assert {"row": 2, "import": {"id": node_id("Import", key)}} == found["createdBy"]
    assert (found["notify"], found["updatedBy"]) == (False, None)


async def test_nodes(api: Api) -> None:
    """Every object is found by its ID; what is not an ID, or not of this app, is null."""
    world = api.world
    [case], [user] = await add_cases(world.app, 1), await add_users(world.app, 1)
    [theirs] = await add_cases(world.other, 1)
    imported = await add_import(world.app)
    kinds = [("App", world.app.id), ("Case", case), ("User", user), ("Import", imported)]

    found = [(await ask(api, "Anything", id=node_id(*each)))["node"] for each in kinds]
    nothing = [
        (await ask(api, "Anything", id=each))["node"]
        for each in (
            node_id("Case", theirs),
            node_id("App", world.other.id),
            node_id("Role", 1),
            node_id("Case", 0),
            "nonsense",
            "",
            "é",
            "x" * 1000,
        )
    ]

    assert [(kind, node_id(kind, key)) for kind, key in kinds] == [
        (node["__typename"], node["id"]) for node in found
    ]
    assert nothing == [None] * 8


async def test_import(api: Api) -> None:
    """An import shows its counters, its file and its type."""
    key = await add_import(
        api.world.app,
        total=4,
        passed=2,
        failed=1,
        cancelled=1,
        created=1,
        unchanged=1,
        encoding="utf-8-bom",
        delimiter=";",
        status=ImportStatus.CANCELLED,
    )

    found = (await ask(api, "OneImport", id=node_id("Import", key)))["import"]

    assert {
        "id": node_id("Import", key),
        "name": "May",
        "source": "api",
        "status": "CANCELLED",
        "total": 4,
        "passed": 2,
        "failed": 1,
        "cancelled": 1,
        "created": 1,
        "updated": 0,
        "removed": 0,
        "unchanged": 1,
        "progress": 1.0,
        "errors": [],
        "warnings": [],
        "dryRun": False,
        "cancelRequested": False,
        "startedAt": None,
        "finishedAt": None,
        "failedRowsUrl": f"/files/imports/{node_id('Import', key)}/failed-rows.csv",
        "resultsUrl": f"/files/imports/{node_id('Import', key)}/results.csv",
        "failedRowsWorkbookUrl": (
            f"/files/imports/{node_id('Import', key)}/failed-rows.csv?format=xlsx"
        ),
    }.items() <= found.items()
    assert {
        "name": "May.csv",
        "size": 3,
        "sha256": "0" * 64,
        "encoding": "utf-8-bom",
        "delimiter": ";",
        "url": f"/files/imports/{node_id('Import', key)}",
    } == found["file"]
    assert (found["type"]["key"], found["type"]["label"]) == ("assign", "Assign users to cases")


@pytest.mark.parametrize(
    ("status", "columns", "progress"),
    [
        ("QUEUED", {}, 0.0),
        ("PROCESSING", {}, 0.0),
        ("PROCESSING", {"total": 8, "pending": 6, "is_split": True}, 0.25),
        ("PROCESSING", {"total": 8, "pending": 0, "is_split": False}, 0.0),
        ("PROCESSED", {"total": 8, "pending": 0, "is_split": True}, 1.0),
        ("FAILED", {"total": 0}, 1.0),
    ],
)
async def test_progress(api: Api, status: str, columns: dict[str, Any], progress: float) -> None:
    """Progress is the part of the rows that is done: 0 until they are counted, 1 at the end."""
    is_split = columns.pop("is_split", False)
    key = await add_import(api.world.app, status=ImportStatus(status), **columns)
    if is_split:
        await sql("execute", "UPDATE imports SET split_at = now()")

    data = await api.data(
        "query ($id: ID!) { import(id: $id) { progress } }", {"id": node_id("Import", key)}
    )

    assert progress == data["import"]["progress"]


async def test_import_of_a_type_that_is_gone(api: Api) -> None:
    """An import whose plugin is off still has a type, with its key as the label."""
    key = await add_import(api.world.app, type="roster")

    found = (await ask(api, "OneImport", id=node_id("Import", key)))["import"]["type"]

    assert (found["key"], found["label"], found["columns"]) == ("roster", "roster", [])
    assert found["sampleTemplate"]["content"] == ""


async def test_refused_import(api: Api) -> None:
    """A refused file's errors are the import's."""
    errors = '[{"code": "NOT_UTF8", "message": "Row 3 …", "column": null}]'
    key = await add_import(api.world.app, status=ImportStatus.FAILED, total=0, errors=errors)

    found = (await ask(api, "OneImport", id=node_id("Import", key)))["import"]

    assert found["errors"] == [
        {
            "code": "NOT_UTF8",
            "message": "Row 3 …",
            "column": None,
            "value": None,
            "suggestion": None,
            "params": [],
        }
    ]


async def add_rows(api: Api) -> int:
    """Add an import with five rows, between two others."""
    app = api.world.app
    counters = {"total": 5, "passed": 3, "failed": 1, "cancelled": 1, "created": 2, "updated": 1}
    keys = [await add_import(app, f"Import {number}", **counters) for number in range(3)]
    error = {"code": "NOT_FOUND", "message": "no", "column": "case_id", "value": "x"}
    rows = [
        RowResult(2, b'["a","b"]', RowStatus.PASSED, RowOutcome.CREATED),
        RowResult(3, b'["a","c"]', RowStatus.PASSED, RowOutcome.CREATED),
        RowResult(4, b'["a","d"]', RowStatus.PASSED, RowOutcome.UPDATED, "a remark"),
        RowResult(5, b'["x","e","f"]', RowStatus.FAILED, errors=[error]),
        RowResult(7, b'["a"]', RowStatus.CANCELLED),
    ]
    async with transaction() as db:
        for key in keys:
            await write_rows(db, app.id, key, rows)
    return keys[1]


@pytest.mark.parametrize(
    ("filters", "numbers", "total"),
    [
        ({}, [2, 3, 4, 5, 7], 5),
        ({"status": ["FAILED"]}, [5], 1),
        ({"status": ["PASSED", "CANCELLED"]}, [2, 3, 4, 7], 4),
        ({"status": []}, [], 0),
        ({"outcome": ["CREATED"]}, [2, 3], 2),
        ({"outcome": ["CREATED", "UPDATED"], "status": ["PASSED"]}, [2, 3, 4], 3),
        ({"outcome": ["CREATED"], "status": ["FAILED"]}, [], 0),
        ({"first": 2}, [2, 3], 5),
        ({"last": 2}, [5, 7], 5),
    ],
)
async def test_rows(api: Api, filters: dict[str, Any], numbers: list[int], total: int) -> None:
    """Rows come by number, filtered, and their count is that of the import's counters."""
    key = await add_rows(api)

    rows = (await ask(api, "OneImport", id=node_id("Import", key), **filters))["import"]["rows"]

    assert numbers == [edge["node"]["number"] for edge in rows["edges"]]
    assert total == rows["totalCount"]


async def test_row(api: Api) -> None:
    """A row pairs its cells with the header, and says what became of it."""
    key = await add_rows(api)

    rows = (await ask(api, "OneImport", id=node_id("Import", key)))["import"]["rows"]["edges"]

    assert rows[2]["node"] == {
        "number": 4,
        "status": "PASSED",
        "outcome": "UPDATED",
        "message": "a remark",
        "errors": [],
        "warnings": [],
        "changes": [],
        "cells": [{"column": "case_id", "value": "a"}, {"column": "user_id", "value": "d"}],
    }
    assert rows[3]["node"] == {
        "number": 5,
        "status": "FAILED",
        "outcome": None,
        "message": None,
        "errors": [
            {
                "code": "NOT_FOUND",
                "message": "no",
                "column": "case_id",
                "value": "x",
                "suggestion": None,
                "params": [],
            }
        ],
        "warnings": [],
        "changes": [],
        "cells": [
            {"column": "case_id", "value": "x"},
            {"column": "user_id", "value": "e"},
            {"column": "", "value": "f"},
        ],
    }


async def test_types(api: Api) -> None:
    """Types are sorted by label; the choices of a role column are the app's roles."""
    data = await ask(api, "Types", type="assign")

    labels = [each["label"] for each in data["importTypes"]]
    assign_type = next(each for each in data["importTypes"] if each["key"] == "assign")
    role = next(each for each in assign_type["columns"] if each["name"] == "case_role_id")
    assert labels == sorted(labels)
    assert role["choices"] == ["clients", "staff", "default"]
    assert assign_type["sampleTemplate"] == data["sampleTemplate"]
    assert (
        data["sampleTemplate"]["filename"],
        data["sampleTemplate"]["url"],
    ) == ("assign_sample.csv", "/files/samples/assign_sample.csv")
    assert data["sampleTemplate"]["content"].startswith("case_id,user_id,")


async def test_no_such_type(api: Api) -> None:
    """There is no sample file of a type that is not offered."""
    assert await api.data('{ sampleTemplate(type: "x") { url } }') == {"sampleTemplate": None}
