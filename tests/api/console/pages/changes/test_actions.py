"""Forms that do something with an import."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from models.imports import ImportStatus
from tests.api.api_fixture import Api, add_import, node_id

NOW = datetime(2026, 3, 1, tzinfo=UTC)


async def open_page(api: Api, path: str, token: str | None = None) -> tuple[int, str]:
    cookies = {"Cookie": f"caseroll_token={token or api.world.admin}"}
    async with api.http.get(f"{api.url}/console/{path}", headers=cookies) as response:
        return response.status, await response.text()


async def send_form(
    api: Api, path: str, token: str | None = None, **fields: str
) -> tuple[int, str, str]:
    headers = {
        "Cookie": f"caseroll_token={token or api.world.admin}",
        "Sec-Fetch-Site": "same-origin",
    }
    async with api.http.post(
        f"{api.url}/console/{path}", data=fields, headers=headers, allow_redirects=False
    ) as response:
        return response.status, response.headers.get("Location", ""), await response.text()


async def add_plan(api: Api) -> str:
    """A rehearsal with a passed row."""
    columns = {"is_dry_run": True, "total": 1, "passed": 1, "created": 1, "finished_at": NOW}
    return node_id("Import", await add_import(api.world.app, "Plan", **columns))


async def test_apply(api: Api) -> None:
    """A plan is applied under the name that was typed; the same form twice does it once."""
    plan = await add_plan(api)
    first = await send_form(api, f"imports/{plan}/apply", name="June", key="k1")
    again = await send_form(api, f"imports/{plan}/apply", name="June", key="k1")

    assert first[0] == 303
    assert first[1] == again[1]
    assert first[1].startswith("/console/imports/")
    assert "June" in (await open_page(api, first[1].removeprefix("/console/")))[1]


async def test_name_taken(api: Api) -> None:
    """What is wrong with the name stands at its field, with what was typed and the same key."""
    await add_import(api.world.app, "June", ImportStatus.QUEUED)
    plan = await add_plan(api)
    status, _, page = await send_form(api, f"imports/{plan}/apply", name="June", key="k1")

    assert status == 422
    assert 'value="June"' in page
    assert 'value="k1"' in page
    assert 'aria-invalid="true" aria-describedby="name-problem"' in page
    assert "Another import of this name is running" in page


async def test_refused(api: Api) -> None:
    """What can't be done says so on the page of the action."""
    ended = node_id("Import", await add_import(api.world.app, finished_at=NOW))
    cancelled = await send_form(api, f"imports/{ended}/cancel")
    undone = await send_form(api, f"imports/{ended}/undo", key="k")
    released = await send_form(api, f"imports/{ended}/release")

    assert [each[0] for each in (cancelled, undone, released)] == [422] * 3
    assert "The import is finished already." in cancelled[2]
    assert "The import has changed nothing" in undone[2]
    assert "The import is not held." in released[2]


@pytest.mark.parametrize("action", ["apply", "undo", "cancel", "release"])
async def test_viewer(api: Api, action: str) -> None:
    """A token that may only read can look, and change nothing."""
    plan = await add_plan(api)
    status, page = await open_page(api, f"imports/{plan}/{action}", api.world.viewer)
    sent = await send_form(api, f"imports/{plan}/{action}", api.world.viewer, name="x")

    assert (status, sent[0]) == (200, 403)
    assert "<button>" not in page.partition("<main")[2].partition("</main>")[0]


@pytest.mark.parametrize("tab", ["changes", "rows", "file", "log", "apply", "undo", "cancel"])
async def test_of_another_app(api: Api, tab: str) -> None:
    """An import of another app is none."""
    key = node_id("Import", await add_import(api.world.other))

    assert (await open_page(api, f"imports/{key}/{tab}"))[0] == 404


@pytest.mark.parametrize("tab", ["changes", "rows", "file", "log", "apply", "undo", "cancel"])
@pytest.mark.parametrize("status", list(ImportStatus))
async def test_any_status(api: Api, tab: str, status: ImportStatus) -> None:
    """Each page answers at any moment of an import's life."""
    hold = '{"code": "REMOVES_MANY", "message": "…", "since": "2026-03-01T00:00:00+00:00"}'
    columns = {"hold": hold if status is ImportStatus.HELD else None, "header": None}
    key = node_id("Import", await add_import(api.world.app, status=status, **columns))

    assert (await open_page(api, f"imports/{key}/{tab}"))[0] == 200


@pytest.mark.parametrize("tab", ["changes", "rows", "file", "log"])
async def test_rows_are_gone(api: Api, tab: str) -> None:
    """An import whose rows were removed says so, and offers nothing that would be refused."""
    counts = {"total": 2, "passed": 1, "failed": 1, "created": 1}
    key = await add_import(api.world.app, finished_at=NOW, purged_at=NOW, **counts)
    status, page = await open_page(api, f"imports/{node_id('Import', key)}/{tab}")

    assert status == 200
    assert "The file and the rows of this import were removed" in page
    assert "/console/files/imports/" not in page.partition('class="tabs"')[2]
