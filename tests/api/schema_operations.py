"""Operations made of the schema itself, so that no field can be left out of what they select."""

from __future__ import annotations

from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type, is_leaf_type
from graphql.type.definition import GraphQLField

from api.schema.definition import schema

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


def everything(kind: str, seen: set[str] | None = None) -> str:
    """Select every field of a type and of all types below it, each type once.

    Where a type comes again, only its plain fields are selected, or its `id` alone: it may come in
    too many places for all of its fields. Each object names its type.
    """
    seen = {kind} if seen is None else seen
    found = schema._schema.type_map[kind]
    assert isinstance(found, GraphQLObjectType | GraphQLInterfaceType)
    fields = [_field(name, field, seen) for name, field in found.fields.items()]
    return "{ __typename " + " ".join(filter(None, fields)) + " }"


def _field(name: str, field: GraphQLField, seen: set[str]) -> str:
    kind = get_named_type(field.type)
    if is_leaf_type(kind):
        return name
    arguments = _PAGE if "first" in field.args else ""
    if kind.name in seen:
        leaves = [
            each for each, inner in kind.fields.items() if is_leaf_type(get_named_type(inner.type))
        ]
        leaves = ["id"] if "id" in leaves else leaves
        return f"{name}{arguments} {{ __typename {' '.join(leaves)} }}"
    seen.add(kind.name)
    return f"{name}{arguments} {everything(kind.name, seen)}"
