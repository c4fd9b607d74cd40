"""What plugin authors can rely on."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import importers
from importers import Blank, CaseRef, Column, Flag, Importer, UserRef
from importers.sdk.row import row_type
from scripts import docstring

ROOT = Path(importers.__file__).parent.parent
LOADED = """
import sys
before = set(sys.modules)
import importers
print("\\n".join(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def test_import_is_light() -> None:
    """`import importers` loads only the standard library."""
    loaded = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()

    assert {"importers"} == {name for name in loaded if name not in sys.stdlib_module_names}


@pytest.mark.parametrize("name", importers.__all__)
def test_every_name_is_documented(name: str) -> None:
    """Every public name of the SDK has a docstring of its own."""
    thing = getattr(importers, name)
    is_code = isinstance(thing, type) or inspect.isfunction(thing)
    documented = thing.__doc__ if is_code else _constant_doc(name)

    assert documented
    assert not documented.startswith(f"{name}(")


def _constant_doc(name: str) -> str | None:
    """Find the text behind an assignment, which Python does not keep."""
    for path in (ROOT / "importers" / "sdk").glob("*.py"):
        if found := docstring.constants(path).get(name):
            return found[1]
    return None


CLASSES = [n for n in importers.__all__ if inspect.isclass(getattr(importers, n))]


@pytest.mark.parametrize("name", CLASSES)
def test_every_method_is_documented(name: str) -> None:
    """So has each public method and property of the SDK's classes."""
    thing = getattr(importers, name)
    bare = [
        member
        for member, value in vars(thing).items()
        if not member.startswith("_")
        and (inspect.isfunction(value) or isinstance(value, property))
        and not inspect.getdoc(value)
    ]

    assert bare == []


@pytest.mark.parametrize("name", CLASSES)
def test_every_attribute_is_documented(name: str) -> None:
    """So is each attribute: as an argument, or below its declaration, there or in a base."""
    told: set[str] = set()
    for cls in getattr(importers, name).__mro__:
        told |= docstring.parse(cls.__doc__).args.keys()
        if cls.__module__.startswith("importers."):
            declared = docstring.attributes(Path(inspect.getfile(cls)), cls.__name__)
            told |= {attribute for attribute, (_, text) in declared.items() if text}

    assert _attributes(getattr(importers, name)) - told == set()


def _attributes(cls: type) -> set[str]:
    """Return the public attributes of a class, and those that its instances are given."""
    own = {
        attribute
        for attribute, value in vars(cls).items()
        if not (inspect.isroutine(value) or isinstance(value, property | classmethod))
    }
    given = re.findall(r"^        self\.(\w+)[ :=]", inspect.getsource(cls), re.MULTILINE)
    return {each for each in {*own, *given, *vars(cls).get("__annotations__", ())}
            if not each.startswith("_")}  # fmt: skip


def test_columns_are_listed_in_their_order() -> None:
    """The order of the attributes is that of the sample file; each knows its name."""

    class Roster(Importer):
        """Read a roster.

        It has more to say.
        """

        second_id = CaseRef()
        first_id = UserRef()
        note = "no column"

    assert list(Roster.columns) == ["second_id", "first_id"]
    assert [column.name for column in Roster.columns.values()] == ["second_id", "first_id"]
    assert Roster("roster").description == "Read a roster."


def test_columns_are_inherited() -> None:
    """A subclass adds columns and replaces those of the same name, without touching its base."""

    class Base(Importer):
        case_id = CaseRef()
        mail = Flag()

    class More(Base):
        mail = Blank()
        note = Column[str]()

    assert list(More.columns) == ["case_id", "mail", "note"]
    assert isinstance(More.columns["mail"], Blank)
    assert isinstance(Base.columns["mail"], Flag)
    assert list(Base.columns) == ["case_id", "mail"]


def test_rows() -> None:
    """A row has its number, and an attribute for each column and no other."""
    row = row_type(["case_id", "note"])(7, "x", None)

    assert (row.number, row.case_id, row.note) == (7, "x", None)
    with pytest.raises(AttributeError):
        row.other = 1


def test_an_importer_without_change_says_so() -> None:
    """An importer has to say what a row means."""
    with pytest.raises(NotImplementedError):
        Importer().change(row_type([])(2))
