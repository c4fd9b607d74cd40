"""Every operation of the console is one that any client may send."""

from __future__ import annotations

import re

import pytest
from graphql import parse, validate

from api.console.operation import FOLDER, operation_text
from api.console.pages.api_reference import _EXAMPLES, _examples
from api.console.pages.changes.actions import ACTIONS
from api.schema.definition import schema

NAMES = sorted(path.stem for path in FOLDER.glob("*.graphql"))
PEOPLE = {"user", "users", "case", "cases"}
FRAGMENTS = sorted(path.stem for path in (FOLDER / "fragments").glob("*.graphql"))


@pytest.mark.parametrize("name", NAMES)
def test_valid(name: str) -> None:
    """An operation, with its fragments, fits the schema and declares what it uses."""
    assert validate(schema._schema, parse(operation_text(name))) == []


@pytest.mark.parametrize("name", sorted(path.stem for path in _EXAMPLES.glob("*.graphql")))
def test_examples(name: str) -> None:
    """The examples of the API page fit the schema."""
    assert validate(schema._schema, parse(_examples()[name].query)) == []


def test_all_are_used() -> None:
    """No operation and no fragment lies about that no page runs."""
    console = FOLDER.parent
    code = "\n".join(path.read_text() for path in console.rglob("*.py"))
    # What is done with an import has the same pages, whatever it is; so have cases and users.
    code += "".join(code.replace("{self.name}", each.name) for each in ACTIONS)
    code += "".join(code.replace("{self.noun}", noun) for noun in ("case", "user"))
    spread = set(re.findall(r"\.\.\.(\w+)", "\n".join(map(operation_text, NAMES))))

    assert [name for name in NAMES if f'"{name}"' not in code and name not in PEOPLE] == []
    assert [name for name in FRAGMENTS if name not in spread] == []


@pytest.mark.parametrize("name", NAMES)
def test_one_root(name: str) -> None:
    """A file has one operation: a page runs one."""
    definitions = parse((FOLDER / f"{name}.graphql").read_text()).definitions

    assert len(definitions) == 1
