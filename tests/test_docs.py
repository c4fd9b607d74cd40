"""What the documentation shows works."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from importers import Importer
from importers.sample import sample_csv
from importers.testing import World, run_importer

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "docs/writing-an-importer.md").read_text()


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def guide(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of every piece of Python in the guide, one after the other."""
    module = ModuleType("guide")
    monkeypatch.setitem(sys.modules, "guide", module)
    for snippet in snippets("python"):
        exec(snippet, vars(module))
    return module


def test_tests_of_the_guide(guide: ModuleType) -> None:
    """The tests that the guide shows pass."""
    tests = [value for name, value in vars(guide).items() if name.startswith("test_")]
    for test in tests:
        test()

    assert len(tests) == 2


def test_importers_of_the_guide(guide: ModuleType) -> None:
    """Every importer has a sample that passes when nobody is on any case."""
    classes = [
        value
        for value in vars(guide).values()
        if isinstance(value, type) and issubclass(value, Importer) and value is not Importer
    ]

    assert [each.__name__ for each in classes] == ["SeatingPlan", "Leavers", "Rooms", "Roster"]
    for each in classes:
        made = each("guide", each.Settings() if each.Settings else None)
        reports = run_importer(made, sample_csv(made), world=World(assignments=()))
        (report,) = reports
        assert "asks" in report or report["outcome"] in ("CREATED", "UNCHANGED")


def test_toml_of_the_guide() -> None:
    """Every piece of TOML can be read."""
    assert [list(tomllib.loads(snippet)) for snippet in snippets("toml")] == [
        ["project"],
        ["importers"],
        ["importers"],
    ]


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))],
    ids=lambda page: page.name,
)  # fmt: skip
def test_links(page: Path) -> None:
    """Every link to a file of the project leads to one."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []
