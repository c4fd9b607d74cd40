"""Members of Strawberry that are not in its documentation, and that Caseroll uses."""

from __future__ import annotations

import inspect
from typing import Any

import strawberry
from graphql import GraphQLObjectType, GraphQLSchema, parse, specified_rules
from graphql.execution.executor import Executor
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.name_converter import NameConverter
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext, validate_document
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case


@strawberry.type
class Query:
    """A field that is an attribute, and one that has a resolver and metadata."""

    plain_one: int

    @strawberry.field(metadata={"key": "value"})
    def resolved(self, number: int = 1) -> int:
        return number


schema = strawberry.Schema(Query)


def definition(of: Any) -> Any:
    return of.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]


def query_type() -> GraphQLObjectType:
    found = schema._schema.query_type
    assert found
    return found


def test_schema() -> None:
    """`Schema._schema` is graphql-core's schema, and knows the converter that made it."""
    assert isinstance(schema._schema, GraphQLSchema)
    assert definition(schema._schema).schema_converter.config is schema.config
    assert definition(schema._schema).schema_converter.scalar_registry is not None


def test_plain_field() -> None:
    """A field without a resolver is basic, and says which attribute it reads, by `getattr`."""
    field = definition(query_type().fields["plainOne"])

    assert isinstance(field, StrawberryField)
    assert field.is_basic_field
    assert field.default_resolver is getattr
    assert field.python_name == "plain_one"


def test_resolved_field() -> None:
    """A field with a resolver is not basic, and has metadata, arguments and extensions."""
    field = definition(query_type().fields["resolved"])

    assert not field.is_basic_field
    assert field.metadata == {"key": "value"}
    assert [each.python_name for each in field.arguments] == ["number"]
    assert field.extensions == []


def test_type() -> None:
    """A type knows the class that it is of; only a generic one's is `concrete_of`."""
    found = definition(query_type())

    assert found.origin is Query
    assert found.is_type_of is None
    assert found.concrete_of is None


def test_arguments() -> None:
    """`convert_arguments` takes what the executor gives it."""
    parameters = list(inspect.signature(convert_arguments).parameters)

    assert parameters[:4] == ["value", "arguments", "scalar_registry", "config"]


def test_executor() -> None:
    """The class of the executor can be derived from, and builds executors of graphql-core."""
    built = StrawberryGraphQLCoreExecutionContext.build(schema._schema, parse("{ plainOne }"))

    assert isinstance(built, StrawberryGraphQLCoreExecutionContext)
    assert isinstance(built, Executor)


def test_functions() -> None:
    """What Caseroll calls beside classes does what it did."""
    assert not optimized_is_awaitable(1)
    assert to_camel_case("plain_one") == "plainOne"
    assert validate_document(schema._schema, parse("{ plainOne }"), tuple(specified_rules)) == []
    assert "apply_naming_config" in vars(NameConverter)
