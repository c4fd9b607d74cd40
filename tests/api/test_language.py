"""Languages of the API: chosen by the client, and spoken in everything that people read."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import openpyxl
import pytest

from api.language import choose_language
from importers.sdk.errors import ErrorDetail
from models.db import transaction
from models.imports import ImportStatus
from models.row import RowOutcome, RowResult, RowStatus, write_rows
from tests.api.api_fixture import Api, add_cases, add_import, add_users, bearer, node_id
from tests.api.schema.changes.import_runner import nodes, run
from tests.api.websocket_client import subscriber

SPANISH = {"Accept-Language": "es-MX,es;q=0.9,en;q=0.8"}
VIEWER = "{ viewer { locale } }"
CREATE = """
mutation ($input: CreateCaseInput!) {
  createCase(input: $input) { userErrors { code message } }
}
"""
ROWS = """
query ($id: ID!) {
  import(id: $id) {
    rows(first: 9) {
      edges { node { message errors { code message column params { name value } } } }
    }
    errorGroups(first: 9) { edges { node { message } } }
    type { label }
  }
}
"""
TYPES = "{ importTypes { key label description columns { description choices } } }"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("es", "es"),
        ("ES-mx", "es"),
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("fr, es;q=0.2, en;q=0.1", "es"),
        ("en, es", "en"),
        ("en;q=0.5, es", "es"),
        ("es;q=0, fr", "en"),
        ("fr, de, *", "en"),
        ("es;q=x", "en"),
        (";;q=,,", "en"),
    ],
)
def test_choose_language(accepted: str, language: str) -> None:
    """The language that the client likes best, of those that there are; else English."""
    assert choose_language(accepted) == language


async def ask(
    api: Api, query: str, variables: Mapping[str, Any] | None = None, **headers: str
) -> tuple[Any, Mapping[str, str]]:
    """Run an operation in Spanish, and return the answer with its headers."""
    sent = {**bearer(api.world.admin), **SPANISH, **headers}
    body = {"query": query, "variables": variables}
    async with api.http.post(f"{api.url}/graphql", json=body, headers=sent) as response:
        return await response.json(), response.headers


async def add_failed_import(api: Api) -> str:
    """Add an import with failed rows, as the engine stores it, and return its ID."""
    app = api.world.app
    key = await add_import(app, failed=1, passed=1, total=2)
    details = [
        ErrorDetail.of(
            "NOT_FOUND",
            "Case Id: no {noun} has the Tag ID or ID '{text}'; did you mean '{suggestion}'?",
            column="case_id",
            value="trv-1",
            suggestion="trv-001",
            noun="case",
            text="trv-1",
        ),
        ErrorDetail(code="OF_A_PLUGIN", message="Seat: is hard.", column="user_id"),
    ]
    errors = [each.as_dict() for each in details]
    rows = [
        RowResult(2, b'["trv-1", "jack"]', RowStatus.FAILED, errors=errors),
        RowResult(
            3, b'["c", "u"]', RowStatus.PASSED, RowOutcome.UNCHANGED, message="repeats row 2"
        ),
    ]
    async with transaction() as db:
        await write_rows(db, app.id, key, rows)
    return node_id("Import", key)


async def test_which_language(api: Api) -> None:
    """The viewer says which language was chosen, and the headers say so to caches."""
    answer, headers = await ask(api, VIEWER)
    english = await api.data(VIEWER)

    assert answer["data"]["viewer"]["locale"] == "es"
    assert (headers["Content-Language"], headers["Vary"]) == ("es", "Accept-Language")
    assert english["viewer"]["locale"] == "en"


async def test_user_errors(api: Api) -> None:
    """What is wrong with an input is said in the language; its code is the same."""
    answer, _ = await ask(api, CREATE, {"input": {"tagId": "a b", "about": "x" * 11_000}})
    errors = answer["data"]["createCase"]["userErrors"]

    assert [each["code"] for each in errors] == ["TOO_LONG", "INVALID_TAG"]
    assert errors[1]["message"] == (
        "Un Tag ID tiene letras, dígitos, '-', '/' y '_', hasta 64 en total."
    )
    assert errors[0]["message"].startswith("11.000 caracteres")


async def test_errors_of_requests(api: Api) -> None:
    """Errors of fields and of whole requests are translated as well."""
    answer, _ = await ask(api, "{ a: cases(first: 1, last: 1) { totalCount } }")
    async with api.http.post(f"{api.url}/graphql", json={}, headers=SPANISH) as response:
        refused = await response.json()

    assert answer["errors"][0]["message"] == "Indique first o last, no los dos."
    assert response.status == 401
    assert refused["errors"][0]["message"].startswith("Envíe un token válido")


async def test_errors_of_rows(api: Api) -> None:
    """Errors, groups of them and remarks are translated when they are read; params stay."""
    import_id = await add_failed_import(api)
    answer, _ = await ask(api, ROWS, {"id": import_id})
    english = (await api.data(ROWS, {"id": import_id}))["import"]
    found = answer["data"]["import"]
    failed, passed = nodes(found["rows"])
    spanish = "Case Id: ningún caso tiene el Tag ID o ID 'trv-1'; ¿quiso decir 'trv-001'?"

    assert [each["message"] for each in failed["errors"]] == [spanish, "Seat: is hard."]
    assert failed["errors"][0]["params"] == [
        {"name": "noun", "value": "case"},
        {"name": "text", "value": "trv-1"},
    ]
    assert passed["message"] == "repite la fila 2"
    assert found["type"]["label"] == "Asignar usuarios a casos"
    assert {each["message"] for each in nodes(found["errorGroups"])} >= {spanish}
    assert nodes(english["rows"])[0]["errors"][0]["message"].startswith("Case Id: no case has")
    assert nodes(english["rows"])[1]["message"] == "repeats row 2"


async def test_import_types(api: Api) -> None:
    """Types are described in the language, and sorted by their labels there."""
    answer, _ = await ask(api, TYPES)
    types = answer["data"]["importTypes"]
    labels = [each["label"] for each in types]
    assign = next(each for each in types if each["key"] == "assign")

    assert labels == sorted(labels)
    assert "Asignar usuarios a casos" in labels
    assert assign["description"].startswith("Asigna usuarios a casos")
    assert assign["columns"][0]["description"] == "Tag ID del caso, o el ID que muestra la API."
    assert assign["columns"][3]["choices"] == ["clients", "staff", "default"]


async def test_downloads(api: Api) -> None:
    """Messages in downloads are in the language; the names of columns are not, as files have them.

    A link keeps the language in which it was made, whatever the browser that opens it says.
    """
    path = f"/files/imports/{await add_failed_import(api)}/failed-rows.csv"
    headers = {**bearer(api.world.admin), **SPANISH}
    async with api.http.get(f"{api.url}{path}", headers=headers) as response:
        rows = list(csv.DictReader(io.StringIO((await response.read()).decode("utf-8-sig"))))
    async with api.http.get(f"{api.url}{path}?format=xlsx", headers=headers) as workbook:
        sheet = openpyxl.load_workbook(io.BytesIO(await workbook.read())).active
    link = "mutation ($path: String!) { createDownload(path: $path) { url } }"
    answer, _ = await ask(api, link, {"path": path})
    _, linked, _ = await api.get(answer["data"]["createDownload"]["url"], token=None)

    assert response.headers["Content-Language"] == "es"
    assert list(rows[0]) == ["case_id", "user_id", "row", "errors"]
    assert rows[0]["errors"].startswith("Case Id: ningún caso tiene")
    assert sheet is not None
    assert "ningún caso" in str(sheet["D2"].value)
    assert sheet["A1"].comment is not None
    assert sheet["A1"].comment.text.startswith("Tag ID del caso")
    assert "ningún caso" in linked.decode()


@pytest.mark.parametrize("name", ["Accept-Language", "accept-language", "acceptLanguage"])
async def test_sockets(api: Api, name: str) -> None:
    """A WebSocket's first message may say the language, as browsers set no header of one."""
    payload = {"Authorization": f"Bearer {api.world.admin}", name: "es"}
    async with subscriber(api) as peer:
        await peer.send({"type": "connection_init", "payload": payload})
        await peer.receive()
        await peer.subscribe(VIEWER)
        found = await peer.next()

    assert found["viewer"]["locale"] == "es"


async def test_subscribers_of_two_languages(api: Api) -> None:
    """Subscribers share a result only with those of their own language."""
    key = await add_import(api.world.app, status=ImportStatus.PROCESSED)
    query = "subscription ($id: ID!) { importUpdated(id: $id) { type { label } } }"
    labels = []
    for language in ("en", "es"):
        payload = {"Authorization": f"Bearer {api.world.admin}", "Accept-Language": language}
        async with subscriber(api) as peer:
            await peer.send({"type": "connection_init", "payload": payload})
            await peer.receive()
            await peer.subscribe(query, {"id": node_id("Import", key)})
            labels.append((await peer.next())["importUpdated"]["type"]["label"])

    assert labels == ["Assign users to cases", "Asignar usuarios a casos"]


async def test_a_file(api: Api) -> None:
    """What is wrong with the rows of a file is said in the language, however it was imported."""
    [case] = await add_cases(api.world.app, 1)
    case_id = node_id("Case", case)
    import_id = await run(api, "assign", f"{case_id},nobody-7,boss,perhaps", f"{case_id},,staff,0")
    answer, _ = await ask(api, ROWS, {"id": import_id})
    first, second = nodes(answer["data"]["import"]["rows"])

    assert [(each["code"], each["message"]) for each in first["errors"]] == [
        ("NOT_FOUND", "User Id: ningún usuario tiene el Tag ID o ID 'nobody-7'."),
        (
            "INVALID_CHOICE",
            "Case Role Id: 'boss' no existe; use uno de estos: clients, default, staff.",
        ),
        ("INVALID_FLAG", "Case Notify: 'perhaps' no es 0 (no) ni 1 (yes)."),
    ]
    assert [each["message"] for each in second["errors"]] == ["User Id: es obligatorio."]


@pytest.mark.parametrize(
    ("mutation", "is_dry_run", "name"),
    [("undoImport", False, "import 0 (deshecha)"), ("applyImport", True, "import 0 (aplicada)")],
)
async def test_names(api: Api, mutation: str, is_dry_run: bool, name: str) -> None:
    """An import that is made of another one has its name, with an ending in the language."""
    app = api.world.app
    [case], [user] = await add_cases(app, 1), await add_users(app, 1)
    row = f"{node_id('Case', case)},{node_id('User', user)},staff,0"
    import_id = await run(api, "assign", row, is_dry_run=is_dry_run)
    payload = "{ import { name } userErrors { code } }"
    query = f"mutation ($id: ID!) {{ {mutation}(id: $id) {payload} }}"
    answer, _ = await ask(api, query, {"id": import_id})

    assert answer["data"][mutation] == {"import": {"name": name}, "userErrors": []}
