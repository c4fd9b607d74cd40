"""Members of graphql-core that Caseroll's executor overrides, calls or replaces."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from graphql import GraphQLError, build_schema, parse
from graphql.execution import create_source_event_stream, get_argument_values
from graphql.execution.executor import Executor
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

import api.execution.executor as ours

# Member of graphql-core's executor → the parameters that Caseroll takes or gives.
MEMBERS = {
    "build": ["schema", "document", "context_value", "raw_variable_values", "operation_name"],
    "build_per_event_executor": ["self", "payload"],
    "collect_subfields": ["self", "return_type", "field_details_list"],
    "complete_leaf_value": ["return_type", "result"],
    "complete_list_item_value": [
        *["self", "item", "complete_results", "item_type", "field_details_list", "info"],
        *["item_path", "position_context"],
    ],
    "execute_collected_root_fields": [
        *["self", "root_type", "root_value", "grouped_field_set", "serially", "new_defer_usages"],
    ],
    "execute_fields": [
        *["self", "parent_type", "source_value", "path", "grouped_field_set", "position_context"],
    ],
    "execute_fields_serially": [
        *["self", "parent_type", "source_value", "path", "grouped_field_set", "position_context"],
    ],
    "execute_operation": ["self", "serially"],
}
ATTRIBUTES = ["context_value", "is_awaitable", "schema", "variable_values", "_relevant_sub_fields"]


def built(cls: type[Executor] = Executor) -> Any:
    schema = build_schema("type Query { a: A } type A { b: Int }")
    executor = cls.build(schema, parse("{ a { b } }"), root_value={"a": {"b": 1}})
    assert not isinstance(executor, list)
    return executor


@pytest.mark.parametrize("name", MEMBERS)
def test_parameters(name: str) -> None:
    """The executor's methods take what they took."""
    given = list(inspect.signature(getattr(StrawberryGraphQLCoreExecutionContext, name)).parameters)

    assert [each for each in MEMBERS[name] if each not in given] == []
    assert name == "build" or given == MEMBERS[name]


def test_nothing_else_is_overridden() -> None:
    """Each member that Caseroll's executor overrides is in the table."""
    base = vars(Executor).keys() | vars(StrawberryGraphQLCoreExecutionContext).keys()
    overridden = {name for name in vars(ours.Executor).keys() & base if not name.startswith("__")}

    assert overridden <= MEMBERS.keys() | set(ATTRIBUTES)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_attributes(name: str) -> None:
    """The executor keeps what Caseroll reads or sets."""
    assert hasattr(built(), name)


@pytest.mark.parametrize(
    "name", ["execute_collected_root_fields", "execute_fields", "complete_leaf_value"]
)
def test_overrides_are_called(name: str) -> None:
    """graphql-core calls the members that Caseroll overrides, instead of functions of its own."""
    called = []

    class Spy(Executor):  # type: ignore[type-arg]
        pass

    def spy(self: Executor, *args: Any) -> Any:  # type: ignore[type-arg]
        called.append(name)
        return getattr(super(Spy, self), name)(*args)

    setattr(Spy, name, spy)
    result = built(Spy).execute_operation()

    assert result.data == {"a": {"b": 1}}
    assert called


def test_sub_fields_are_remembered() -> None:
    """`_relevant_sub_fields` is the dictionary that sub-selections are looked up in."""
    executor = built()
    executor._relevant_sub_fields = remembered = {}
    executor.execute_operation()

    assert len(remembered) == 1


def test_root_fields_are_parted_by_alias() -> None:
    """A selection maps each response name to a list whose entries have the field's node."""
    executor = built()
    seen: list[Any] = []

    def execute_fields(*args: Any) -> dict[str, Any]:
        seen.append(args[3])
        return {}

    executor.execute_fields = execute_fields
    executor.execute_operation()
    [(name, details)] = seen[0].items()

    assert (name, details[0].node.name.value) == ("a", "a")
    assert details[0].fragment_variable_values is None
    assert executor.collect_subfields(
        executor.schema.type_map["A"], details
    ).grouped_field_set.keys() == {"b"}


def test_functions() -> None:
    """The functions beside the executor take what they took."""
    assert list(inspect.signature(create_source_event_stream).parameters) == ["executor"]
    assert list(inspect.signature(get_argument_values).parameters)[:4] == [
        *["type_def", "node", "variable_values", "fragment_variable_values"],
    ]


def test_errors_of_variables() -> None:
    """An operation whose variables are wrong is a list of errors instead of an executor."""
    schema = build_schema("type Query { a(b: Int!): Int }")
    errors = Executor.build(schema, parse("query ($b: Int!) { a(b: $b) }"), raw_variable_values={})

    assert isinstance(errors, list)
    assert isinstance(errors[0], GraphQLError)
