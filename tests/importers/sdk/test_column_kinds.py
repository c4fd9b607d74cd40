"""What the engine and the conformance kit know of a kind of column, they ask the column."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import importers
from importers import Case, CaseRef, Column, Email, Reference, RoleRef, TagId, User, UserRef
from importers.testing import World
from tests.importers.sdk.ready_columns.test_ready_columns import Formats
from tests.importers.sdk.test_columns import Roster

KINDS: dict[type[Column[Any]], Column[Any]] = {
    type(column): column for importer in (Roster, Formats) for column in importer.columns.values()
}
"""An example of each kind of column: one that the tests of how columns read cells have."""

PUBLIC = {getattr(importers, name) for name in importers.__all__}
WORLD = World()


class Shouted(Email):
    """Reads addresses without their capitals."""

    def parse(self, text: str) -> str:
        """Lower it."""
        return text.lower()


class Domain(Email):
    """Takes addresses of one domain for one."""

    def group_key(self, value: str) -> str:
        """Return the domain."""
        return value.partition("@")[2]


class Shortened(Reference[str]):
    """Reads keys without their spaces."""

    def parse(self, text: str) -> str:
        """Drop them."""
        return text.replace(" ", "")


def suggested(column: Column[Any]) -> list[str]:
    """Return the cells that the kit tries in a column, wherever they come from."""
    cells = list(column._specimens(WORLD.cases, WORLD.users))
    return [*cells, *(column.choices_for(["staff"]) or ())]


def test_every_kind_is_in_these_tests() -> None:
    """Each public kind of column is in `Roster` or in `Formats`."""
    public = {each for each in PUBLIC if inspect.isclass(each) and issubclass(each, Column)}

    assert public - {Reference} == KINDS.keys()


@pytest.mark.parametrize("column", KINDS.values(), ids=lambda each: type(each).__name__)
def test_specimens_can_be_read(column: Column[Any]) -> None:
    """What a column suggests to the kit passes, so that it makes rows which do something."""
    for cell in suggested(column):
        column.read(cell)


AT_ONCE = [each for each in KINDS.values() if each._quick_group_keys([]) is not None]


@pytest.mark.parametrize("column", AT_ONCE, ids=lambda each: type(each).__name__)
def test_many_group_keys_at_once(column: Column[Any]) -> None:
    """Keys that are taken of many cells at once are those of the cells' values."""
    cells = [f" {cell} " for cell in suggested(column)] or [" a ", "A"]

    assert {type(each) for each in AT_ONCE} == {Column, Email, TagId}
    assert column._quick_group_keys(["", " ", *cells]) == [
        *["", ""],
        *[column.group_key(column.read(cell)) for cell in cells],
    ]


@pytest.mark.parametrize(
    "column", [Shouted(), Domain(), Email(default="jo@example.org")], ids=["parse", "key", "blank"]
)
def test_a_kind_that_changes_what_it_makes_of_cells(column: Column[str]) -> None:
    """A subclass that overrides what was marked is asked about each cell again."""
    assert column._quick_group_keys(["a@example.org"]) is None


def test_a_parse_that_is_overridden() -> None:
    """So is one that reads cells in its own way, until its own `parse` is marked."""
    assert Reference()._only_trims()
    assert not Shortened()._only_trims()
    assert not Email()._only_trims()


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        pytest.param(CaseRef(), {"case"}, id="case"),
        pytest.param(UserRef(), {"user"}, id="user"),
        pytest.param(RoleRef(), set(), id="role"),
        pytest.param(Shortened(), {"case", "user"}, id="own"),
    ],
)
def test_what_a_reference_may_name(column: Reference[Any], expected: set[str]) -> None:
    """A look-up of a plugin's own may find cases or users, unless it says what it finds."""
    assert column._may_name == expected


def test_specimens_of_references() -> None:
    """References suggest each of their names: Tag ID and ID, or the address in two forms."""
    cases, users = [Case(id=1, tag_id="m-1")], [User(id=2, email="Jo@example.org")]

    assert list(CaseRef()._specimens(cases, users)) == ["m-1", "Q2FzZTox"]
    assert list(UserRef()._specimens(cases, users)) == ["VXNlcjoy"]
    assert list(UserRef(by="email")._specimens(cases, users)) == [
        "Jo@example.org",
        "JO@EXAMPLE.ORG",
    ]


def test_no_module_asks_which_kind_a_column_is() -> None:
    """Outside of the SDK code tells columns and references apart, and no kinds of them: a new kind
    would silently be the last branch."""
    kinds = {each.__name__ for each in KINDS} - {"Column"}
    asked = {name for path in _modules() for name in _asked(ast.parse(path.read_text()))}

    assert "Reference" in asked
    assert asked & kinds == set()


def _modules() -> Iterator[Path]:
    root = Path(importers.__file__).parent
    for path in [*root.rglob("*.py"), *(root.parent / "api").rglob("*.py")]:
        if not path.is_relative_to(root / "sdk"):
            yield path


def _asked(tree: ast.Module) -> set[str]:
    """Return the names that `isinstance` and `issubclass` ask for."""
    return {
        name.id
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        if call.func.id in ("isinstance", "issubclass")
        for name in ast.walk(call.args[1])
        if isinstance(name, ast.Name)
    }
