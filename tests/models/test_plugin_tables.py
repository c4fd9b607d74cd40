"""Migrations of plugins: one that fails holds up nothing else, and what has not run is found."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from models.database_url import credentials
from models.db import migrate
from models.plugin_tables import find_unmigrated

GOOD = """
from tortoise import migrations
from tortoise.migrations import operations as ops

class Migration(migrations.Migration):
    initial = True
    dependencies = [("models", "__first__")]
    operations = [ops.RunSQL("CREATE TABLE {table} (app_id bigint REFERENCES {other})")]
"""
NEXT = """
from tortoise import migrations
from tortoise.migrations import operations as ops

class Migration(migrations.Migration):
    dependencies = [("{name}", "0001_first")]
    operations = [ops.RunSQL("CREATE TABLE {table} (app_id bigint REFERENCES {other})")]
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Three packages of migrations: a second one that fails, one that is no Python, a good one."""
    files = {
        "kit_a/0001_first": GOOD.format(table="kit_a", other="apps"),
        "kit_a/0002_next": NEXT.format(name="kit_a", table="kit_a_2", other="nothing"),
        "kit_b/0001_first": "def",
        "kit_c/0001_first": GOOD.format(table="kit_c", other="apps"),
    }
    for name, text in files.items():
        package, _, module = name.partition("/")
        folder = tmp_path / package / "migrations"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
        (folder / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    return {name: f"{name}.migrations" for name in ("kit_a", "kit_b", "kit_c")}


async def test_a_migration_that_fails(
    empty_database_url: str, plugins: dict[str, str], tmp_path: Path
) -> None:
    """It is told by file and statement, and all else runs."""
    nothing_run = await find_unmigrated(empty_database_url, plugins)
    failed = await migrate(empty_database_url, plugins)
    missing = await find_unmigrated(empty_database_url, plugins)
    connection = await asyncpg.connect(**credentials(empty_database_url))
    tables = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relname IN ('kit_a', 'kit_a_2', 'kit_b', 'kit_c')"
        " ORDER BY 1"
    )
    await connection.close()

    assert nothing_run == {
        "kit_a": ["0001_first", "0002_next"],
        "kit_b": ["0001_first"],
        "kit_c": ["0001_first"],
    }
    assert [row["relname"] for row in tables] == ["kit_a", "kit_c"]
    assert [each.package for each in failed] == ["kit_a.migrations", "kit_b.migrations"]
    assert str(failed[0]) == (
        f"{tmp_path}/kit_a/migrations/0002_next.py failed: UndefinedTableError: relation"
        ' "nothing" does not exist, in: CREATE TABLE kit_a_2 (app_id bigint REFERENCES nothing)'
    )
    assert str(failed[1]).startswith(f"{tmp_path}/kit_b/migrations/__init__.py failed: SyntaxError")
    assert missing == {"kit_a": ["0002_next"], "kit_b": ["0001_first"]}
