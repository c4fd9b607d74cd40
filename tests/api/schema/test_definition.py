"""The schema: written down, described, and what clients rely on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    parse,
    validate,
)

from api.schema.definition import schema

SDL = Path(__file__).parents[3] / "docs" / "schema.graphql"
CLIENTS = sorted((Path(__file__).parents[1] / "clients").glob("*.graphql"))


def test_written_schema_is_current() -> None:
    """docs/schema.graphql is what `python -m api.schema.definition` prints."""
    printed = subprocess.run(
        [sys.executable, "-m", "api.schema"], capture_output=True, text=True, check=True
    )

    assert SDL.read_text() == printed.stdout


def test_everything_is_described() -> None:
    """Every type, field, argument, input field and enum value carries a description."""
    missing = []
    for name, kind in schema._schema.type_map.items():
        if name.startswith("__"):
            continue
        missing += [] if kind.description else [name]
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for field_name, field in kind.fields.items():
                missing += [] if field.description else [f"{name}.{field_name}"]
                missing += [
                    f"{name}.{field_name}({argument_name})"
                    for argument_name, argument in getattr(field, "args", {}).items()
                    if not argument.description
                ]
        if isinstance(kind, GraphQLEnumType):
            missing += [
                f"{name}.{key}" for key, value in kind.values.items() if not value.description
            ]

    assert not missing


@pytest.mark.parametrize("path", CLIENTS, ids=lambda path: path.stem)
def test_clients_still_work(path: Path) -> None:
    """The operations that clients are known to send are valid."""
    assert not validate(build_schema(SDL.read_text()), parse(path.read_text()))


def test_clients_use_every_field() -> None:
    """The clients' operations together select every field that the contract names."""
    selected = " ".join(path.read_text() for path in CLIENTS)
    unused = [
        f"{name}.{field}"
        for name, kind in schema._schema.type_map.items()
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__")
        for field in kind.fields
        if field not in selected
    ]

    assert not unused
