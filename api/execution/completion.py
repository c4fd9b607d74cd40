"""Completing the values of plain fields: all that one field has in a list of objects at once.

Each of these does what graphql-core does with good values, and raises an exception at odd ones.
"""

from __future__ import annotations

import datetime
import functools
from typing import TYPE_CHECKING, Any, TypeAlias

from graphql import GraphQLBoolean, GraphQLID, GraphQLString

from api.batch.objects import Lists, Objects

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import GraphQLScalarType

    from api.batch.objects import Items, Values
    from api.execution.plan import Wave

# Scalars whose values are sent as they are, and those that the scalar itself has to encode.
_TEXTS = (GraphQLString, GraphQLID)
_CODED = {
    "Int": int,
    "Float": float,
    "Date": datetime.date,
    "DateTime": datetime.datetime,
}


class OddError(Exception):
    """A value is not what a plain field holds."""


Completer: TypeAlias = "Callable[[Values, Wave], list[Any]]"


def nullable(complete: Completer) -> Completer:
    """Complete what is not null."""

    def convert(values: Values, wave: Wave) -> list[Any]:
        if not isinstance(values, list) or type(None) not in set(map(type, values)):
            return complete(values, wave)
        found = iter(complete([each for each in values if each is not None], wave))
        return [None if each is None else next(found) for each in values]

    return convert


def of_list(complete: Completer) -> Completer:
    """Complete lists; their items are completed together."""

    def convert(values: Values, wave: Wave) -> list[Any]:
        lists = values if isinstance(values, Lists) else Lists.of(_lists(values))
        return lists.part(complete(lists.items, wave))

    return convert


def of_objects(kind: type, complete: Callable[[Items, Wave], list[Any]]) -> Completer:
    """Complete objects of just this class."""

    def convert(values: Values, wave: Wave) -> list[Any]:
        if not isinstance(values, Objects):
            return complete(_check(values, kind), wave)
        if values.kind is not kind:
            raise OddError
        return complete(values, wave)

    return convert


@functools.cache
def of_scalar(type_: GraphQLScalarType) -> Completer | None:
    """Complete values of a scalar, if it is one of those known here."""
    if type_ in _TEXTS:
        return _text
    if type_ is GraphQLBoolean:
        return _coded(bool, None)
    kind = _CODED.get(type_.name)
    return kind and _coded(kind, type_.coerce_output_value)


def of_enum(kind: type, names: dict[Any, Any]) -> Completer:
    """Complete members of an enum."""
    return _coded(kind, names.__getitem__)


def _text(values: Values, wave: Wave) -> list[Any]:
    checked = _check(values, str)
    wave.characters += sum(map(len, checked))
    return checked


def _coded(kind: type, encode: Callable[[Any], Any] | None) -> Completer:
    def convert(values: Values, _: Wave) -> list[Any]:
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
