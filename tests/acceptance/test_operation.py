"""The commands of an operator, on servers of their own."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.program import launch
from tests.models.pooler import pooler


class Operator:
    """Runs commands with DATABASE_URL and REDIS_URL set, as production does."""

    def __init__(self, database_url: str, redis_url: str, **environ: str) -> None:
        self._environ = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, **environ}

    def run(self, *arguments: str) -> tuple[int, str, str]:
        with launch(arguments, stderr=subprocess.PIPE, **self._environ) as popen:
            output, error = popen.communicate(timeout=60)
        return popen.returncode, output, error


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


@pytest.fixture
def operator(empty_database_url: str, redis_url: str) -> Operator:
    """An operator whose database is empty."""
    return Operator(empty_database_url, redis_url)


@pytest.fixture
def on_migrated(database_url: str, redis_url: str) -> Operator:
    """An operator whose database has the newest schema."""
    return Operator(database_url, redis_url)


def test_migrate(operator: Operator) -> None:
    """`migrate` makes the schema, and changes nothing when it is run again."""
    before = operator.run("token", "list")
    once, again = operator.run("migrate"), operator.run("migrate")

    assert before[0] == 2
    assert before[2].startswith("Error: ")
    assert "Traceback" not in before[2]
    assert once == again == (0, "The database is up to date.\n", "")
    assert operator.run("token", "list", "--json")[:2] == (0, "[]\n")


TOKEN = ["token", "create", "--app", "acme"]


def test_last_day_of_a_token(on_migrated: Operator) -> None:
    """A token that is created with a date is good to the end of that day, UTC."""
    on_migrated.run("app", "create", "acme", "Acme Law")
    note = on_migrated.run(*TOKEN, "--expires", "2999-12-31")[2]
    [listed] = json.loads(on_migrated.run("token", "list", "--json")[1])

    assert listed["expires"] == "3000-01-01T00:00:00+00:00"
    assert listed["expires"] in note


def test_tokens(on_migrated: Operator) -> None:
    """A token alone is on stdout when it is created; the list never shows it."""
    on_migrated.run("app", "create", "acme", "Acme Law")
    code, token, note = on_migrated.run(
        "token", "create", "--app", "acme", "--viewer", "--name", "reports", "--expires", "30d"
    )
    [listed] = json.loads(on_migrated.run("token", "list", "--json")[1])
    revoked = on_migrated.run("token", "revoke", str(listed["id"]))
    [after] = json.loads(on_migrated.run("token", "list", "--json")[1])

    assert code == 0
    assert token.startswith("crl_")
    assert len(token.split()) == 1
    assert "VIEWER" in note
    assert (listed["app"], listed["name"], listed["permission"]) == ("acme", "reports", "VIEWER")
    assert listed["expires"] > listed["created"]
    assert token.strip() not in json.dumps(listed)
    assert (listed["revoked"], listed["state"], after["state"]) == (None, "live", "revoked")
    assert revoked[0] == 0
    assert after["revoked"] is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["app", "create", "Acme!", "x"], "a slug is made of", id="slug"),
        pytest.param(["token", "create", "--app", "nope"], "the apps are: none.", id="app"),
        pytest.param([*TOKEN, "--name", "Command line"], "can't be a token's name", id="name"),
        pytest.param([*TOKEN, "--expires", "soon"], "nor a date", id="no time"),
        pytest.param([*TOKEN, "--expires", "0d"], "nor a date", id="no days"),
        pytest.param([*TOKEN, "--expires", "2026-02-30"], "nor a date", id="no such day"),
        pytest.param([*TOKEN, "--expires", "99999d"], "acme", id="far away"),
        pytest.param([*TOKEN, "--expires", "9999-12-31"], "nor a date", id="end of time"),
        pytest.param([*TOKEN, "--expires", "2020-01-31"], "2020-01-31 is over", id="over"),
        pytest.param(["token", "revoke", "7"], "there is no token 7", id="token"),
        pytest.param(["role", "add", "--app", "x", "No!", "No"], "a role's key is", id="role"),
        pytest.param(["role", "add", "--app", "x", "no", " "], "a role's label", id="no label"),
        pytest.param(["role", "add", "--app", "nope", "a", "A"], "the apps are: none", id="no app"),
        pytest.param(["app", "show", "nope"], "the apps are: none", id="no app to show"),
        pytest.param(["app", "set", "nope"], "there is nothing to set", id="nothing to set"),
        pytest.param(["app", "set", "x", "--name", " "], "an app's name", id="no app's name"),
        pytest.param(["app", "set", "x", "--remove-percent", "0"], "nor 'off'", id="no percent"),
        pytest.param(["app", "set", "x", "--remove-at-least", "0"], "0 is not", id="at least 0"),
        pytest.param(["app", "set", "x", "--release-type", "x"], "the types are", id="no type"),
        pytest.param(
            ["app", "set", "x", "--release-type", "modify", "--no-release-types"],
            "contradict each other",
            id="types and none",
        ),
        pytest.param(["nonsense"], "No such command", id="command"),
        pytest.param(["import", "missing.csv", "--type", "x"], "does not exist", id="file"),
    ],
)
def test_wrong_use(on_migrated: Operator, arguments: list[str], message: str) -> None:
    """Wrong use ends with exit code 2 and says on stderr what is wrong."""
    code, output, error = on_migrated.run(*arguments)

    assert (code, output) == (2, "")
    assert message in error
    assert "Traceback" not in error


def test_role(on_migrated: Operator) -> None:
    """A role is added once to an app, and is offered with the others."""
    on_migrated.run("app", "create", "acme", "Acme Law")
    first = on_migrated.run("role", "add", "--app", "acme", "paralegal", "Paralegal")
    second = on_migrated.run("role", "add", "--app", "acme", "paralegal", "Again")

    assert first == (0, "Added the role paralegal to the app acme.\n", "")
    assert second[::2] == (2, "Error: the app acme has a role 'paralegal' already.\n")


def test_app_that_is_there(on_migrated: Operator) -> None:
    """A slug is given once."""
    first = on_migrated.run("app", "create", "acme", "Acme Law")
    second = on_migrated.run("app", "create", "acme", "Another")

    assert first[0] == 0
    assert second[::2] == (2, "Error: there is an app 'acme' already.\n")


def test_app_settings(on_migrated: Operator) -> None:
    """An app's name and guards are set one by one, and shown for people and programs."""
    on_migrated.run("app", "create", "acme", "Acme Law")
    before = json.loads(on_migrated.run("app", "show", "acme", "--json")[1])
    options = ["--remove-percent", "off", "--release-type", "remove", "--requires-release"]
    options += ["--remove-at-least", "5", "--required-role", "staff"]
    code, shown, _ = on_migrated.run("app", "set", "acme", *options)
    after = json.loads(
        on_migrated.run(
            "app", "set", "acme", "--name", "Acme", "--no-release-types", "--json",
            "--no-requires-release", "--remove-percent", "30", "--required-role", "off",
        )[1]
    )  # fmt: skip

    defaults = {"removePercent": 20, "removeAtLeast": 100}
    none = {"requiresRelease": False, "releaseTypes": []}
    named = {"slug": "acme", "requiredRole": None}
    assert before == {**named, "name": "Acme Law", "guards": {**defaults, **none}}
    assert code == 0
    assert shown.splitlines() == [
        "setting\tvalue",
        "name\tAcme Law",
        "remove-percent\toff",
        "remove-at-least\t5",
        "requires-release\tyes",
        "release-type\tremove",
        "required-role\tstaff",
    ]
    changed = {"removePercent": 30, "removeAtLeast": 5}
    assert after == {**named, "name": "Acme", "guards": {**changed, **none}}


def test_unknown_role(on_migrated: Operator) -> None:
    """A role that the app requires is one that it has."""
    on_migrated.run("app", "create", "acme", "Acme Law")

    assert on_migrated.run("app", "set", "acme", "--required-role", "boss")[::2] == (
        2,
        "Error: the app has no role 'boss'.\n",
    )


def test_importers(on_migrated: Operator) -> None:
    """`importers` lists what is on, without any server."""
    code, output, _ = on_migrated.run("importers", "--json")

    assert code == 0
    assert {"assign", "modify", "remove"} <= {
        plugin["name"] for plugin in json.loads(output) if plugin["state"] == "on"
    }


@pytest.mark.parametrize(
    ("command", "code"), [("serve", 1), ("migrate", 2), ("up", 2), ("token list", 2)]
)
@pytest.mark.parametrize("port", ["", "9"], ids=["wrong-url", "nothing-there"])
def test_no_database(redis_url: str, tmp_path: Path, command: str, code: int, port: str) -> None:
    """Without a database, or with a URL that can't be honoured, each command ends in one line."""
    url = f"postgresql://127.0.0.1:{port}/x" + ("" if port else "?ssl=true")
    arguments = [*command.split(), *([] if command == "serve" else ["--data", str(tmp_path)])]
    found, output, error = Operator(url, redis_url, CASEROLL_PORT=free_port()).run(*arguments)

    assert (found, output) == (code if port else 2, "")
    assert error.startswith("Error: ")
    assert error.count("\n") == 1
    assert ("127.0.0.1', 9" if port else "can't honour: ssl.") in error


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "up", "token list"])
async def test_shared_sessions(
    database_url: str, redis_url: str, tmp_path: Path, command: str
) -> None:
    """Behind a pooler in transaction mode each process says so, and does not start."""
    arguments = command.split() + (
        [] if command in ("serve", "worker") else ["--data", str(tmp_path)]
    )
    async with pooler(database_url, is_shared=True) as url:
        operator = Operator(url, redis_url, CASEROLL_PORT=free_port(), CASEROLL_WORKERS="1")
        code, output, error = await asyncio.to_thread(operator.run, *arguments)

    assert (code, output) == (2, "")
    assert error.count("\n") == 1
    assert "behind a pooler that shares sessions" in error
