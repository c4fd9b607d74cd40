"""What one operation may cost, and that viewers only read."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    parse,
    specified_rules,
)
from strawberry.schema.schema import validate_document

from api.connection import DEFAULT_PAGE, LARGEST_PAGE
from api.errors import ApiError
from api.request_body import bad_request
from models.app import Permission

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from graphql import GraphQLSchema

    from api.limits import QueryLimits
    from api.request_body import Operation
    from models.access import TokenRecord

_REMEMBERED = 256
_noted: set[int] = set()

_LISTS = frozenset({"cases", "users", "imports", "assignments", "rows", "auditEvents"})
# The shell of a connection; what counts is what stands in it.
_WRAPPERS = frozenset({"edges", "node", "pageInfo"})


class Size(NamedTuple):
    """How large a part of a query is, fragments written out."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    objects: int = 0
    values: int = 0


class Prepared(NamedTuple):
    """An operation that may be executed."""

    document: DocumentNode
    kind: OperationType


class RefusedError(Exception):
    """An operation is not executed.

    Args:
        errors: why not, for the client.
    """

    def __init__(self, errors: list[GraphQLError]) -> None:
        self.errors = errors
        super().__init__(errors)


def prepare(
    schema: GraphQLSchema,
    token: TokenRecord,
    operation: Operation,
    kinds: Container[OperationType],
    limits: QueryLimits,
) -> Prepared:
    """Parse and validate an operation, and refuse what costs too much or isn't allowed.

    Texts that are sent again are looked up: they are parsed, measured and validated once.

    Args:
        kinds: those that are possible here.
        limits: how large it may be.

    Raises:
        RefusedError: it is not to be executed.
        HttpError: there is no such operation, or not here.
    """
    try:
        _check("characters", len(operation.query), limits.characters)
        document = _parse(operation.query, limits.tokens)
        kind = _choose(document, operation.name)
        _measure(operation.query, _numbers(operation.variables or {}), limits)
        if kind not in kinds:
            raise bad_request("Subscriptions go over the WebSocket at this path.")
        errors = _validate(schema, operation.query, limits.tokens)
        _note(operation.query)
    except GraphQLError as error:
        errors = [error]
    except RecursionError as error:
        errors = [GraphQLError(str(error), original_error=error)]
    if errors:
        raise RefusedError(errors)
    if kind is OperationType.MUTATION and token.permission is not Permission.ADMIN:
        raise RefusedError([ApiError("FORBIDDEN", "This token may only read.")])
    return Prepared(document, kind)


def is_remembered(query: str) -> bool:
    """Tell whether a text has been parsed and validated, and need not be once more."""
    return hash(query) in _noted


def _note(query: str) -> None:
    # So many different texts since the last time are all in the caches below.
    if len(_noted) >= _REMEMBERED:
        _noted.clear()
    _noted.add(hash(query))


@lru_cache(_REMEMBERED)
def _parse(query: str, most_tokens: int) -> DocumentNode:
    return parse(query, max_tokens=most_tokens)


@lru_cache(_REMEMBERED)
def _measure(query: str, numbers: frozenset[tuple[str, int | None]], limits: QueryLimits) -> None:
    check_size(_parse(query, limits.tokens), dict(numbers), limits)


@lru_cache(_REMEMBERED)
def _validate(schema: GraphQLSchema, query: str, most_tokens: int) -> list[GraphQLError]:
    return validate_document(schema, _parse(query, most_tokens), tuple(specified_rules))


def _numbers(variables: Mapping[str, object]) -> frozenset[tuple[str, int | None]]:
    """Pick out what a page's size may be; other variables don't change an operation's size."""
    return frozenset(
        (name, value) for name, value in variables.items() if isinstance(value, int | None)
    )


def _choose(document: DocumentNode, name: str | None) -> OperationType:
    """Find the operation to execute, and refuse to choose between several."""
    operations = [
        each for each in document.definitions if isinstance(each, OperationDefinitionNode)
    ]
    if name is None and len(operations) > 1:
        raise ApiError(
            "BAD_REQUEST", "The query has several operations; say in 'operationName' which to run."
        )
    for each in operations:
        if name is None or (each.name and each.name.value == name):
            return each.operation
    if name is None:
        raise bad_request("The query has no operation.")
    raise bad_request(f"The query has no operation named '{name}'.")


def check_size(
    document: DocumentNode, variables: Mapping[str, object], limits: QueryLimits
) -> None:
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
            _check("root fields", len(definition.selection_set.selections), limits.root_fields)
            given = {**_defaults(definition), **variables}
            _check_parts(_Ruler(fragments, given).measure(definition.selection_set), limits)
    unspread = _Ruler(fragments, variables)
    for fragment in fragments.values():
        _check_parts(unspread.measure(fragment.selection_set), limits)


def _check_parts(size: Size, limits: QueryLimits) -> None:
    _check("levels", size.depth, limits.depth)
    _check("fields", size.fields, limits.fields)
    _check("aliases", size.aliases, limits.aliases)
    _check_answer("objects", size.objects, limits.objects)
    _check_answer("values", size.values, limits.values)


def _check_answer(noun: str, number: int, limit: int) -> None:
    if number > limit:
        raise ApiError(
            "TOO_COMPLEX",
            f"The query may return {number:,} {noun}; {limit:,} are the most. "
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
        raise ApiError(
            "TOO_COMPLEX",
            f"The query has {number:,} {noun}; {limit:,} are the most. Ask in several requests.",
        )


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
            values=sum(size.values for size in sizes),
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
        pages = self._pages(node)
        own = 1 if node.selection_set and node.name.value not in _WRAPPERS else 0
        return Size(
            depth=inner.depth + 1,
            fields=inner.fields + 1,
            aliases=inner.aliases + (node.alias is not None),
            objects=pages * (own + inner.objects),
            values=1 + pages * inner.values,
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
