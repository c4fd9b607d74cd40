"""A plugin whose tables are not there is broken, and says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.cli.processes import print_failed_migrations
from importers import Importer, Record, Validator
from importers.plugins.registry import Registry, load
from importers.plugins.tables import check_tables
from importers.validation.missing_validator import MissingValidator
from models.db import migrate
from models.plugin_tables import FailedMigration, FailedTable
from tests.importers.own_tables import Rate
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


class Declaring(Good):
    """Declares a table."""

    label = "Declares a table"
    tables = (Rate,)


class Twice(Record, table="kit_rates", key="number"):
    """Another table of the same name."""

    number: int


class DeclaringTwice(Good):
    """Declares the same table in another way."""

    label = "Declares it otherwise"
    tables = (Twice,)


class Undeclared(Good):
    """Lists what is no class of records."""

    label = "Undeclared"
    tables = ("kit_rates",)  # type: ignore[assignment]


def declared(tmp_path: Path, *classes: type[Importer]) -> Registry:
    path = tmp_path / "plugins.toml"
    names = [each.__name__.lower() for each in classes]
    path.write_text("".join(f"[importers.{name}]\n" for name in names))
    return load(path, found=[Point(*each) for each in zip(names, classes, strict=True)])  # type: ignore[arg-type]


async def test_a_declared_table(tmp_path: Path, database_url: str) -> None:
    """The plugin is broken until the table is there, and says what to do."""
    registry = declared(tmp_path, Declaring)
    before = await check_tables(registry, database_url)
    failed = await migrate(database_url, registry.migrations, registry.own_tables)
    after = await check_tables(registry, database_url)

    [status] = before.plugins
    assert status.state == "broken"
    assert status.reason == "its table 'kit_rates' is not there; run `caseroll migrate`"
    assert failed == []
    assert [each.state for each in after.plugins] == ["on"]


def test_a_table_that_is_declared_twice(tmp_path: Path) -> None:
    """Two classes for one table break both plugins; the same class in two breaks none."""
    both = declared(tmp_path, Declaring, DeclaringTwice)
    same = declared(tmp_path, Declaring, type("Again", (Declaring,), {}))

    assert both.problems == [
        f"importer '{name}' is broken: two classes declare the table 'kit_rates'."
        for name in ("declaring", "declaringtwice")
    ]
    assert same.problems == []
    assert [table.name for table in same.own_tables] == ["kit_rates"]


def test_tables_that_are_none(tmp_path: Path) -> None:
    """What is no class of records breaks the plugin."""
    [problem] = declared(tmp_path, Undeclared).problems

    assert "its tables have to be a list of classes of Record, not ('kit_rates',)" in problem


def test_a_table_that_could_not_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The plugins that declare it are named, with the reason."""
    failed = FailedTable("kit_rates", "its table 'kit_rates' has the column 'x' otherwise: text")
    print_failed_migrations(declared(tmp_path, Declaring, Good), [failed])

    assert capsys.readouterr().err == (
        "importer 'declaring' can't be switched on: its table 'kit_rates' has the column 'x'"
        " otherwise: text\n"
    )


def test_a_migration_that_failed(registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    """All plugins that need its tables are named, with the file and the statement."""
    failed = FailedMigration(PACKAGE, "/acme/0001.py", "PostgresError: no", "CREATE TABLE x")
    print_failed_migrations(registry, [failed])

    assert capsys.readouterr().err == (
        "importer 'one' and validator 'watch' can't be switched on: /acme/0001.py failed:"
        " PostgresError: no, in: CREATE TABLE x\n"
    )
