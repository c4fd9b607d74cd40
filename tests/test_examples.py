"""The example projects stay short, are listed, and ask pip for a release that fits."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from api.cli.project_kind import sdk_requirement

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
# Module → the most lines that it may have, without blank ones, imports and docstrings: what such a
# plugin should cost its author.
MOST_LINES = {
    "examples/acme-caps/src/acme_caps": 30,
    "examples/acme-jsonl/src/acme_jsonl": 45,
    "examples/acme-leavers/src/acme_leavers": 25,
    "examples/acme-rates/src/acme_rates": 70,
    "examples/acme-roster/src/acme_roster": 35,
    "examples/acme-transfer/src/acme_transfer": 45,
    "examples/acme-wall/src/acme_wall": 30,
    "importers/builtin/sync.py": 20,
}
PROJECTS = sorted(path.parent.name for path in EXAMPLES.glob("*/pyproject.toml"))


def project(name: str) -> dict[str, object]:
    text = (EXAMPLES / name / "pyproject.toml").read_text(encoding="utf-8")
    return dict(tomllib.loads(text)["project"])


def lines_of(path: str) -> int:
    """Count the lines of a module, or of all modules of a package but its migrations."""
    place = ROOT / path
    files = place.glob("*.py") if place.is_dir() else [place]
    return sum(len(_code_lines(file.read_text(encoding="utf-8"))) for file in files)


def _code_lines(text: str) -> set[int]:
    tree = ast.parse(text)
    lines = {number for number, line in enumerate(text.splitlines(), 1) if line.strip()}
    for node in ast.walk(tree):
        is_import = isinstance(node, ast.Import | ast.ImportFrom)
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_import or is_docstring:
            lines -= set(range(node.lineno, (node.end_lineno or 0) + 1))
    return lines


@pytest.mark.parametrize("path", MOST_LINES)
def test_lines(path: str) -> None:
    """An example has code, and no more lines than it may have."""
    assert 0 < lines_of(path) <= MOST_LINES[path]


def test_every_example_has_a_limit() -> None:
    """No example is left out above."""
    packages = [path.parent for path in EXAMPLES.glob("*/src/*/__init__.py")]

    assert {path.relative_to(ROOT).as_posix() for path in packages} == {
        path for path in MOST_LINES if path.startswith("examples/")
    }


def test_every_example_is_listed() -> None:
    """The page of the examples has a line for each."""
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")

    assert sorted(re.findall(r"^\| \[([a-z-]+)\]\(\1\) \|", page, re.MULTILINE)) == PROJECTS


@pytest.mark.parametrize("name", PROJECTS)
def test_requirement(name: str) -> None:
    """pip installs it beside the releases in which it loads."""
    asked = project(name)["dependencies"]

    assert isinstance(asked, list)
    assert Requirement(sdk_requirement()) in map(Requirement, asked)
