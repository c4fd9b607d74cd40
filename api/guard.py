"""What one operation may cost, and that viewers only read."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    parse,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document
from strawberry.types.graphql import OperationType

from api.connection import DEFAULT_PAGE, LARGEST_PAGE
from api.errors import ApiError
from models.app import Permission

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_TOKENS = 1_000
MOST_DEPTH = 15
MOST_ALIASES = 30
MOST_ROOT_FIELDS = 20
MOST_FIELDS = 300
MOST_OBJECTS = 20_000
_REMEMBERED = 256

_LISTS = frozenset({"cases", "users", "imports", "assignments", "rows"})
# The shell of a connection; what counts is what stands in it.
_WRAPPERS = frozenset({"edges", "node", "pageInfo"})


class Size(NamedTuple):
    """How large a part of a query is, fragments written out."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    objects: int = 0


class Guard(SchemaExtension):
    """Parses and validates each query once, and refuses what costs too much or isn't allowed."""

    def on_parse(self) -> Iterator[None]:
        """Take the document from memory, or parse it and measure it."""
        context = self.execution_context
        document = _parse(context.query or "")
        _check_choice(document, context._provided_operation_name)
        check_size(document, context.variables or {})
        context.graphql_document = document
        yield

    def on_validate(self) -> Iterator[None]:
        """Take the verdict from memory, or validate."""
        context = self.execution_context
        if context.graphql_document is not None:
            context.pre_execution_errors = _validate(
                context.schema._schema, context.graphql_document, context.validation_rules
            )
        yield

    def on_execute(self) -> Iterator[None]:
        """Let only administrators change anything."""
        context = self.execution_context
        is_change = context.operation_type is OperationType.MUTATION
        if is_change and context.context.token.permission is not Permission.ADMIN:
            raise ApiError("FORBIDDEN", "This token may only read.")
        yield


@lru_cache(_REMEMBERED)
def _parse(query: str) -> DocumentNode:
    return parse(query, max_tokens=MOST_TOKENS)


_validate = lru_cache(_REMEMBERED)(validate_document)


def _check_choice(document: DocumentNode, name: str | None) -> None:
    """Refuse to choose between operations: Strawberry would run the first."""
    operations = [
        each for each in document.definitions if isinstance(each, OperationDefinitionNode)
    ]
    if len(operations) > 1 and not name:
        raise ApiError(
            "BAD_REQUEST", "The query has several operations; say in 'operationName' which to run."
        )


def check_size(document: DocumentNode, variables: Mapping[str, object]) -> None:
    """Refuse a document of which any operation or fragment is too large.

    Each fragment is measured once an operation, however often it is spread, so that the time is
    linear in the document's length whatever the size of what it asks for. Fragments that nothing
    spreads are measured, too: validation would compare their fields with one another.

    Raises:
        ApiError: it is too large.
    """
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            _check("root fields", len(definition.selection_set.selections), MOST_ROOT_FIELDS)
            given = {**_defaults(definition), **variables}
            _check_parts(_Ruler(fragments, given).measure(definition.selection_set))
    unspread = _Ruler(fragments, variables)
    for fragment in fragments.values():
        _check_parts(unspread.measure(fragment.selection_set))


def _check_parts(size: Size) -> None:
    _check("levels", size.depth, MOST_DEPTH)
    _check("fields", size.fields, MOST_FIELDS)
    _check("aliases", size.aliases, MOST_ALIASES)
    if size.objects > MOST_OBJECTS:
        raise ApiError(
            "TOO_COMPLEX",
            f"The query may return {size.objects:,} objects; {MOST_OBJECTS:,} are the most. "
            "Ask for smaller pages.",
        )


def _defaults(operation: OperationDefinitionNode) -> dict[str, object]:
    """Return the numbers that variables have when they are not given."""
    return {
        definition.variable.name.value: int(definition.default_value.value[:9])
        for definition in operation.variable_definitions or ()
        if isinstance(definition.default_value, IntValueNode)
    }


def _check(noun: str, number: int, limit: int) -> None:
    if number > limit:
        raise ApiError("TOO_COMPLEX", f"The query has {number:,} {noun}; {limit} are the most.")


class _Ruler:
    """Measures selections, and remembers the fragments it has measured."""

    def __init__(
        self, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, object]
    ) -> None:
        self._variables = variables
        self._fragments = fragments
        self._known: dict[str, Size] = {}

    def measure(self, selections: SelectionSetNode | None) -> Size:
        """Add up everything in a selection."""
        sizes = [self._selection(each) for each in (selections.selections if selections else ())]
        return Size(
            depth=max((size.depth for size in sizes), default=0),
            fields=sum(size.fields for size in sizes),
            aliases=sum(size.aliases for size in sizes),
            objects=sum(size.objects for size in sizes),
        )

    def _selection(self, node: object) -> Size:
        if isinstance(node, FieldNode):
            return self._field(node)
        if isinstance(node, InlineFragmentNode):
            return self.measure(node.selection_set)
        if isinstance(node, FragmentSpreadNode):
            return self._fragment(node.name.value)
        return Size()

    def _field(self, node: FieldNode) -> Size:
        inner = self.measure(node.selection_set)
        own = 1 if node.selection_set and node.name.value not in _WRAPPERS else 0
        return Size(
            depth=inner.depth + 1,
            fields=inner.fields + 1,
            aliases=inner.aliases + (node.alias is not None),
            objects=self._pages(node) * (own + inner.objects),
        )

    def _fragment(self, name: str) -> Size:
        """Measure a fragment; validation deals with one that contains itself or isn't there."""
        if name not in self._known:
            self._known[name] = Size()
            definition = self._fragments.get(name)
            self._known[name] = self.measure(definition.selection_set if definition else None)
        return self._known[name]

    def _pages(self, node: FieldNode) -> int:
        """Return how many times over the selection of a field may be returned."""
        if node.name.value not in _LISTS:
            return 1
        asked = [
            self._number(argument.value)
            for argument in node.arguments or ()
            if argument.name.value in ("first", "last")
        ]
        return max((number for number in asked if number is not None), default=DEFAULT_PAGE)

    def _number(self, value: object) -> int | None:
        if isinstance(value, VariableNode):
            given = self._variables.get(value.name.value)
            return min(max(given, 0), LARGEST_PAGE) if isinstance(given, int) else None
        if isinstance(value, IntValueNode):
            return min(max(int(value.value[:9]), 0), LARGEST_PAGE)
        return None
