"""A plugin whose tables are not there is broken, and says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.cli.processes import print_failed_migrations
from importers import Validator
from importers.plugins.registry import MissingValidator, Registry, load
from importers.plugins.tables import check_tables
from models.plugin_tables import FailedMigration
from tests.importers.plugins.test_registry import Good, Point, validator

PACKAGE = "tests.plugins.rates.migrations"
TOML = "[importers.one]\n[importers.two]\n[validators.watch]\n"


class WithTable(Good):
    """Has a table."""

    label = "With a table"
    migrations = PACKAGE


class Watching(Validator):
    """Has the same table."""

    migrations = PACKAGE


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """An importer and a validator with a table, and an importer without."""
    path = tmp_path / "plugins.toml"
    path.write_text(TOML)
    points = [Point("one", WithTable), Point("two", Good), validator("watch", Watching)]
    return load(path, found=points)  # type: ignore[arg-type]


async def test_a_migration_that_has_not_run(registry: Registry, database_url: str) -> None:
    """The importer is left out, and the validator refuses every row."""
    checked = await check_tables(registry, database_url)

    why = "its migration '0001_rates' has not run; run `caseroll migrate`"
    assert [(each.name, each.state, each.reason) for each in checked.plugins] == [
        ("one", "broken", why),
        ("two", "on", None),
        ("watch", "broken", why),
    ]
    assert list(checked.importers) == ["two"]
    assert [type(each) for each in checked.validators] == [MissingValidator]
    assert [each.key for each in checked.validators] == ["watch"]


def test_a_migration_that_failed(registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    """All plugins that need its tables are named, with the file and the statement."""
    failed = FailedMigration(PACKAGE, "/acme/0001.py", "PostgresError: no", "CREATE TABLE x")
    print_failed_migrations(registry, [failed])

    assert capsys.readouterr().err == (
        "importer 'one' and validator 'watch' can't be switched on: /acme/0001.py failed:"
        " PostgresError: no, in: CREATE TABLE x\n"
    )
