"""Validators judge what mutations create and change."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from importers import (
    AddCase,
    AddUser,
    Change,
    Directory,
    Effect,
    ModifyCase,
    ModifyUser,
    RowError,
    Validator,
    ValidatorDirectory,
)
from importers.validation import mutation
from importers.validation.missing_validator import MissingValidator
from models.change_count import lock_changes
from models.db import transaction
from tests.api.api_fixture import Api, add_cases, add_users, eventually, node_id, sql
from tests.api.schema.test_users import create, update

CREATE_CASE = """mutation ($input: CreateCaseInput!) { createCase(input: $input) {
  case { tagId } userErrors { code message field } } }"""
UPDATE_CASE = """mutation ($id: ID!, $input: UpdateCaseInput!) {
  updateCase(id: $id, input: $input) {
    case { tagId status dateOpened } userErrors { code message field } } }"""

SwitchOn = Callable[..., None]


@pytest.fixture
def switch_on(api: Api, monkeypatch: pytest.MonkeyPatch) -> SwitchOn:
    """Returns what switches validators on in the running API."""

    def switch(*validators: Validator) -> None:
        services = api.server.services
        registry = replace(services.registry, validators=validators)
        services = replace(services, registry=registry)
        monkeypatch.setitem(api.server.app.state._state, "services", services)

    return switch


class Recorder(Validator):
    """Records what it sees."""

    together = "case"

    def __init__(self) -> None:
        super().__init__("recorder")
        self.changes: list[Change] = []
        self.effects: list[Effect] = []
        self.imports: list[object] = []

    async def prepare(self, changes: Sequence[Change], directory: ValidatorDirectory) -> None:
        self.changes += changes
        self.imports.append(directory.running_import)

    def check(self, effect: Effect, prepared: Any) -> None:
        self.effects.append(effect)


class Rules(Validator):
    """Refuses users and cases of another organisation."""

    def check(self, effect: Effect, prepared: Any) -> None:
        change = effect.change
        if isinstance(change, AddUser) and not change.email.endswith("@example.org"):
            raise RowError("email", "FOREIGN", "is not one of '{domain}'.", domain="example.org")
        if isinstance(change, ModifyUser) and change.given_name == "X":
            raise RowError("given_name", "NO_NAME", "is no name.")
        if isinstance(change, ModifyUser) and change.is_active is False:
            raise RowError("user", "NEEDED", "is needed.")
        if isinstance(change, AddCase | ModifyCase) and change.is_active is False:
            raise RowError("is_active", "STAYS_OPEN", "must be active.")
        if isinstance(change, AddCase) and not change.tag_id:
            raise RowError(None, "NO_TAG", "Each case has a Tag ID here.")


async def test_refused(api: Api, switch_on: SwitchOn) -> None:
    """A refusal is a user error with the validator's code and message at the input's field."""
    switch_on(Rules("rules"))
    (user,) = await add_users(api.world.app, 1)
    (case,) = await add_cases(api.world.app, 1)
    payloads = [
        await create(api, email="jo@example.net"),
        await update(api, node_id("User", user), givenName="X"),
        await update(api, node_id("User", user), status="DISABLED"),
    ]
    variables = {"id": node_id("Case", case), "input": {"status": "CLOSED"}}
    payloads.append((await api.data(UPDATE_CASE, variables))["updateCase"])
    payloads.append((await api.data(CREATE_CASE, {"input": {"about": "x"}}))["createCase"])

    assert [payload["userErrors"] for payload in payloads] == [
        [{"code": code, "message": message, "field": field}]
        for code, message, field in (
            ("FOREIGN", "Email: is not one of 'example.org'.", ["input", "email"]),
            ("NO_NAME", "Given Name: is no name.", ["input", "givenName"]),
            ("NEEDED", "User: is needed.", ["id"]),
            ("STAYS_OPEN", "Status: must be active.", ["input", "status"]),
            ("NO_TAG", "Each case has a Tag ID here.", None),
        )
    ]
    assert [payload.get("user") or payload.get("case") for payload in payloads] == [None] * 5
    assert await sql("fetchval", "SELECT count(*) FROM users") == 1
    assert await sql("fetchval", "SELECT given_name FROM users") == "Name1"
    assert await sql("fetchval", "SELECT count(*) FROM entity_history") == 0
    assert (
        await sql("fetchval", "SELECT count(*) FROM audit_events WHERE action ~ 'USER|CASE'") == 0
    )


async def test_what_is_seen(api: Api, switch_on: SwitchOn) -> None:
    """Effects look like those of imports, without one; what changes nothing has no effect."""
    recorder = Recorder()
    switch_on(recorder)
    created = await create(api, email="jo@example.org", tagId="jo-1")
    await update(api, created["user"]["id"], givenName="Jo", familyName="")
    await update(api, created["user"]["id"], givenName="Jo")
    await api.data(CREATE_CASE, {"input": {"about": "x", "dateOpened": "2026-01-31"}})
    case = await sql("fetchval", "SELECT id FROM cases")
    variables = {"id": node_id("Case", case), "input": {"dateOpened": None}}
    answer = await api.data(UPDATE_CASE, variables)

    assert answer["updateCase"]["case"]["dateOpened"] is None
    assert {type(each) for each in recorder.changes} == {AddUser, ModifyUser, AddCase, ModifyCase}
    assert [
        (type(each.change), each.noun, each.outcome, each.import_type, each.row)
        for each in recorder.effects
    ] == [
        (AddUser, "user", "CREATED", "", 0),
        (ModifyUser, "user", "UPDATED", "", 0),
        (AddCase, "case", "CREATED", "", 0),
        (ModifyCase, "case", "UPDATED", "", 0),
    ]
    sides = [(each.difference.before, each.difference.after)  # type: ignore[union-attr]
             for each in recorder.effects]  # fmt: skip
    assert sides[1] == ({"given_name": ""}, {"given_name": "Jo"})
    assert sides[3] == ({"date_opened": "2026-01-31"}, {"date_opened": None})
    assert set(recorder.imports) == {None}
    assert recorder.effects[1].user is not None
    assert recorder.effects[1].user.tag_id == "jo-1"


async def test_other_errors_come_first(api: Api, switch_on: SwitchOn) -> None:
    """What is not there, or taken, is told as without validators."""
    switch_on(Rules("rules"))
    await add_users(api.world.app, 1)
    taken = await create(api, email="user1@example.org")
    lost = await update(api, node_id("User", 2**40), givenName="X")

    assert [each["userErrors"][0]["code"] for each in (taken, lost)] == ["EMAIL_TAKEN", "NOT_FOUND"]


class Lost(Validator):
    """Reads a table that the API itself may not read, or fails."""

    query = "SELECT count(*) AS number FROM mails WHERE app_id = $1"

    async def prepare(self, changes: Sequence[Change], directory: Directory) -> int:
        roles, rows = await asyncio.gather(
            directory.roles(), directory.fetch(self.query, directory.app_id)
        )
        return len(roles) + int(rows[0]["number"])


class Nowhere(Lost):
    """Reads a table that is not there."""

    query = "SELECT count(*) AS number FROM nowhere WHERE app_id = $1"


class Failing(Validator):
    """Fails."""

    def check(self, effect: Effect, prepared: Any) -> None:
        raise ValueError


async def test_reads(api: Api, switch_on: SwitchOn) -> None:
    """A validator may read what it likes of the database, several things at once."""
    switch_on(Lost("lost"))

    assert (await create(api))["userErrors"] == []


@pytest.mark.parametrize(
    "validator",
    [Nowhere("acme"), Failing("acme"), MissingValidator("acme")],
    ids=lambda each: type(each).__name__,
)
async def test_broken(api: Api, switch_on: SwitchOn, validator: Validator) -> None:
    """One that fails or does not load refuses every mutation."""
    switch_on(validator)
    payload = await create(api)
    (error,) = payload["userErrors"]

    assert (error["code"], error["field"]) == ("VALIDATOR_ERROR", None)
    assert error["message"].startswith("The validator 'acme' fails or does not load, so nothing")
    assert await sql("fetchval", "SELECT count(*) FROM users") == 0


class Hanging(Validator):
    """Hangs on one user."""

    def __init__(self, sleep: float) -> None:
        super().__init__("hanging")
        self.sleep = sleep
        self.has_begun = threading.Event()

    def check(self, effect: Effect, prepared: Any) -> None:
        if isinstance(effect.change, AddUser) and effect.change.email.startswith("slow"):
            self.has_begun.set()
            until = time.monotonic() + 60
            while time.monotonic() < until:
                time.sleep(self.sleep)


@pytest.mark.parametrize("sleep", [0.001, 3.0], ids=["interrupted", "left alone"])
async def test_a_validator_that_hangs(
    api: Api, switch_on: SwitchOn, monkeypatch: pytest.MonkeyPatch, sleep: float
) -> None:
    """It refuses after some time; meanwhile the API answers, and afterwards judges again."""
    monkeypatch.setattr(mutation, "_COMPUTING_SECONDS", 1.0)
    monkeypatch.setattr(mutation, "_MOST_SECONDS", 2.0)
    hanging = Hanging(sleep)
    switch_on(hanging)
    slow = asyncio.create_task(create(api, email="slow@example.org"))
    await eventually(hanging.has_begun.is_set)
    answer = await api.data("{ viewer { tokenName } }")
    was_waiting = not slow.done()
    payload = await slow
    quick = await create(api, email="quick@example.org")

    assert was_waiting
    assert answer["viewer"]["tokenName"] == "admin"
    assert [error["code"] for error in payload["userErrors"]] == ["VALIDATOR_ERROR"]
    assert quick["userErrors"] == []
    assert await sql("fetch", "SELECT email FROM users") == [("quick@example.org",)]


class FewNewUsers(Validator):
    """Lets the app have two new users an hour."""

    together = "app"

    async def prepare(self, changes: Sequence[Change], directory: ValidatorDirectory) -> Any:
        return Counter(await directory.count_changes(timedelta(hours=1)))

    def check(self, effect: Effect, prepared: Any) -> None:
        if (effect.noun, effect.outcome) == ("user", "CREATED") and prepared["user", "CREATED"] > 1:
            raise RowError("email", "TOO_MANY", "is one too many for this hour.")


async def test_a_limit_over_mutations(api: Api, switch_on: SwitchOn) -> None:
    """Mutations of one moment count each other; those of another app and of yesterday don't."""
    await sql(
        "execute",
        "INSERT INTO entity_history (app_id, user_id, after, changed_at) VALUES"
        " ($1, 1, '{}', now() - interval '2 hours'), ($2, 1, '{}', now()), ($2, 2, '{}', now())",
        api.world.app.id,
        api.world.other.id,
    )
    switch_on(FewNewUsers("few"))
    payloads = await asyncio.gather(
        *(create(api, email=f"u{number}@example.org") for number in range(6))
    )
    codes = Counter(error["code"] for payload in payloads for error in payload["userErrors"])

    assert codes == {"TOO_MANY": 4}
    assert await sql("fetchval", "SELECT count(*) FROM users") == 2


async def test_a_mutation_takes_its_turn(api: Api, switch_on: SwitchOn) -> None:
    """It waits for whatever counts the app's changes, and for no other app."""
    switch_on(FewNewUsers("few"))
    async with transaction() as db:
        await lock_changes(db, api.world.other.id)
        assert (await create(api, email="first@example.org"))["userErrors"] == []
        await lock_changes(db, api.world.app.id)
        second = asyncio.create_task(create(api, email="second@example.org"))
        await api.data("{ viewer { tokenName } }")
        was_waiting = not second.done()
    payload = await second

    assert was_waiting
    assert payload["userErrors"] == []
