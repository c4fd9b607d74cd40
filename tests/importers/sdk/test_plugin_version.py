"""Plugins for another version of the SDK are not loaded; replaced names work for one release."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import importers.testing
from importers import SDK_VERSION, Importer
from importers.sdk import plugin
from importers.sdk.plugin import version_problem
from tests.importers.plugins.test_registry import Good, Point, loaded

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("wanted", [None, "2.0", "2.3", SDK_VERSION], ids=str)
def test_fits(wanted: str | None) -> None:
    """A plugin fits an SDK of its major version and at least its minor version."""
    assert version_problem(wanted, SDK_VERSION if wanted == SDK_VERSION else "2.3") is None


@pytest.mark.parametrize("wanted", ["1.9", "2.4", "3.0", "20.1"])
def test_does_not_fit(wanted: str) -> None:
    """One for another major version, or for something newer, does not."""
    assert version_problem(wanted, "2.3") == (
        f"it was written for version {wanted} of the SDK, and this is 2.3"
    )


@pytest.mark.parametrize("wanted", ["", "1", "1.0.0", "new", "1.x", 1.0, "\uff11.0"])
def test_no_version(wanted: str) -> None:
    """What is no version is told."""
    assert (
        version_problem(wanted, "2.3")
        == f"its 'sdk' must be a version such as '2.3', not {wanted!r}"
    )


def test_the_release_begins_with_it() -> None:
    """By Caseroll's own version pip can tell which SDK it offers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["version"].startswith(f"{SDK_VERSION}.")


def test_a_plugin_for_another_sdk_is_left_out(tmp_path: Path) -> None:
    """An incompatible plugin is reported, and not loaded."""

    class Newer(Good):
        sdk = "9.0"

    registry = loaded(tmp_path, "[importers.one]", Point("one", Newer))

    assert registry.importers == {}
    assert registry.plugins[0].reason == (
        f"it was written for version 9.0 of the SDK, and this is {SDK_VERSION}"
    )


@pytest.fixture
def with_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a class renamed."""
    table = {"importers": {"FileImporter": "Importer"}, "importers.testing": {}}
    monkeypatch.setattr(plugin, "RENAMED", table)


@pytest.mark.usefixtures("with_table")
def test_an_old_name_is_the_new_thing() -> None:
    """It is the very class, whichever way it is imported, and the warning is on that line."""
    with pytest.warns(DeprecationWarning, match="is now importers.Importer") as told:
        from importers import FileImporter  # type: ignore[attr-defined]

    assert FileImporter is Importer
    assert {str(each.message) for each in told} == {
        "importers.FileImporter is now importers.Importer; the old name goes with the next release"
    }
    assert {each.filename for each in told} == {__file__}


@pytest.mark.usefixtures("with_table")
def test_a_name_that_never_was() -> None:
    """Nothing else is found, and modules of the package are imported as ever."""
    with pytest.raises(AttributeError, match="module 'importers' has no attribute 'Nobody'"):
        _ = importers.Nobody  # type: ignore[attr-defined]
    with pytest.raises(ImportError, match="cannot import name 'Nobody'"):
        from importers import Nobody  # type: ignore[attr-defined]  # noqa: F401
    from importers.sdk import errors

    assert errors.RowError is importers.RowError


def test_testing_has_a_table_as_well() -> None:
    """`importers.testing` answers in the same way."""
    with pytest.raises(AttributeError, match=r"module 'importers\.testing' has no attribute 'a'"):
        _ = importers.testing.a  # type: ignore[attr-defined]


@pytest.mark.parametrize("module", [importers, importers.testing], ids=lambda each: each.__name__)
def test_the_table_fits(module: object) -> None:
    """Every new name is a public one, and no old one still is."""
    table = plugin.RENAMED[module.__name__]  # type: ignore[attr-defined]
    public = set(module.__all__)  # type: ignore[attr-defined]

    assert set(table.values()) <= public
    assert public.isdisjoint(table)
    assert set(plugin.RENAMED) == {"importers", "importers.testing"}
