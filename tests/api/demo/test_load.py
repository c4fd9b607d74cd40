"""The demo is made once, wherever it is interrupted, and the sample files pass on it."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Mapping

import pytest

import api.demo.load
from api.demo.load import CASES, DEMO_SLUG, USERS, create_demo, demo_files, has_demo
from importers import Importer
from importers.builtin.add_cases import AddCases
from importers.builtin.add_users import AddUsers
from importers.builtin.assign import AssignUsers
from importers.builtin.modify import ModifyAssignments
from importers.builtin.modify_cases import ModifyCases
from importers.builtin.modify_users import ModifyUsers
from importers.builtin.remove import RemoveUsers
from importers.plugins.sample_file import sample_csv
from importers.reading.limits import Limits
from importers.run.run_chunk import next_chunk, run_chunk
from importers.run_inline import run_here
from importers.split.split import SplitSettings, split_import
from models.app import App, create_app
from models.assignment import Assignment
from models.audit import COMMAND_LINE
from models.case import Case
from models.db import connection, database, transaction
from models.imports import Import
from models.new_import import NewImport, insert_import
from models.user import User

FILES = [file.type for file in demo_files()]
ALL = {
    importer.key: importer
    for importer in (
        AddCases("add-cases"),
        AddUsers("add-users"),
        AssignUsers("assign"),
        ModifyAssignments("modify"),
        ModifyCases("modify-cases"),
        ModifyUsers("modify-users"),
        RemoveUsers("remove"),
    )
}


class InterruptError(Exception):
    """Stands for Ctrl-C."""


@pytest.fixture
async def opened(database_url: str) -> AsyncIterator[None]:
    """An open database without any app."""
    async with database(database_url):
        yield


async def assert_complete() -> None:
    """Assert that everything is there, and once only."""
    imports = await Import.all().order_by("id")
    assert [(each.type, each.source, each.status) for each in imports] == [
        (type_, "demo", "PROCESSED") for type_ in FILES
    ]
    assert [each.failed + each.unchanged for each in imports] == [0] * len(FILES)
    assert await App.all().count() == 1
    assert await User.all().count() == USERS
    assert await Case.all().count() == CASES
    assert await Case.filter(is_active=False).count() == CASES // 10
    assert await Assignment.all().count() == imports[3].created == 400
    async with connection() as db:
        assert await db.fetchval("SELECT count(*) FROM assignment_history") == 400
        assert await db.fetchval("SELECT count(*) FROM mails") == 0


async def test_demo(opened: None) -> None:
    """jones-001 is on trv-001, jack-001 is not, and everything is of the app `demo`."""
    app = await create_demo()
    on_first = [
        (assignment.user.tag_id, assignment.role.key)
        for assignment in await Assignment.filter(
            app_id=app.id, case__tag_id="trv-001"
        ).select_related("user", "role")
    ]

    assert app.slug == DEMO_SLUG
    assert await Case.filter(app_id=app.id).count() == CASES
    assert await User.filter(app_id=app.id).count() == USERS
    assert await User.filter(app_id=app.id, is_active=False).count() > 5
    assert ("jones-001", "clients") in on_first
    assert "jack-001" not in dict(on_first)
    await assert_complete()


async def test_nobody_disabled_is_assigned(opened: None) -> None:
    """Some closed cases have users on them; no disabled user is on a case."""
    await create_demo()

    assert await Assignment.filter(case__is_active=False).exists()
    assert not await Assignment.filter(user__is_active=False).exists()


async def test_demo_is_made_once(opened: None) -> None:
    """Asked for again, the demo is left as it is, with all that was done to it."""
    first = await create_demo()
    await Assignment.all().delete()
    second = await create_demo()

    assert first.id == second.id
    assert await Assignment.all().count() == 0
    assert await App.all().count() == 1
    assert await Import.all().count() == len(FILES)


async def leave(import_id: int, stage: str) -> None:
    """Do a part of the work for an import."""
    if stage != "stored":
        await split_import(import_id, SplitSettings(importers=ALL, limits=Limits(), chunk_rows=3))
    if stage == "begun" and (claim := await next_chunk(import_id)):
        await run_chunk(import_id, claim, ALL)


@pytest.mark.parametrize("done", range(len(FILES)), ids=lambda done: f"{done}-done")
@pytest.mark.parametrize("stage", ["stored", "cut", "begun"])
async def test_demo_that_was_interrupted(
    opened: None, monkeypatch: pytest.MonkeyPatch, done: int, stage: str
) -> None:
    """Wherever it was interrupted, the next one goes on there, and nothing is doubled."""
    finished: list[int] = []

    async def interrupted(import_id: int, importers: Mapping[str, Importer]) -> None:
        if len(finished) == done:
            await leave(import_id, stage)
            raise InterruptError
        await run_here(import_id, importers)
        finished.append(import_id)

    monkeypatch.setattr(api.demo.load, "run_here", interrupted)
    with pytest.raises(InterruptError):
        await create_demo()
    monkeypatch.undo()

    assert not await has_demo()
    await create_demo()
    await assert_complete()


async def test_two_at_once(opened: None) -> None:
    """Several may make it at the same moment, and make one."""
    apps = await asyncio.gather(*[create_demo() for _ in range(3)])

    assert len({app.id for app in apps}) == 1
    await assert_complete()


async def test_app_of_somebody_else(opened: None) -> None:
    """An app of that name that was made otherwise is left alone."""
    async with transaction():
        app = await create_app(DEMO_SLUG, "Ours")

    assert await has_demo()
    assert (await create_demo()).id == app.id
    assert not await Import.exists()


@pytest.mark.parametrize("type_", ALL)
async def test_samples_pass(opened: None, type_: str) -> None:
    """The sample file of every type passes on the demo data as it is."""
    app = await create_demo()
    content = sample_csv(ALL[type_]).encode()
    async with transaction() as db:
        inserted = await insert_import(
            db,
            app.id,
            NewImport(
                token_id=None,
                type=type_,
                name="Sample",
                source="test",
                is_dry_run=False,
                idempotency_key=None,
                declared_encoding=None,
                file_name="sample.csv",
                file_size=len(content),
                file_sha256=hashlib.sha256(content).hexdigest(),
            ),
            io.BytesIO(content),
            by=COMMAND_LINE,
        )
    assert inserted
    await run_here(inserted.id, ALL)
    stored = await Import.get(id=inserted.id)

    assert (stored.status, stored.total, stored.failed) == ("PROCESSED", 1, 0)
