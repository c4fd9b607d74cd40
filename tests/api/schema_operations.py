"""Operations made of the schema itself, so that no field can be left out of what they select."""

from __future__ import annotations

from collections import deque
from typing import Any

from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type, is_leaf_type
from graphql.type.definition import GraphQLField

from api.limits import QueryLimits
from api.schema.definition import schema

# What selects everything there is may be larger than what a client may ask.
NO_LIMITS = QueryLimits(
    depth=100, fields=10_000, objects=10**9, values=10**9, answer_characters=10**9
)
_PAGE = "(first: 2)"


def root_fields(kind: str) -> dict[str, GraphQLField]:
    """Return the fields that operations of a kind begin with: Query, Mutation or Subscription."""
    found = schema._schema.type_map[kind]
    assert isinstance(found, GraphQLObjectType)
    return found.fields


def node_types() -> set[str]:
    """Return the types that `node` can return."""
    node = schema._schema.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    return {kind.name for kind in schema._schema.get_possible_types(node)}


def everything(kind: str) -> str:
    """Select every field of a type and of all types below it.

    Each object names its type. Where a type comes again, further down, its objects have nothing but
    that and their ID, or the operation would be too large.
    """
    selection: dict[str, Any] = {}
    seen: set[str] = set()
    # By levels, so that no type is first met at the end of a long way.
    waiting = deque([(kind, selection)])
    while waiting:
        name, found = waiting.popleft()
        for field, inner in _fields(name, only_id=name in seen).items():
            found[field] = None if inner is None else {}
            if inner is not None:
                waiting.append((inner, found[field]))
        seen.add(name)
    return _written(selection)


def _fields(kind: str, *, only_id: bool) -> dict[str, str | None]:
    """Return the fields of a type, with their arguments, and the types to select from."""
    found = schema._schema.type_map[kind]
    assert isinstance(found, GraphQLObjectType | GraphQLInterfaceType)
    fields: dict[str, str | None] = {}
    for name, field in found.fields.items():
        inner = get_named_type(field.type)
        if name == "id" or not only_id:
            text = name + (_PAGE if "first" in field.args else "")
            fields[text] = None if is_leaf_type(inner) else inner.name
    return fields


def _written(selection: dict[str, Any]) -> str:
    fields = [
        name if inner is None else f"{name} {_written(inner)}" for name, inner in selection.items()
    ]
    return "{ __typename " + " ".join(fields) + " }"
