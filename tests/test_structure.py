"""The tree is as the documentation says, and its folders and names stay findable."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("api", "importers", "models")
MOST_MODULES = 16
# One file a subcommand, and one a table: lists, in which nobody gets lost.
LONG_FOLDERS = {"api/cli", "models"}
# What a plugin's author calls a thing, a table's model, and the GraphQL type may share a name.
NAMING_FOLDERS = ("models/", "api/schema/", "importers/sdk/")
MOST_FILES_WITH_A_HELPER = 3


def modules(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def listed() -> list[str]:
    """The files and folders in the tables of "Where to find it"."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    section = text.partition("\n## Where to find it\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]*) \| [^|]+ \|$", section, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def rooms() -> set[str]:
    """Folders, and the modules at the top of each package."""
    found = {
        f"{shown(path)}/"
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_dir() and path.name != "__pycache__" and path.parent.name != "templates"
        if "locale" not in path.parts
        # What its pages are made of lies beside them: texts, pictures and scripts.
        if not path.is_relative_to(ROOT / "api/console") or (path / "__init__.py").exists()
    }
    for package in PACKAGES:
        found |= {
            shown(path) for path in (ROOT / package).glob("*.py") if path.name != "__init__.py"
        }
    return found


def test_where_to_find_it() -> None:
    """Each folder, and each module at the top of a package, is listed exactly once."""
    assert sorted(listed()) == sorted(rooms())


@pytest.mark.parametrize(
    "path", [path for path in modules(*PACKAGES) if path.name == "__init__.py"], ids=shown
)
def test_a_folder_says_what_it_holds(path: Path) -> None:
    """A folder's docstring begins with one sentence, on one line."""
    first, _, rest = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")

    assert first.endswith(".")
    assert not rest or path.parent.name == "importers", "only the SDK's door says more"


def test_every_folder_is_a_package() -> None:
    """No folder of modules lacks the file that says what it holds."""
    folders = {path.parent for path in modules(*PACKAGES)}

    assert [shown(each) for each in folders if not (each / "__init__.py").exists()] == []


def test_folders_are_short() -> None:
    """A folder can be read at a glance."""
    counts: dict[str, int] = defaultdict(int)
    for path in modules(*PACKAGES):
        counts[shown(path.parent)] += path.name != "__init__.py"

    assert {
        folder: count
        for folder, count in counts.items()
        if count > MOST_MODULES and folder not in LONG_FOLDERS | {"models/migrations"}
    } == {}


def test_class_names() -> None:
    """A class name means one thing, but for a noun's table, its GraphQL type and its SDK class."""
    found = defaultdict(list)
    for path in modules(*PACKAGES):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and "migrations" not in path.parts:
                found[node.name].append(shown(path))
    doubled = {name: paths for name, paths in found.items() if len(paths) > 1}

    assert {
        name: paths
        for name, paths in doubled.items()
        if len({_naming_folder(path) for path in paths} - {None}) < len(paths)
    } == {}


def _naming_folder(path: str) -> str | None:
    return next((folder for folder in NAMING_FOLDERS if path.startswith(folder)), None)


def test_helper_names() -> None:
    """A private function's name says enough to be in three files at the most."""
    found = defaultdict(set)
    for path in modules(*PACKAGES):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if is_function and node.name.startswith("_"):
                found[node.name].add(shown(path))

    assert {
        name: sorted(paths)
        for name, paths in found.items()
        if len(paths) > MOST_FILES_WITH_A_HELPER
    } == {}
