"""What an import comes to as a whole."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from api.schema.changes import consequences
from models.consequences import ConsequenceCode
from tests.api.api_fixture import Api, add_cases, add_users, change_settings, sql
from tests.api.schema.changes.import_runner import run

CONSEQUENCES = """query ($id: ID!) { import(id: $id) { status consequences {
  code message count cases { tagId } users { tagId } } } }"""


async def ask(api: Api, import_id: str, **arguments: Any) -> dict[str, tuple[int, list[str]]]:
    """Return how many of what, with the cases and users that are named, by code."""
    data = await api.data(CONSEQUENCES, {"id": import_id}, **arguments)
    return {
        each["code"]: (each["count"], [one["tagId"] for one in each["cases"] + each["users"]])
        for each in data["import"]["consequences"]
    }


async def messages(api: Api, import_id: str) -> list[str]:
    data = await api.data(CONSEQUENCES, {"id": import_id})
    return [each["message"] for each in data["import"]["consequences"]]


async def fill(api: Api, *assigned: str, cases: int = 3, users: int = 3) -> None:
    api.world.cases = await add_cases(api.world.app, cases)
    api.world.users = await add_users(api.world.app, users)
    if assigned:
        await run(api, "assign", *assigned)
        # So that nothing reverses what was done within a day.
        await sql("execute", "UPDATE assignment_history SET changed_at = now() - interval '2 days'")


async def both(api: Api, type_: str, *rows: str) -> tuple[Any, Any]:
    """Return what a dry run of some rows leads to, and then the import itself."""
    plan = await ask(api, await run(api, type_, *rows, is_dry_run=True))
    return plan, await ask(api, await run(api, type_, *rows))


async def test_removals(api: Api) -> None:
    """Cases that lose their last user, and users their last case, each counted once."""
    await fill(
        api,
        "case-1,user-1,staff,0",
        "case-1,user-2,staff,0",
        "case-2,user-1,staff,0",
        "case-2,user-3,staff,0",
    )

    plan, done = await both(api, "remove", "case-1,user-1", "case-1,user-2", "case-2,user-1")

    expected = {
        "CASES_WITHOUT_USERS": (1, ["case-1"]),
        "USERS_WITHOUT_CASES": (2, ["user-1", "user-2"]),
    }
    assert plan == done == expected


async def test_messages(api: Api) -> None:
    """A sentence says what would be, or what is; singular and plural."""
    await fill(api, "case-1,user-1,staff,0")
    plan = await run(api, "remove", "case-1,user-1", is_dry_run=True)
    done = await run(api, "remove", "case-1,user-1")

    assert await messages(api, plan) == []
    assert await messages(api, done) == [
        "1 case lost the last user.",
        "1 user lost the last case.",
    ]


async def test_plan_of_which_some_is_done(api: Api) -> None:
    """What has been changed since would not be carried out, and so leads to nothing."""
    await fill(api, "case-1,user-1,staff,0", "case-2,user-2,staff,0")
    plan = await run(api, "remove", "case-1,user-1", "case-2,user-2", is_dry_run=True)
    assert await ask(api, plan) == {
        "CASES_WITHOUT_USERS": (2, ["case-1", "case-2"]),
        "USERS_WITHOUT_CASES": (2, ["user-1", "user-2"]),
    }

    await run(api, "modify", "case-1,user-1,clients,0")
    await run(api, "assign", "case-2,user-3,staff,0")

    assert await ask(api, plan) == {"USERS_WITHOUT_CASES": (1, ["user-2"])}


async def require(api: Api, role: str | None) -> dict[str, Any]:
    data = await api.data(
        """mutation ($role: String) { updateApp(input: {requiredRole: $role}) {
          app { requiredRole } userErrors { code field } } }""",
        {"role": role},
    )
    payload: dict[str, Any] = data["updateApp"]
    return payload


async def test_setting_of_the_required_role(api: Api) -> None:
    """An app requires one of its own roles, or none."""
    error = {"code": "UNKNOWN_ROLE", "field": ["input", "requiredRole"]}

    assert await require(api, "staff") == {"app": {"requiredRole": "staff"}, "userErrors": []}
    assert await require(api, "boss") == {"app": None, "userErrors": [error]}
    assert await require(api, None) == {"app": {"requiredRole": None}, "userErrors": []}


async def test_required_role(api: Api) -> None:
    """Cases that lose their last user in the role that the app requires, by any change."""
    await fill(
        api,
        *("case-1,user-1,staff,0", "case-1,user-2,clients,0"),
        *("case-2,user-1,staff,0", "case-2,user-2,staff,0"),
        *("case-3,user-1,staff,0", "case-3,user-2,staff,0"),
    )
    await require(api, "staff")

    modified = await both(
        api, "modify", "case-1,user-1,clients,", "case-2,user-1,clients,", "case-2,user-2,staff,1"
    )
    removed = await both(api, "remove", "case-3,user-1", "case-3,user-2")

    assert [each["CASES_WITHOUT_ROLE"] for each in modified] == [(1, ["case-1"])] * 2
    assert [each["CASES_WITHOUT_ROLE"] for each in removed] == [(1, ["case-3"])] * 2


async def test_many_cases(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Users whom the import puts on more cases than the setting says."""
    change_settings(api, monkeypatch, many_cases=2)
    await fill(
        api,
        *(f"case-{number},user-1,staff,0" for number in (1, 2)),
        *(f"case-{number},user-3,staff,0" for number in (1, 2, 3)),
        cases=4,
    )
    rows = ("case-3,user-1,staff,0", "case-1,user-2,staff,0")

    plan = await run(api, "assign", *rows, is_dry_run=True)

    assert await ask(api, plan) == {"USERS_ON_MANY_CASES": (1, ["user-1"])}
    assert await messages(api, plan) == ["1 user would be on more than 2 cases."]
    assert await ask(api, await run(api, "assign", *rows)) == await ask(api, plan) | {
        "USERS_ON_MANY_CASES": (1, ["user-1"])
    }


async def test_roles_and_mails(api: Api) -> None:
    """Clients who become staff, and users who get a mail, however many mails."""
    await fill(api, "case-1,user-1,clients,0", "case-2,user-1,clients,0", "case-3,user-2,staff,0")

    plan, done = await both(
        api, "modify", "case-1,user-1,staff,1", "case-2,user-1,,1", "case-3,user-2,clients,0"
    )

    assert plan == done
    assert plan == {"ROLE_TO_STAFF": (1, ["case-1", "user-1"]), "MAILS": (1, ["user-1"])}


async def test_reversals(api: Api) -> None:
    """Changes that take back what another import did within a day; an older one does not count."""
    await fill(api, "case-1,user-1,staff,0", "case-3,user-3,staff,0")
    await run(api, "modify", "case-1,user-1,clients,0")
    await run(api, "assign", "case-2,user-2,staff,0")

    modified = await both(api, "modify", "case-1,user-1,staff,1")
    removed = await both(api, "remove", "case-2,user-2", "case-3,user-3")

    assert [each["REVERSALS"] for each in modified] == [(1, ["case-1", "user-1"])] * 2
    assert [each["REVERSALS"] for each in removed] == [(1, ["case-2", "user-2"])] * 2


async def test_users_and_cases(api: Api) -> None:
    """Users who are disabled while they are on cases, and cases that are closed with users."""
    await fill(api, "case-1,user-1,staff,0")

    users = await both(api, "modify-users", "user-1,,,,0", "user-2,,,,0", "user-3,Kim,,,1")
    cases = await both(api, "modify-cases", "case-1,0,,", "case-2,0,,", "case-3,,,other")

    assert users == ({"DISABLED_USERS_ON_CASES": (1, ["user-1"])},) * 2
    assert cases == ({"CLOSED_CASES_WITH_USERS": (1, ["case-1"])},) * 2


async def test_a_plugins_own_record(api: Api) -> None:
    """A field that is called as that of cases, in a record about a case, closes no case."""
    await fill(api, "case-1,user-1,staff,0")
    closed = await run(api, "modify-cases", "case-1,0,,")
    edits = '[{"is_active":true},{"is_active":false},"kit [[\\"desk\\",1]]"]'
    await sql("execute", "UPDATE import_rows SET edits = $1 WHERE edits IS NOT NULL", edits)

    assert await ask(api, closed) == {}


async def test_first_few(api: Api) -> None:
    """Five are named at most, all are counted."""
    rows = [f"case-{number},user-1,staff,0" for number in range(1, 8)]
    await fill(api, *rows, cases=7)

    plan = await run(api, "remove", *[f"case-{n},user-1" for n in range(1, 8)], is_dry_run=True)

    found = await ask(api, plan)
    assert found["CASES_WITHOUT_USERS"] == (7, [f"case-{number}" for number in range(1, 6)])


async def test_nothing(api: Api) -> None:
    """An import that does nothing, or is still running, leads to nothing; other apps see none."""
    await fill(api, "case-1,user-1,staff,0")
    nothing = await run(api, "remove", "case-2,user-1")
    plan = await run(api, "remove", "case-1,user-1", is_dry_run=True)

    assert await ask(api, nothing) == {}
    assert await ask(api, plan, token=api.world.viewer) == await ask(api, plan) != {}
    hidden = await api.data(CONSEQUENCES, {"id": plan}, api.world.stranger)
    assert hidden == {"import": None}
    await sql("execute", "UPDATE imports SET status = 'PROCESSING'")
    assert await ask(api, plan) == {}


async def test_too_slow(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that takes too long is given up, and the client is told."""

    async def find(*_: Any, **__: Any) -> Any:
        raise asyncpg.QueryCanceledError("statement timeout")

    await fill(api)
    import_id = await run(api, "assign", "case-1,user-1,staff,0")
    monkeypatch.setattr(consequences, "find_consequences", find)

    assert await api.code(CONSEQUENCES, {"id": import_id}) == "TIMED_OUT"


async def test_cost(api: Api) -> None:
    """A few imports at a time can be asked for it, but not a page of them."""
    query = "{ imports(first: %d) { edges { node { consequences { code } } } } }"

    assert "errors" not in await api.execute(query % 5)
    assert await api.code(query % 20) == "TOO_COMPLEX"


def test_wordings() -> None:
    """Each code has its words."""
    assert consequences._WORDINGS.keys() == set(ConsequenceCode)


async def test_held(api: Api) -> None:
    """Of an import that is held, changes and consequences are those of its plan."""
    await fill(api, "case-1,user-1,staff,0", "case-2,user-2,staff,0")
    await sql("execute", "UPDATE apps SET requires_release = true")
    held = await run(api, "remove", "case-1,user-1", "case-2,user-2")
    stale = """query ($id: ID!) { import(id: $id) { status changes { totalCount edges { node {
      kind isStale } } } } }"""

    expected = {
        "CASES_WITHOUT_USERS": (2, ["case-1", "case-2"]),
        "USERS_WITHOUT_CASES": (2, ["user-1", "user-2"]),
    }
    assert await ask(api, held) == expected
    found = (await api.data(stale, {"id": held}))["import"]
    assert (found["status"], found["changes"]["totalCount"]) == ("HELD", 2)
    assert [edge["node"] for edge in found["changes"]["edges"]] == [
        {"kind": "REMOVE", "isStale": False}
    ] * 2
