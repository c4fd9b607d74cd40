"""How to execute a selection: the fields that are plain, and the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphql import GraphQLField
    from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet

    from api.batch.batch_field import Selected, Together
    from api.batch.objects import Items, Values
    from api.execution.completion import Completer


class Attribute(NamedTuple):
    """A field that is there: how to get its values, and how to complete them."""

    name: str
    get: Callable[[Items], Values]
    complete: Completer
    selected: Selected

    def column(self, objects: Items, wave: Wave) -> list[Any]:
        """Return the field of each object."""
        return self.complete(self.get(objects), wave)


class Loaded(NamedTuple):
    """A field that is loaded for many objects together."""

    name: str
    field: GraphQLField
    details: FieldDetailsList
    together: Together
    complete: Completer
    selected_of_each: Selected

    @property
    def selected(self) -> Selected:
        """What the field needs of the objects."""
        return {name: {} for name in self.together.needs}

    def column(self, objects: Items, _: Wave) -> list[Any]:
        """Keep places for what comes later."""
        return [None] * len(objects)


class Late(NamedTuple):
    """A field that is to be loaded for some objects, and put into their results."""

    field: Loaded
    objects: Items
    results: list[dict[str, Any]]

    def fill(self, values: Values, wave: Wave) -> None:
        """Complete what was loaded."""
        completed = self.field.complete(values, wave)
        for result, value in zip(self.results, completed, strict=True):
            result[self.field.name] = value


class Wave(list[Late]):
    """Fields that are to be loaded next.

    Attributes:
        characters: of the texts that were read while they were found.
    """

    characters = 0


class SelectionPlan:
    """How to execute a selection on objects of one type.

    Args:
        fields: the plain ones.
        rest: those that are for graphql-core.
    """

    def __init__(self, fields: Sequence[Attribute | Loaded], rest: GroupedFieldSet) -> None:
        self.fields = fields
        self.rest = rest
        self._names = [field.name for field in fields]
        self._loaded = [field for field in fields if isinstance(field, Loaded)]

    @property
    def selected(self) -> Selected:
        """The attributes that the plain fields read."""
        found: dict[str, Any] = {}
        for field in self.fields:
            for name, inner in field.selected.items():
                found[name] = _merged(found.get(name, {}), inner)
        return found

    def read(self, objects: Items, wave: Wave) -> list[Any]:
        """Read the plain fields of objects; those to be loaded are added to the wave.

        Raises:
            Exception: a value is odd.
        """
        if not self.fields:
            return [{} for _ in range(len(objects))]
        columns = [field.column(objects, wave) for field in self.fields]
        results = _dicts(self._names, columns)
        if results:
            wave += [Late(field, objects, results) for field in self._loaded]
        return results


def _dicts(names: Sequence[str], columns: Sequence[list[Any]]) -> list[dict[str, Any]]:
    """Turn columns into rows; short ones, as edges have, are made in a third of the time."""
    if len(names) == 1:
        [name] = names
        return [{name: value} for value in columns[0]]
    return [dict(zip(names, row)) for row in zip(*columns, strict=True)]  # noqa: B905 - quicker


def _merged(one: Selected, other: Selected) -> Selected:
    """Merge what two fields with different aliases select."""
    return {
        name: _merged(one.get(name, {}), other.get(name, {})) for name in one.keys() | other.keys()
    }
