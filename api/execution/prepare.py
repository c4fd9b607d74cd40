"""Preparing operations: read, measured, validated, and refused unless they may be executed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLError,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    Visitor,
    parse,
    specified_rules,
    visit,
)
from strawberry.schema.schema import validate_document

from api.errors import ApiError, HttpError, bad_request
from api.execution.cost import LENGTHS, check_query, check_size
from models.app import Permission

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Mapping

    from graphql import GraphQLSchema

    from api.limits import QueryLimits
    from models.access import TokenRecord

_REMEMBERED = 256
_MOST_DIGITS = 1_000
# Mutations that viewers may use: what these links open, viewers can read anyway.
_FOR_VIEWERS = frozenset({"createDownload", "__typename"})
# Hashes, not texts: a text may have 100,000 characters. If two texts share a hash, one of them is
# merely parsed without waiting for its turn.
_remembered: set[int] = set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A GraphQL request, of which only the form has been checked.

    Args:
        query: the document's text.
        variables: by name, as JSON.
        name: which operation of the document to execute; None if it has only one.
        wants_cost: whether the answer is to say what the operation costs.
    """

    query: str
    variables: dict[str, Any] | None
    name: str | None
    wants_cost: bool = False


def to_operation(body: object) -> Operation:
    """Check the form of a request, which is parsed JSON.

    Raises:
        HttpError: it does not have the form of a GraphQL request.
    """
    if isinstance(body, list):
        raise bad_request("Batches are not supported: send one operation a request.")
    if not isinstance(body, dict):
        raise bad_request("The request has to be a JSON object.")
    query, variables, name = body.get("query"), body.get("variables"), body.get("operationName")
    if not isinstance(query, str) or not query.strip():
        raise bad_request("'query' has to be the text of a GraphQL document.")
    if not isinstance(variables, dict | None):
        raise bad_request("'variables' has to be an object.")
    if not isinstance(name, str | None):
        raise bad_request("'operationName' has to be text.")
    extensions = body.get("extensions")
    if not isinstance(extensions, dict | None):
        raise bad_request("'extensions' has to be an object.")
    wants_cost = (extensions or {}).get("cost") is True
    return Operation(query=query, variables=variables, name=name or None, wants_cost=wants_cost)


class PreparedOperation(NamedTuple):
    """An operation that may be executed."""

    document: DocumentNode
    kind: OperationType
    # How many it may return.
    values: int


class OperationRefusedError(Exception):
    """An operation is not executed; the errors tell the client why not."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        self.errors = errors
        super().__init__(errors)


def prepare(
    schema: GraphQLSchema,
    token: TokenRecord,
    operation: Operation,
    kinds: Container[OperationType],
    limits: QueryLimits,
) -> PreparedOperation:
    """Parse and validate an operation, and refuse what costs too much or isn't allowed.

    A text that was sent before is looked up, instead of parsed, measured and validated again.

    Args:
        kinds: the kinds of operations that the caller executes.

    Raises:
        OperationRefusedError: it is not to be executed.
        HttpError: there is no such operation, or not here.
    """
    try:
        check_query("characters", len(operation.query), limits.characters)
        document = _parse_text(operation.query, limits.tokens)
        kind = _find_kind(document, operation.name)
        names = _length_variables(operation.query, limits.tokens)
        numbers = _numbers(operation.variables or {}, names)
        values = _measure_values(schema, operation.query, numbers, limits)
        if kind not in kinds:
            raise _wrong_kind(kinds)
        # Last: it compares fields with one another, so it takes longer, the larger these sizes are.
        errors = _validate_text(schema, operation.query, limits.tokens)
        # The caches below hold as many texts: all that came since the set was last cleared.
        if len(_remembered) >= _REMEMBERED:
            _remembered.clear()
        _remembered.add(hash(operation.query))
    except GraphQLError as error:
        errors = [error]
    except RecursionError as error:
        errors = [GraphQLError(str(error), original_error=error)]
    if errors:
        raise OperationRefusedError(errors)
    # Not cached: texts are remembered for all tokens.
    is_viewer = token.permission is not Permission.ADMIN
    if (
        kind is OperationType.MUTATION
        and is_viewer
        and not _is_for_viewers(document, operation.name)
    ):
        raise OperationRefusedError([ApiError("FORBIDDEN", "This token may only read.")])
    return PreparedOperation(document, kind, values)


def _is_for_viewers(document: DocumentNode, name: str | None) -> bool:
    """Tell whether an operation has only mutations that change nothing of the app."""
    fields = [
        field
        for each in document.definitions
        if isinstance(each, OperationDefinitionNode) and _is_named(each, name)
        for field in each.selection_set.selections
    ]
    return all(isinstance(each, FieldNode) and each.name.value in _FOR_VIEWERS for each in fields)


def _wrong_kind(kinds: Container[OperationType]) -> HttpError:
    if OperationType.MUTATION in kinds:
        return bad_request("Subscriptions go over the WebSocket at this path.")
    return HttpError(
        405,
        "METHOD_NOT_ALLOWED",
        "GET is for queries: send mutations by POST, and subscriptions over the WebSocket here.",
        {"Allow": "POST"},
    )


def is_remembered(query: str) -> bool:
    """Tell whether a text was parsed and validated before, so that preparing it is quick."""
    return hash(query) in _remembered


@lru_cache(_REMEMBERED)
def _parse_text(query: str, most_tokens: int) -> DocumentNode:
    return parse(query, max_tokens=most_tokens)


@lru_cache(_REMEMBERED)
def _measure_values(
    schema: GraphQLSchema,
    query: str,
    numbers: frozenset[tuple[str, int | None]],
    limits: QueryLimits,
) -> int:
    return check_size(schema, _parse_text(query, limits.tokens), dict(numbers), limits)


@lru_cache(_REMEMBERED)
def _validate_text(schema: GraphQLSchema, query: str, most_tokens: int) -> list[GraphQLError]:
    return validate_document(schema, _parse_text(query, most_tokens), tuple(specified_rules))


@lru_cache(_REMEMBERED)
def _length_variables(query: str, most_tokens: int) -> Collection[str]:
    """Return the names of the variables that set how many objects fields return.

    Raises:
        ApiError: a number is too long.
    """
    finder = _LengthVariables()
    visit(_parse_text(query, most_tokens), finder)
    return finder.names


class _LengthVariables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_argument(self, node: ArgumentNode, *_: object) -> None:
        if node.name.value in LENGTHS and isinstance(node.value, VariableNode):
            self.names.add(node.value.name.value)

    def enter_int_value(self, node: IntValueNode, *_: object) -> None:
        # Validation would read it, and Python raises an exception at more than 4,300 digits.
        if len(node.value) > _MOST_DIGITS:
            message = f"The query has a number of more than {_MOST_DIGITS:,} digits."
            raise ApiError("BAD_REQUEST", message)


def _numbers(
    variables: Mapping[str, object], names: Collection[str]
) -> frozenset[tuple[str, int | None]]:
    """Pick out the lengths of pages and lists; other variables don't change an operation's size.

    `100.0` is one, too: GraphQL accepts it as an Int.
    """
    found = [(name, variables[name]) for name in names if name in variables]
    sizes = [(name, len(each) if isinstance(each, list) else each) for name, each in found]
    return frozenset(
        (name, None if size is None else int(size))
        for name, size in sizes
        if isinstance(size, int | None) or (isinstance(size, float) and size.is_integer())
    )


def _find_kind(document: DocumentNode, name: str | None) -> OperationType:
    """Return the kind of the operation to execute; of several, a name has to choose one."""
    kinds = [
        each.operation
        for each in document.definitions
        if isinstance(each, OperationDefinitionNode) and _is_named(each, name)
    ]
    if name is None and len(kinds) > 1:
        raise ApiError(
            "BAD_REQUEST", "The query has several operations; say in 'operationName' which to run."
        )
    if not kinds:
        wanted = "" if name is None else f" named '{name}'"
        raise bad_request(f"The query has no operation{wanted}.")
    return kinds[0]


def _is_named(operation: OperationDefinitionNode, name: str | None) -> bool:
    return name is None or (operation.name is not None and operation.name.value == name)
