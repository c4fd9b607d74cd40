"""Creating and changing users."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.api_fixture import Api, add_users, node_id, sql

FIELDS = "user { id tagId email givenName familyName locale zoneinfo status }"
CREATE = f"""mutation ($input: CreateUserInput!) {{ createUser(input: $input) {{
  {FIELDS} userErrors {{ code message field }} }} }}"""
UPDATE = f"""mutation ($id: ID!, $input: UpdateUserInput!) {{ updateUser(id: $id, input: $input) {{
  {FIELDS} userErrors {{ code message field }} }} }}"""


async def create(api: Api, **values: Any) -> dict[str, Any]:
    """Create a user and return the payload."""
    values = {"email": "new@example.org", **values}
    payload: dict[str, Any] = (await api.data(CREATE, {"input": values}))["createUser"]
    return payload


async def update(api: Api, user_id: str, **values: Any) -> dict[str, Any]:
    """Change a user and return the payload."""
    variables = {"id": user_id, "input": values}
    payload: dict[str, Any] = (await api.data(UPDATE, variables))["updateUser"]
    return payload


def errors(payload: dict[str, Any]) -> list[tuple[str, str]]:
    """Return codes and last steps of the fields; a payload with errors has nothing else."""
    assert (payload["user"] is None) == bool(payload["userErrors"])
    return [(error["code"], error["field"][-1]) for error in payload["userErrors"]]


async def test_create(api: Api) -> None:
    """A user is created with what is given, trimmed; `sp` is Spanish."""
    full = await create(
        api,
        email=" Jo@Example.org ",
        givenName=" Jo ",
        familyName="Li",
        tagId="jo-1",
        locale="sp",
        zoneinfo="America/New_York",
    )
    least = await create(api)

    assert {
        "tagId": "jo-1",
        "email": "Jo@Example.org",
        "givenName": "Jo",
        "familyName": "Li",
        "locale": "es",
        "zoneinfo": "America/New_York",
        "status": "ACTIVE",
    }.items() <= full["user"].items()
    assert (least["user"]["givenName"], least["user"]["locale"]) == ("", None)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"email": "USER1@example.org"}, ("EMAIL_TAKEN", "email")),
        ({"tagId": "user-1"}, ("TAG_TAKEN", "tagId")),
        ({"tagId": "a.b"}, ("INVALID_TAG", "tagId")),
        ({"givenName": "x" * 201}, ("TOO_LONG", "givenName")),
        ({"familyName": "a\nb"}, ("CONTROL_CHARACTER", "familyName")),
        ({"locale": "english please"}, ("INVALID_LOCALE", "locale")),
        ({"locale": "e"}, ("INVALID_LOCALE", "locale")),
        ({"zoneinfo": "New York"}, ("INVALID_ZONEINFO", "zoneinfo")),
        ({"zoneinfo": "../../etc/passwd"}, ("INVALID_ZONEINFO", "zoneinfo")),
        *(
            ({"email": email}, ("INVALID_EMAIL", "email"))
            for email in (
                "",
                "jo",
                "jo@",
                "@example.org",
                "jo@example",
                "jo\u0001@example.org",
                "=?utf-8?q?a=40b.org=2C_c?=@example.org",
                "\u202ejo@example.org",
                "jo@exa mple.org",
                "jo@example..org",
                "a@b@example.org",
                "jo@-example.org",
                "x" * 65 + "@example.org",
                "jo@" + "x" * 260 + ".org",
                "jo@example.org\x00",
                "jo <jo@example.org>",
            )
        ),
    ],
)
async def test_create_wrongly(api: Api, values: dict[str, Any], expected: tuple[str, str]) -> None:
    """What is wrong is told, and nothing is created."""
    await add_users(api.world.app, 1)

    payload = await create(api, **values)

    assert errors(payload) == [expected]
    assert await sql("fetchval", "SELECT count(*) FROM users") == 1


@pytest.mark.parametrize("locale", ["en", "es-MX", "zh-Hant-TW", "de-CH-1901", "es-419", "en-x-a"])
async def test_locales(api: Api, locale: str) -> None:
    """BCP 47 tags are taken as they are."""
    assert (await create(api, locale=locale))["user"]["locale"] == locale


@pytest.mark.parametrize("email", ["a.b+c@sub.example.org", "o'neil@example.co", "jo@exämple.org"])
async def test_emails(api: Api, email: str) -> None:
    """Addresses that people have are taken."""
    assert (await create(api, email=email))["user"]["email"] == email


async def test_update(api: Api) -> None:
    """What is given changes, what is left out stays, and null clears what may be blank."""
    [key] = await add_users(api.world.app, 1)
    user_id = node_id("User", key)

    full = await update(
        api, user_id, givenName="Jo", locale="en", zoneinfo="Europe/Paris", status="DISABLED"
    )
    cleared = await update(api, user_id, locale=None, zoneinfo=None, givenName=None)
    refused = await update(api, user_id, status=None, familyName="Li")
    still = await update(api, user_id)

    assert {
        "tagId": "user-1",
        "givenName": "Jo",
        "locale": "en",
        "zoneinfo": "Europe/Paris",
        "status": "DISABLED",
    }.items() <= full["user"].items()
    assert cleared["user"] == {
        **full["user"],
        "locale": None,
        "zoneinfo": None,
        "givenName": "",
    }
    assert errors(refused) == [("REQUIRED", "status")]
    assert still == cleared


async def test_many_by_tag_id(api: Api) -> None:
    """Users come in the order of their Tag IDs, with null for each that is not there."""
    keys = await add_users(api.world.app, 2)
    query = "query ($tags: [String!]!) { usersByTagId(tagIds: $tags) { id email } }"

    data = await api.data(query, {"tags": ["user-2", "nobody", "user-1"]})

    assert [user and user["id"] for user in data["usersByTagId"]] == [
        node_id("User", keys[1]),
        None,
        node_id("User", keys[0]),
    ]


async def test_tag_of_a_user(api: Api) -> None:
    """A blank Tag ID can be set, one that is set stays."""
    user_id = (await create(api))["user"]["id"]

    first = await update(api, user_id, tagId="jo-1")
    other = await update(api, user_id, tagId="jo-2")

    assert first["user"]["tagId"] == "jo-1"
    assert errors(other) == [("TAG_PERMANENT", "tagId")]


@pytest.mark.parametrize("user_id", ["nonsense", node_id("User", 0), node_id("Case", 1)])
async def test_update_nothing(api: Api, user_id: str) -> None:
    """What is not a user can't be changed."""
    assert errors(await update(api, user_id, givenName="x")) == [("NOT_FOUND", "id")]
