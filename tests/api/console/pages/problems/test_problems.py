"""The tab of problems: who sees what of failed rows, and what a refused retry says."""

from __future__ import annotations

from typing import Any

import pytest

from api.console.pages.problems.group_key import GroupKey
from models.db import transaction
from models.imports import ImportStatus
from models.row import RowResult, RowStatus, write_rows
from tests.api.api_fixture import Api, add_import, node_id, sql
from tests.api.console.browser import Browser

NOT_FOUND: dict[str, Any] = {
    "code": "NOT_FOUND",
    "message": "User Id: no user has the Tag ID or ID 'jones-1'.",
    "column": "user_id",
    "value": "jones-1",
    "suggestion": "jones-001",
}
WHOLE = {"code": "NOT_ASSIGNED", "message": "Is not on it.", "column": None, "value": None}
GROUP = GroupKey.of(NOT_FOUND).encode()
TRY, EDITOR = 'name="all"', "<rows-editor"


async def add_failed(api: Api, **columns: Any) -> str:
    """Add an import with two failed rows, and return the address of the tab."""
    ended = {"finished_at": await sql("fetchval", "SELECT now()"), "failed": 2, "total": 2}
    key = await add_import(api.world.app, **{**ended, **columns})
    rows = {3: [WHOLE], 4: [NOT_FOUND]}
    async with transaction() as db:
        await write_rows(db, api.world.app.id, key, [
            RowResult(number, b'["trv-1","jones-1"]', RowStatus.FAILED, errors=errors)
            for number, errors in rows.items()
        ])  # fmt: skip
    return f"/console/imports/{node_id('Import', key)}/problems"


async def test_groups_and_rows(api: Api, admin: Browser) -> None:
    """All groups and all rows are shown; the chosen group has its own rows alone."""
    place = await add_failed(api)
    everything = (await admin.get(place)).text
    chosen = (await admin.get(f"{place}?group={GROUP}")).text

    assert "2 kinds of problems" in everything
    assert (everything.count("<tr data-row="), chosen.count("<tr data-row=")) == (2, 1)
    assert "Use “" in chosen


async def test_viewer(api: Api, viewer: Browser) -> None:
    """A token that may only read sees what is wrong, and no button that would be refused."""
    place = await add_failed(api)
    page = (await viewer.get(f"{place}?group={GROUP}&use=x&edit=4")).text

    assert "no user has the Tag ID" in page
    assert TRY not in page
    assert EDITOR not in page
    assert 'name="use"' not in page
    assert 'name="cell.' not in page


@pytest.mark.parametrize(
    ("columns", "may_try"),
    [
        pytest.param({}, True, id="ended"),
        pytest.param({"status": ImportStatus.PROCESSING, "finished_at": None}, False, id="running"),
        pytest.param({"is_dry_run": True}, True, id="rehearsal"),
    ],
)
async def test_what_may_be_tried(
    api: Api, admin: Browser, columns: dict[str, Any], may_try: bool
) -> None:
    """Rows run again when the import has ended."""
    page = (await admin.get(await add_failed(api, **columns))).text

    assert (TRY in page, EDITOR in page) == (may_try, may_try)


async def test_rows_of_an_undo(api: Api, admin: Browser) -> None:
    """Rows that undo an import can't be corrected, but run again."""
    undone = await add_import(api.world.app, "undone")
    page = (await admin.get(await add_failed(api, undo_of_id=undone))).text

    assert (TRY in page, EDITOR in page) == (True, False)


async def test_rows_that_are_gone(api: Api, admin: Browser) -> None:
    """Of rows that were removed there is nothing to see or to try."""
    page = await admin.get(await add_failed(api, purged_at=await sql("fetchval", "SELECT now()")))

    assert "The rows are not kept any more." in page.text
    assert TRY not in page.text


async def test_form_of_a_row(api: Api, admin: Browser) -> None:
    """A refused correction comes back in its form, with what was typed and why."""
    place = await add_failed(api)
    fields = {"cell.4.user_id": "typed", "was.4.user_id": "jones-1", "cell.9.user_id": "x"}
    answer = await admin.post(f"{place}?edit=4", fields)

    assert answer.status == 422
    assert "The import has no row 9." in answer.text
    assert 'value="typed"' in answer.text


async def test_replacement(api: Api, admin: Browser) -> None:
    """The first rows are shown with their new cell before it runs."""
    place = await add_failed(api)
    page = (await admin.get(f"{place}?group={GROUP}&use=+jones-001+")).text
    answer = await admin.post(place, {"group": GROUP, "column": "user_id", "use": "jones-001"})

    assert '<input type="hidden" name="use" value="jones-001">' in page
    assert "<del><bdi" in page
    assert answer.location == f"{place}?tried=1"


async def test_sent_twice(api: Api, admin: Browser) -> None:
    """The second click of two shows what the first has begun."""
    place = await add_failed(api)
    answers = [await admin.post(place, {"all": "1"}) for _ in range(2)]

    assert [answer.location for answer in answers] == [f"{place}?tried=1", place]


async def test_a_group_that_is_mended(api: Api, admin: Browser) -> None:
    """A group that is there no more is refused in words."""
    key = GroupKey("NOT_FOUND", "user_id", "gone").encode()
    answer = await admin.post(await add_failed(api), {"group": key})

    assert answer.status == 422
    assert "No failed row has such an error." in answer.text


async def test_refused_file(api: Api, admin: Browser) -> None:
    """Why a file was refused, and where, stands in one panel."""
    error = '[{"code": "X", "message": "Row 7 is odd.", "column": null, "params": {"row": 7}}]'
    key = await add_import(
        api.world.app, status=ImportStatus.FAILED, total=0, header=None, errors=error
    )
    page = (await admin.get(f"/console/imports/{node_id('Import', key)}/problems")).text

    assert "Row 7 is odd." in page
    assert "<dt>Row</dt><dd>7</dd>" in page
    assert "/console/imports/new?type=assign" in page


async def test_no_such_import(admin: Browser) -> None:
    """An import that is not there is a page that says so."""
    assert (await admin.get("/console/imports/nonsense/problems")).status == 404
