"""Completing the values of plain fields: all that one field has in a list of objects at once.

Each of these does what graphql-core does with good values, and raises an exception at odd ones.
"""

from __future__ import annotations

import datetime
import functools
from typing import TYPE_CHECKING, Any, TypeAlias

from graphql import GraphQLBoolean, GraphQLID, GraphQLString

from api.objects import Lists, Objects

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import GraphQLScalarType

    from api.objects import Items, Values
    from api.plan import Late

# Scalars whose values are sent as they are, and those that the scalar itself has to encode.
_KEPT = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}
_CODED = {
    "Int": int,
    "Float": float,
    "Date": datetime.date,
    "DateTime": datetime.datetime,
}


class OddError(Exception):
    """A value is not what a plain field holds."""


Completer: TypeAlias = "Callable[[Values, list[Late]], list[Any]]"


def nullable(complete: Completer) -> Completer:
    """Complete what is not null."""

    def convert(values: Values, late: list[Late]) -> list[Any]:
        if not isinstance(values, list) or type(None) not in set(map(type, values)):
            return complete(values, late)
        found = iter(complete([each for each in values if each is not None], late))
        return [None if each is None else next(found) for each in values]

    return convert


def of_list(complete: Completer) -> Completer:
    """Complete lists; their items are completed together."""

    def convert(values: Values, late: list[Late]) -> list[Any]:
        lists = values if isinstance(values, Lists) else Lists.of(_lists(values))
        return lists.part(complete(lists.items, late))

    return convert


def of_objects(kind: type, complete: Callable[[Items, list[Late]], list[Any]]) -> Completer:
    """Complete objects of just this class."""

    def convert(values: Values, late: list[Late]) -> list[Any]:
        if not isinstance(values, Objects):
            return complete(_check(values, kind), late)
        if values.kind is not kind:
            raise OddError
        return complete(values, late)

    return convert


@functools.cache
def of_scalar(type_: GraphQLScalarType) -> Completer | None:
    """Complete values of a scalar, if it is one of those known here."""
    if type_ in _KEPT:
        return _coded(_KEPT[type_], None)
    kind = _CODED.get(type_.name)
    return kind and _coded(kind, type_.coerce_output_value)


def of_enum(kind: type, names: dict[Any, Any]) -> Completer:
    """Complete members of an enum."""
    return _coded(kind, names.__getitem__)


def _coded(kind: type, encode: Callable[[Any], Any] | None) -> Completer:
    def convert(values: Values, _: list[Late]) -> list[Any]:
        checked = _check(values, kind)
        return list(map(encode, checked)) if encode else checked

    return convert


def _check(values: Values, kind: type) -> list[Any]:
    if not isinstance(values, list) or not set(map(type, values)) <= {kind}:
        raise OddError
    return values


def _lists(values: Values) -> list[Any]:
    if not isinstance(values, list):
        raise OddError
    if not all(type(each) is list or isinstance(each, Objects) for each in values):
        raise OddError
    return values
