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


def everything(kind: str) -> str:
    """Select every field of a type and of all types below it.

    Each object names its type. Where a type comes again, its objects have nothing but that and
    their ID, or the operation would be too large.
    """
    return _selection(kind, set())


def _selection(kind: str, seen: set[str]) -> str:
    found = schema._schema.type_map[kind]
    assert isinstance(found, GraphQLObjectType | GraphQLInterfaceType)
    if kind in seen:
        return "{ __typename id }" if "id" in found.fields else "{ __typename }"
    seen.add(kind)
    fields = [_field(name, field, seen) for name, field in found.fields.items()]
    return "{ __typename " + " ".join(fields) + " }"


def _field(name: str, field: GraphQLField, seen: set[str]) -> str:
    kind = get_named_type(field.type)
    if is_leaf_type(kind):
        return name
    arguments = _PAGE if "first" in field.args else ""
    return f"{name}{arguments} {_selection(kind.name, seen)}"
