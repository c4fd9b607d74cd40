"""Users and cases that are looked up while a Tag ID is typed."""

from __future__ import annotations

from api.console.language import Language
from api.console.pages.lookup import lookup_options
from tests.api.api_fixture import Api, add_users, sql
from tests.api.console.browser import Browser


async def test_options(api: Api, viewer: Browser) -> None:
    """Users are found by their names, and written by their Tag IDs."""
    await add_users(api.world.app, 1)
    await sql("execute", "UPDATE users SET given_name = '<b>Zoë', family_name = 'Q'")
    found = await viewer.get("/console/lookup?names=user&names=case&search=user")

    assert found.text == '<option value="user-1">&lt;b&gt;Zoë Q</option>\n'


async def test_nothing_is_asked_of_other_nouns(viewer: Browser) -> None:
    """Without a noun nothing is looked up."""
    assert (await viewer.get("/console/lookup?search=x")).text.strip() == ""


def test_how_they_are_known() -> None:
    """Users without a name have their address; what takes no assignments says so."""
    user = {"id": "VXNlcjox", "tagId": None, "givenName": "", "familyName": "", "email": "a@b.c"}
    case = {"id": "Q2FzZTox", "tagId": "trv-1", "about": "Q v. R", "status": "CLOSED"}
    data = {
        "users": {"edges": [{"node": {**user, "status": "ACTIVE"}}]},
        "cases": {"edges": [{"node": case}]},
    }

    assert lookup_options(Language("en"), data) == [
        ("VXNlcjox", "a@b.c"),
        ("trv-1", "Q v. R (closed)"),
    ]
