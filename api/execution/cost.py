"""What an operation costs: how long its text is, and how large its answer may be."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SchemaMetaFieldDef,
    TypeMetaFieldDef,
    VariableNode,
    get_named_type,
    get_nullable_type,
)

from api.errors import ApiError
from api.schema.connection import DEFAULT_PAGE, LARGEST_PAGE
from api.schema.node import MOST_NAMED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import DocumentNode, GraphQLField, GraphQLSchema, SelectionSetNode, ValueNode

    from api.limits import QueryLimits

LENGTHS = {"first": LARGEST_PAGE, "last": LARGEST_PAGE, "ids": MOST_NAMED, "tagIds": MOST_NAMED}
"""The arguments that set how many objects a field returns, by number or by name; the most."""

_CONNECTION = "Connection"
_EDGE = "Edge"
# How long lists without pages commonly are; the schema does not say it.
_LIST_LENGTH = 10
_LIST_LENGTHS = {
    ("ErrorGroup", "params"): 3,
    ("ImportError", "params"): 3,
    ("ImportRow", "cells"): 20,
    ("ImportRow", "warnings"): 2,
    ("ImportRow", "changes"): 3,
    ("ImportChange", "fields"): 3,
    ("Import", "consequences"): 4,
    ("Consequence", "cases"): 5,
    ("Consequence", "users"): 5,
    ("Import", "warnings"): 2,
    ("__Field", "args"): 5,
}
# Fields that take as long to find as so many objects, however short the answer.
_WORK = {("Import", "consequences"): 2_000}


class Size(NamedTuple):
    """How large a part of a query is, fragments written out."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    objects: int = 0
    values: int = 0
    names: int = 0


class Cost(NamedTuple):
    """What a field adds to a query's size.

    Args:
        kind: the name of the type that is selected from.
        times: how many of them it returns; None: as many as its arguments say.
        is_shell: whether it only wraps what is counted, as a connection's edges do.
        work: as how many more objects it counts.
    """

    kind: str = ""
    times: int | None = 1
    is_shell: bool = False
    work: int = 0


@lru_cache(8)
def field_costs(schema: GraphQLSchema) -> dict[tuple[str, str], Cost]:
    """Return the cost of each field of a schema, by the names of its type and the field."""
    costs = {
        (name, field_name): _field_cost(name, field_name, field)
        for name, kind in schema.type_map.items()
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
        for field_name, field in kind.fields.items()
    }
    if schema.query_type:
        root = schema.query_type.name
        costs[root, "__schema"] = _field_cost(root, "__schema", SchemaMetaFieldDef)
        costs[root, "__type"] = _field_cost(root, "__type", TypeMetaFieldDef)
    return costs


def _field_cost(parent: str, name: str, field: GraphQLField) -> Cost:
    kind = get_named_type(field.type).name
    if kind.endswith(_CONNECTION) or not LENGTHS.keys().isdisjoint(field.args):
        return Cost(kind, None)
    # The connection has counted its page; counting edges and nodes again would square it.
    is_page = parent.endswith(_CONNECTION) and name == "edges"
    is_place = parent.endswith(_EDGE) and name == "node"
    if is_page or is_place:
        return Cost(kind, is_shell=True)
    if isinstance(get_nullable_type(field.type), GraphQLList):
        length = _LIST_LENGTHS.get((parent, name), _LIST_LENGTH)
        return Cost(kind, length, work=_WORK.get((parent, name), 0))
    return Cost(kind)


def check_size(
    schema: GraphQLSchema,
    document: DocumentNode,
    variables: Mapping[str, object],
    limits: QueryLimits,
) -> int:
    """Refuse a document of which any operation or fragment is too large.

    Each fragment is measured once an operation, however often it is spread, so that the time is
    linear in the document's length, however large its answer would be. Fragments that nothing
    spreads are measured, too, as validation compares their fields with one another. A field that
    the schema does not have counts once; validation refuses it.

    Returns:
        how many values the largest operation may return.

    Raises:
        ApiError: it is too large.
    """
    costs = field_costs(schema)
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    values = 0
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            selections = definition.selection_set.selections
            check_query("root fields", len(selections), limits.root_fields)
            root = schema.get_root_type(definition.operation)
            defaults = {
                each.variable.name.value: _written_length(each.default_value)
                for each in definition.variable_definitions or ()
            }
            sizer = AnswerSizer(costs, fragments, {**defaults, **variables})
            size = sizer.measure(definition.selection_set, root.name if root else "")
            _check_parts(size, limits)
            values = max(values, size.values)
    unspread = AnswerSizer(costs, fragments, variables)
    for name in fragments:
        _check_parts(unspread.fragment(name), limits)
    return values


def _check_parts(size: Size, limits: QueryLimits) -> None:
    check_query("levels", size.depth, limits.depth)
    check_query("fields", size.fields, limits.fields)
    check_query("aliases", size.aliases, limits.aliases)
    _check_answer("objects", size.objects, limits.objects)
    _check_answer("values", size.values, limits.values)
    _check_answer("characters of names", size.names, limits.answer_characters)


def _check_answer(noun: str, number: int, limit: int) -> None:
    if number > limit:
        raise ApiError(
            "TOO_COMPLEX",
            f"The query may return {number:,} {noun}; {limit:,} are the most. "
            "Ask for smaller pages.",
        )


def check_query(noun: str, number: int, limit: int) -> None:
    """Refuse, with an `ApiError`, a query that has more of something than the limit."""
    if number > limit:
        raise ApiError(
            "TOO_COMPLEX",
            f"The query has {number:,} {noun}; {limit:,} are the most. Ask in several requests.",
        )


@dataclass(slots=True)
class AnswerSizer:
    """Measures the answers of selections, and remembers the fragments it has measured."""

    _costs: Mapping[tuple[str, str], Cost]
    _fragments: Mapping[str, FragmentDefinitionNode]
    _variables: Mapping[str, object]
    _known: dict[str, Size] = field(default_factory=dict, init=False)

    def measure(self, selections: SelectionSetNode | None, kind: str) -> Size:
        """Add up everything in a selection from a type."""
        nodes = selections.selections if selections else ()
        sizes = [self._selection(node, kind) for node in nodes]
        depths, *numbers = zip(Size(), *sizes, strict=True)
        return Size(max(depths), *map(sum, numbers))

    def fragment(self, name: str) -> Size:
        """Measure a fragment; validation deals with one that contains itself or isn't there."""
        if name not in self._known:
            # An entry before the fragment is measured ends the recursion if the fragment contains
            # itself.
            self._known[name] = Size()
            if found := self._fragments.get(name):
                kind = found.type_condition.name.value
                self._known[name] = self.measure(found.selection_set, kind)
        return self._known[name]

    def _selection(self, node: object, kind: str) -> Size:
        if isinstance(node, FieldNode):
            return self._field(node, self._costs.get((kind, node.name.value), Cost()))
        if isinstance(node, InlineFragmentNode):
            condition = node.type_condition
            return self.measure(node.selection_set, condition.name.value if condition else kind)
        if isinstance(node, FragmentSpreadNode):
            return self.fragment(node.name.value)
        return Size()

    def _field(self, node: FieldNode, cost: Cost) -> Size:
        inner = self.measure(node.selection_set, cost.kind)
        times = self._length(node) if cost.times is None else cost.times
        own = 1 if node.selection_set and not cost.is_shell else 0
        return Size(
            depth=inner.depth + 1,
            fields=inner.fields + 1,
            aliases=inner.aliases + (node.alias is not None),
            objects=times * (own + inner.objects) + cost.work,
            # The field itself is one value, and so is each item of a list of scalars.
            values=1 + times * inner.values if node.selection_set else times,
            names=len((node.alias or node.name).value) + times * inner.names,
        )

    def _length(self, node: FieldNode) -> int:
        """Return how many objects a field may return that is asked for some."""
        asked: list[int] = []
        for argument in node.arguments or ():
            most = LENGTHS.get(argument.name.value)
            if isinstance(argument.value, VariableNode):
                number = self._variables.get(argument.value.name.value)
            else:
                number = _written_length(argument.value)
            if most is not None and isinstance(number, int):
                asked.append(min(max(number, 0), most))
        return max(asked, default=DEFAULT_PAGE)


def _written_length(value: ValueNode | None) -> int | None:
    """Return the number that a text has for a length, or the length of its list."""
    if isinstance(value, IntValueNode):
        # Nine digits exceed every page; `int` raises an exception at more than 4,300.
        return int(value.value[:9])
    return len(value.values) if isinstance(value, ListValueNode) else None
