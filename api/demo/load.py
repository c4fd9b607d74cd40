"""The demo app, filled like any other app: by importing files."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tortoise.exceptions import IntegrityError

from importers.builtin.add_cases import AddCases
from importers.builtin.add_users import AddUsers
from importers.builtin.assign import AssignUsers
from importers.builtin.modify_cases import ModifyCases
from importers.builtin.modify_users import ModifyUsers
from importers.run_inline import run_here
from importers.sdk.errors import RunError
from models.app import App, create_app
from models.audit import COMMAND_LINE
from models.db import transaction
from models.imports import Import
from models.new_import import NewImport, find_repeated, insert_import

if TYPE_CHECKING:
    from asyncpg import Connection

DEMO_SLUG = "demo"
CASES = 500
USERS = 300
_SOURCE = "demo"
# Importer → what its file holds, in the order of the imports. Users are disabled before the
# assignments, so that no disabled user is on a case; cases are closed after them, because a
# closed case takes no new user.
_CONTENTS = {
    AddUsers("add-users"): "users",
    ModifyUsers("modify-users"): "users who have left",
    AddCases("add-cases"): "cases",
    AssignUsers("assign"): "assignments",
    ModifyCases("modify-cases"): "cases that are closed",
}
# The demo needs these, whether or not plugins.toml switches them on.
_IMPORTERS = {importer.key: importer for importer in _CONTENTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFile:
    """A file to import, the key of its importer, and what the import is called."""

    type: str
    name: str
    file_name: str
    content: bytes


def demo_files() -> list[DemoFile]:
    """Read the files, in the order in which to import them."""
    files = []
    for importer, what in _CONTENTS.items():
        path = Path(__file__).parent / f"{what.replace(' ', '-')}.csv"
        content, name = path.read_bytes(), f"Demo: {what}"
        files.append(DemoFile(type=importer.key, name=name, file_name=path.name, content=content))
    return files


async def create_demo() -> App:
    """Create the app `demo` with its data, or find the one that is there.

    After an interruption the next call continues. Each import is stored when the one before it has
    ended, so workers, which may take over an interrupted import, keep to the order of the files.

    Raises:
        RunError: the database fails, or an import that is not the demo's has the next one's name.
    """
    if await has_demo():
        return await App.get(slug=DEMO_SLUG)
    files = demo_files()
    app = await App.get_or_none(slug=DEMO_SLUG) or await _begin(files[0])
    for file in files:
        await run_here(await _store(app.id, file), _IMPORTERS)
    return app


async def has_demo() -> bool:
    """Tell whether the demo is complete, or the app was created in another way."""
    app = await App.get_or_none(slug=DEMO_SLUG)
    if app is None:
        return False
    keys = [_key(file) for file in demo_files()]
    stored = await Import.filter(app_id=app.id, idempotency_key__in=keys)
    is_complete = len(stored) == len(keys) and all(each.status.is_final for each in stored)
    return is_complete or not stored


async def _begin(file: DemoFile) -> App:
    """Create the app together with its first import, which marks the app as the demo."""
    try:
        async with transaction() as db:
            app = await create_app(DEMO_SLUG, "Demo Law")
            await _insert(db, app.id, file)
    except IntegrityError:  # another process has begun at the same moment
        return await App.get(slug=DEMO_SLUG)
    return app


async def _store(app_id: int, file: DemoFile) -> int:
    """Store the import, or find the one that another process has stored."""
    async with transaction() as db:
        found = await find_repeated(db, app_id, _key(file))
        if found is None:
            await _insert(db, app_id, file)
            found = await find_repeated(db, app_id, _key(file))
    if found is None:
        raise RunError(f"an import named '{file.name}' is running in the app {DEMO_SLUG}.")
    return found[0]


async def _insert(db: Connection, app_id: int, file: DemoFile) -> None:
    new = NewImport(
        token_id=None,
        type=file.type,
        name=file.name,
        source=_SOURCE,
        is_dry_run=False,
        idempotency_key=_key(file),
        declared_encoding=None,
        file_name=file.file_name,
        file_size=len(file.content),
        file_sha256=hashlib.sha256(file.content).hexdigest(),
    )
    await insert_import(db, app_id, new, io.BytesIO(file.content), by=COMMAND_LINE)


def _key(file: DemoFile) -> str:
    return f"{_SOURCE} {file.type}"
