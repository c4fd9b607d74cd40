"""Who did what, and which assignments were changed."""

from __future__ import annotations

import re

import pytest

from api.console.pages.people.history import ACTIONS
from models.audit import Action
from tests.api.api_fixture import Api, add_cases, add_import, add_users, assign, node_id, sql
from tests.api.console.browser import Browser

CREATE = 'mutation { createCase(input: { about: "x", tagId: "trv-1" }) { case { id } } }'


def test_all_actions() -> None:
    """Each action of the audit trail can be chosen."""
    assert set(ACTIONS) == {action.value for action in Action}


async def test_actions_have_words(admin: Browser) -> None:
    """No action is shown by its name in the API."""
    text = (await admin.get("/console/history")).text
    words = re.findall(r'<option value="[A-Z_]+" >(.*?)</option>', text)

    assert len(words) == len(ACTIONS)
    assert [word for word in words if word.isupper()] == []


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 1),
        ("?action=CASE_CREATED&actor=admin", 1),
        ("?action=CASE_UPDATED", 0),
        ("?action=nonsense", 1),
        ("?actor=nobody", 0),
        ("?target={case}", 1),
        ("?target={user}", 0),
        ("?target=nonsense", 0),
        ("?from=2020-01-01&to=2020-01-02", 0),
        ("?from=2020-01-01", 1),
    ],
)
async def test_filters(api: Api, admin: Browser, query: str, count: int) -> None:
    """Actions are found by what, who and when; each leads to what it was done to."""
    await sql("execute", "DELETE FROM audit_events")
    case = (await api.data(CREATE))["createCase"]["case"]["id"]

    answer = await admin.get(f"/console/history{query.format(case=case, user='VXNlcjox')}")
    text = answer.text

    assert answer.status == 200
    assert text.count(f'<a href="/console/cases/{case}">') == count
    assert ("1 action" in text) == bool(count)


async def test_viewers(viewer: Browser) -> None:
    """A viewer may not read the audit trail, and is led to the changes of assignments."""
    answer = await viewer.get("/console/history")

    assert answer.location == "/console/history/assignments"
    assert "Who did what" not in (await viewer.get(answer.location)).text


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 4),
        ("?case={case}", 2),
        ("?user={user}", 2),
        ("?case={case}&user={user}", 1),
        ("?import={import}", 4),
        ("?import=nonsense", 0),
        ("?case=nonsense&user=nonsense", 0),
        ("?to=2020-01-01", 0),
    ],
)
async def test_changes(api: Api, viewer: Browser, query: str, count: int) -> None:
    """Changes of assignments are found by case, user, import and time."""
    cases, users = await add_cases(api.world.app, 2), await add_users(api.world.app, 2)
    import_id = await add_import(api.world.app)
    await assign(api.world.app, cases, users, import_id)
    ids = {
        "case": node_id("Case", cases[0]),
        "user": node_id("User", users[0]),
        "import": node_id("Import", import_id),
    }

    answer = await viewer.get(f"/console/history/assignments{query.format(**ids)}")

    assert answer.status == 200
    assert answer.text.count("put on the case as Staff") == count
