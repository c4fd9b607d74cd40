"""Users and cases: lists, pages and forms."""

from __future__ import annotations

import html
import re

import pytest

from tests.api.api_fixture import Api, add_cases, add_users, assign, node_id, sql
from tests.api.console.browser import Browser


async def test_lists(api: Api, viewer: Browser) -> None:
    """Searches and states choose; a viewer sees no way to make new ones."""
    await add_cases(api.world.app, 2)
    await add_users(api.world.app, 2)
    await sql(
        "execute", "UPDATE cases SET is_active = false, tag_id = NULL WHERE tag_id = 'case-2'"
    )
    found = {
        path: re.findall(
            r'<th scope="row">.*?<bdi dir="auto">(.*?)</bdi>|(Case without a Tag ID)',
            (await viewer.get(f"/console/{path}")).text,
        )
        for path in ("users", "users?search=name2", "cases?status=CLOSED", "cases?status=ACTIVE")
    }

    assert found == {
        "users": [("Name1", ""), ("Name2", "")],
        "users?search=name2": [("Name2", "")],
        "cases?status=CLOSED": [("", "Case without a Tag ID")],
        "cases?status=ACTIVE": [("case-1", "")],
    }
    assert "New user" not in (await viewer.get("/console/users")).text


async def test_long_texts_are_cut(api: Api, viewer: Browser) -> None:
    """A list of cases with the longest texts stays small; the page of a case has all of its."""
    [case] = await add_cases(api.world.app, 1)
    await sql("execute", "UPDATE cases SET about = repeat('first line ', 900) || E'\nlast line'")

    listed = await viewer.get("/console/cases")
    shown = await viewer.get(f"/console/cases/{node_id('Case', case)}")

    assert "last line" not in listed.text
    assert "last line" in shown.text


@pytest.mark.parametrize(("noun", "kind"), [("users", "User"), ("cases", "Case")])
async def test_page(api: Api, viewer: Browser, noun: str, kind: str) -> None:
    """A page has assignments, and leads to the history of each; unknown IDs have none."""
    cases, users = await add_cases(api.world.app, 1), await add_users(api.world.app, 1)
    await assign(api.world.app, cases, users)
    ids = {"User": node_id("User", users[0]), "Case": node_id("Case", cases[0])}

    answer = await viewer.get(f"/console/{noun}/{ids[kind]}")

    assert f'href="/console/assignments/{ids["Case"]}/{ids["User"]}"' in answer.text
    assert "Edit" not in answer.text
    assert (await viewer.get(f"/console/{noun}/nonsense")).status == 404


async def test_edit(api: Api, admin: Browser) -> None:
    """Only what was changed is stored: what a colleague has changed meanwhile stays."""
    [user] = await add_users(api.world.app, 1)
    await sql("execute", "UPDATE users SET family_name = 'Colleague'")
    path = f"/console/users/{node_id('User', user)}"

    answer = await admin.post(
        f"{path}/edit",
        {
            "givenName": "New", "was-givenName": "Name1",
            "familyName": "", "was-familyName": "",
            "locale": "sp", "was-locale": "",
            "status": "DISABLED", "was-status": "ACTIVE",
        },
    )  # fmt: skip

    stored = await sql("fetch", "SELECT given_name, family_name, locale, is_active FROM users")
    assert (answer.status, answer.location) == (303, f"{path}?saved=yes")
    assert [tuple(row) for row in stored] == [("New", "Colleague", "es", False)]
    assert "The user is saved." in (await admin.get(answer.location)).text


async def test_nothing_changed(api: Api, admin: Browser) -> None:
    """A form that is sent as it was changes nothing, and writes no history."""
    [case] = await add_cases(api.world.app, 1)
    path = f"/console/cases/{node_id('Case', case)}"

    answer = await admin.post(f"{path}/edit", {"about": "A", "was-about": "A"})

    assert answer.location == f"{path}?saved=yes"
    assert await sql("fetchval", "SELECT count(*) FROM audit_events WHERE action LIKE 'CASE%'") == 0


async def test_tag_id(api: Api, admin: Browser) -> None:
    """A blank Tag ID can be set, and the form says that it is permanent; one that is set can't."""
    cases = await add_cases(api.world.app, 2)
    await sql("execute", "UPDATE cases SET tag_id = NULL WHERE id = $1", cases[0])
    path = f"/console/cases/{node_id('Case', cases[0])}/edit"
    before = await admin.get(path)
    taken = await admin.post(path, {"tagId": "case-2", "was-tagId": ""})
    await admin.post(path, {"tagId": "trv-9", "was-tagId": ""})
    after = await admin.get(path)
    late = await admin.post(path, {"tagId": "trv-8", "was-tagId": ""})

    assert "It is permanent" in before.text
    assert taken.status == 422
    assert "Another case has the Tag ID &#39;case-2&#39;." in taken.text
    assert 'value="case-2"' in taken.text
    assert (
        'aria-describedby="tagId-problem1 tagId-hint" aria-invalid="true" autofocus' in taken.text
    )
    assert 'name="tagId"' not in after.text
    assert "keeps its Tag ID for ever" in late.text
    assert await sql("fetchval", "SELECT tag_id FROM cases WHERE id = $1", cases[0]) == "trv-9"


async def test_new(api: Api, admin: Browser) -> None:
    """A new one is led to; what is wrong comes back at its field, with what was typed."""
    wrong = await admin.post(
        "/console/cases/new", {"about": "", "tagId": "a b", "dateOpened": "", "status": "ACTIVE"}
    )
    undated = await admin.post("/console/cases/new", {"about": "Typed", "dateOpened": "31.5.2026"})
    made = await admin.post(
        "/console/cases/new", {"about": "A\r\nB", "dateOpened": "2026-05-31", "status": "CLOSED"}
    )
    user = await admin.post("/console/users/new", {"email": "", "givenName": "G"})

    problems = [
        html.unescape(each)
        for answer in (wrong, undated, user)
        for each in re.findall(r'<p class="problem"[^>]*>(.*?)</p>', answer.text)
    ]
    stored = await sql("fetch", "SELECT about, date_opened::text, is_active FROM cases")
    assert problems == [
        "This can't be blank.",
        "A Tag ID has letters, digits, '-', '/' and '_', up to 64 of them.",
        "Write the day as 2026-05-31.",
        "This is not an e-mail address.",
    ]
    assert ">Typed</textarea>" in undated.text
    assert [tuple(row) for row in stored] == [("A\nB", "2026-05-31", False)]
    assert made.location.startswith("/console/cases/Q2FzZ")


@pytest.mark.parametrize("path", ["users/new", "cases/new", "users/x/edit", "cases/x/edit"])
async def test_forms_of_viewers(viewer: Browser, path: str) -> None:
    """A viewer gets no form to fill in that would be refused."""
    answers = await viewer.get(f"/console/{path}"), await viewer.post(f"/console/{path}")

    assert [each.status for each in answers] == [403, 403]


async def test_gone(admin: Browser) -> None:
    """Neither a form nor what it sends reaches what the app has not."""
    path = f"/console/users/{node_id('User', 999)}/edit"
    answers = await admin.get(path), await admin.post(path, {"givenName": "G", "was-givenName": ""})

    assert [each.status for each in answers] == [404, 404]
