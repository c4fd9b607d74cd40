"""Fills databases to measure on, with cases, users and assignments, by imports."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

from bench.files import CASES, USERS, make_file
from importers.plugins.registry import load
from importers.run_inline import run_here
from models.audit import COMMAND_LINE
from models.db import connection, database, transaction
from models.imports import Import
from models.new_import import NewImport, insert_import

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.system import Database, System


async def populate(system: System, name: str, people: int) -> Database:
    """Create a database with `people` cases and as many users."""
    created = await system.create(name)
    await fill(
        created,
        {
            "add-users": make_file("add-users", people, tag=USERS, is_perfect=True),
            "add-cases": make_file("add-cases", people, tag=CASES, is_perfect=True),
        },
    )
    return created


async def fill(
    target: Database, files: Mapping[str, bytes], *, finish: str = "VACUUM ANALYZE"
) -> None:
    """Run imports in this process.

    Args:
        files: import type → file.
        finish: a statement that follows.
    """
    importers = load().importers
    async with database(target.url):
        for type_, file in files.items():
            key = await store(type_, file)
            await run_here(key, importers)
            done = await Import.get(id=key)
            if (done.status, done.failed) != ("PROCESSED", wrong_rows(file)):
                raise SystemExit(f"{done.name} went wrong: {done.status}, {done.failed} failed")
        async with connection() as db:
            await db.execute(finish, timeout=3_600)


def wrong_rows(file: bytes) -> int:
    """Return how many rows of a file of `make_file` must fail."""
    return (file.count(b"\n")) // 100 if b"-xx" in file else 0


async def store(type_: str, file: bytes) -> int:
    """Store an import, as an upload does, but do not run it; return its primary key."""
    new = NewImport(
        token_id=None,
        type=type_,
        name=f"fill {type_}",
        source="bench",
        is_dry_run=False,
        idempotency_key=None,
        declared_encoding=None,
        file_name=f"{type_}.csv",
        file_size=len(file),
        file_sha256=hashlib.sha256(file).hexdigest(),
    )
    async with transaction() as db:
        inserted = await insert_import(db, 1, new, io.BytesIO(file), by=COMMAND_LINE)
    assert inserted is not None
    return inserted.id
