"""The migrations make the schema that the models and the SQL expect."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from asyncpg import Connection
from tortoise import Tortoise
from tortoise.migrations.api import migrate as run_migrations

import models
from models.database_url import credentials
from models.db import migrate, tortoise_config

ROOT = Path(models.__file__).parent.parent
MIGRATE = """
import asyncio, sys
from models.db import migrate
asyncio.run(migrate(sys.argv[1]))
"""
SETTINGS = """
import os
from models.db import tortoise_config
CONFIG = tortoise_config(os.environ["DATABASE_URL"])
"""


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(**credentials(url))
    yield connection
    await connection.close()


async def move(url: str, target: str) -> None:
    """Go to a migration, in whichever direction it is."""
    try:
        await run_migrations(config=tortoise_config(url), target=target)
    finally:
        await Tortoise.close_connections()


async def fill(db: Connection) -> None:
    app = await db.fetchval("INSERT INTO apps (slug, name) VALUES ('demo', 'Demo') RETURNING id")
    await db.execute(
        "INSERT INTO cases (app_id, tag_id, about)"
        " SELECT $1, 'TRV_' || n, 'Case ' || n FROM generate_series(1, 500) AS n",
        app,
    )
    await db.execute(
        "INSERT INTO users (app_id, tag_id, email)"
        " SELECT $1, 'u-' || n, 'U' || n || '@x.org' FROM generate_series(1, 500) AS n",
        app,
    )
    await db.execute(
        "INSERT INTO imports (app_id, type, name, source, file_name, file_size, file_sha256)"
        " VALUES ($1, 'assign', 'May', 'api', 'may.csv', 1, '')",
        app,
    )
    await db.execute(
        "INSERT INTO import_chunks (app_id, import_id, number, payload)"
        " SELECT app_id, id, 0, '\\x00' FROM imports"
    )


async def schema(db: Connection) -> list[tuple[Any, ...]]:
    """Describe every column, index, constraint and function of ours."""
    rows = await db.fetch(
        """
        SELECT table_name::text, column_name::text, data_type::text || coalesce(collation_name, '')
          || is_nullable || coalesce(column_default, '') FROM information_schema.columns
          WHERE table_schema = 'public'
        UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
          FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT '', proname, prosrc FROM pg_proc
          WHERE pronamespace = 'public'::regnamespace
        ORDER BY 1, 2, 3
        """
    )
    return [tuple(row) for row in rows]


async def test_forward_on_a_filled_database(empty_database_url: str) -> None:
    """The newest migration goes over rows that are there, and loses none."""
    await move(empty_database_url, "models.0001_initial")
    async with connected(empty_database_url) as db:
        await fill(db)
        await migrate(empty_database_url)
        found = await db.fetchval("SELECT tag_id FROM cases WHERE plain_tag(tag_id) = 'trv7'")
        counts = await db.fetchrow(
            "SELECT (SELECT count(*) FROM cases), (SELECT count(*) FROM users),"
            " (SELECT count(*) FROM import_chunks)"
        )

    assert found == "TRV_7"
    assert tuple(counts) == (500, 500, 1)


async def test_backward_and_forward(empty_database_url: str) -> None:
    """Going back and forth ends with the same schema and the same rows."""
    await migrate(empty_database_url)
    async with connected(empty_database_url) as db:
        await fill(db)
        before = await schema(db)
        await move(empty_database_url, "models.0001_initial")
        without = await schema(db)
        await migrate(empty_database_url)
        after = await schema(db)
        rows = await db.fetchval("SELECT count(*) FROM cases")

    assert after == before
    assert without != before
    assert rows == 500


async def test_twice(empty_database_url: str) -> None:
    """Migrating what is up to date changes nothing."""
    await migrate(empty_database_url)
    async with connected(empty_database_url) as db:
        before = await schema(db)
        await migrate(empty_database_url)

        assert await schema(db) == before


async def test_at_once(empty_database_url: str) -> None:
    """Processes that start at the same time don't get into each other's way."""
    command = [sys.executable, "-c", MIGRATE, empty_database_url]
    processes = [await asyncio.create_subprocess_exec(*command, cwd=ROOT) for _ in range(3)]
    codes = [await process.wait() for process in processes]
    async with connected(empty_database_url) as db:
        assert codes == [0, 0, 0]
        assert await db.fetchval("SELECT count(*) FROM apps") == 0


def drift(url: str, folder: Path) -> tuple[int, str, list[str]]:
    """Make migrations in a copy of the models; return exit code, output and new files."""
    command = [sys.executable, "-m", "tortoise", "-c", "drift_settings.CONFIG", "makemigrations"]
    environ = {**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(folder)}
    migrations = folder / "models/migrations"
    before = set(migrations.iterdir())
    run = subprocess.run(
        command, cwd=folder, env=environ, check=False, capture_output=True, text=True, input=""
    )
    new = {path.name for path in set(migrations.iterdir()) - before if path.suffix == ".py"}
    return run.returncode, run.stdout + run.stderr, sorted(new)


@pytest.mark.parametrize("is_changed", [False, True], ids=["as they are", "one field more"])
async def test_no_drift(empty_database_url: str, tmp_path: Path, is_changed: bool) -> None:
    """The models say nothing that no migration has done."""
    shutil.copytree(ROOT / "models", tmp_path / "models")
    (tmp_path / "drift_settings.py").write_text(SETTINGS)
    case = tmp_path / "models/case.py"
    if is_changed:
        field = "    about = fields.TextField"
        more = f"    colour = fields.IntField(null=True)\n{field}"
        case.write_text(case.read_text().replace(field, more))
    code, output, new = await asyncio.to_thread(drift, empty_database_url, tmp_path)

    assert code == 0, output
    assert len(new) == int(is_changed)


async def test_tables_of_plugins(empty_database_url: str) -> None:
    """Migrations of plugins' own tables are run with Caseroll's, each once; without the plugin
    they stay as they are."""
    plugins = {"test_rates": "tests.plugins.rates.migrations"}
    await migrate(empty_database_url, plugins)
    async with connected(empty_database_url) as db:
        app = await db.fetchval("INSERT INTO apps (slug, name) VALUES ('a', 'A') RETURNING id")
        case = await db.fetchval("INSERT INTO cases (app_id) VALUES ($1) RETURNING id", app)
        await db.execute("INSERT INTO test_rates VALUES ($1, $2, 100)", app, case)
    await migrate(empty_database_url, plugins)
    await migrate(empty_database_url)
    async with connected(empty_database_url) as db:
        rates = await db.fetchval("SELECT count(*) FROM test_rates")
        done = await db.fetch("SELECT app, name FROM tortoise_migrations ORDER BY app DESC, name")

    assert rates == 1
    assert [tuple(row) for row in done] == [
        ("test_rates", "0001_rates"),
        *(("models", path.stem) for path in sorted((ROOT / "models/migrations").glob("0*.py"))),
    ]


async def test_foreign_keys_of_assignments(database_url: str) -> None:
    """Only cases and users are held by constraints, which cost a trigger for each row."""
    async with connected(database_url) as db:
        found = await db.fetch(
            "SELECT confrelid::regclass::text FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid = 'assignments'::regclass ORDER BY 1"
        )

    assert [row[0] for row in found] == ["cases", "users"]


async def test_a_table_in_use(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A migration that waits for a table gives up soon, says so, and is tried again."""
    monkeypatch.setattr("models.db._MIGRATION_SETTINGS", {"lock_timeout": "10ms"})
    monkeypatch.setattr("models.db._MIGRATION_PAUSE_SECONDS", 0.0)
    await move(empty_database_url, "models.0007_trials")
    async with connected(empty_database_url) as db:
        query = db.transaction()
        await query.start()
        await db.execute("SELECT count(*) FROM imports")
        migrating = asyncio.create_task(migrate(empty_database_url))
        while "trying again" not in caplog.text:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)
        await query.rollback()
        await migrating
        newest = await db.fetchval("SELECT count(*) FROM tortoise_migrations WHERE name > '0008'")

    assert newest > 0
    assert "in use by other transactions; trying again in 0 s" in caplog.text


async def test_a_table_in_use_for_too_long(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the end it gives up for good, in one sentence."""
    monkeypatch.setattr("models.db._MIGRATION_SETTINGS", {"lock_timeout": "10ms"})
    monkeypatch.setattr("models.db._MIGRATION_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("models.db._MIGRATION_ATTEMPTS", 2)
    await move(empty_database_url, "models.0007_trials")
    async with connected(empty_database_url) as db, db.transaction():
        await db.execute("SELECT count(*) FROM imports")
        with pytest.raises(TimeoutError, match="at attempt 2; pg_stat_activity"):
            await migrate(empty_database_url)
