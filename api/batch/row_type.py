"""Types whose objects are made of database rows, read column by column."""

from __future__ import annotations

import dataclasses
from functools import lru_cache, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast

from api.batch.objects import Objects
from importers.sdk.node_id import encode_node_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from asyncpg import Record

    from api.batch.objects import Selected, Values

T_co = TypeVar("T_co", covariant=True)

_IDS_KEPT = 8_192


class RowColumn(NamedTuple):
    """An attribute that is made of some columns.

    Args:
        names: the columns.
        convert: makes the attribute of their values; by default it is the value of the only one.

    Example:
        >>> RowColumn(("is_active",), lambda active: "ACTIVE" if active else "CLOSED")
    """

    names: tuple[str, ...]
    convert: Callable[..., Any] | None = None

    def read(self, rows: Sequence[Record], prefix: str) -> Values:
        # Loops in C: without `convert`, no Python code runs for each row.
        columns = [map(itemgetter(prefix + name), rows) for name in self.names]
        return list(map(self.convert, *columns) if self.convert else columns[0])

    def columns(self, prefix: str, _: Selected | None) -> frozenset[str]:
        return frozenset(prefix + name for name in self.names)


class Part(NamedTuple):
    """An attribute that is an object of the same row.

    Args:
        type: its type.
        prefix: what the names of its columns begin with, `case_` in `case_about`.
    """

    type: RowType[Any]
    prefix: str

    def read(self, rows: Sequence[Record], prefix: str) -> Values:
        return self.type.objects(rows, prefix + self.prefix)

    def columns(self, prefix: str, selected: Selected | None) -> frozenset[str]:
        """Return the columns that hold what is selected of the object."""
        return self.type.columns(prefix + self.prefix, selected)


class RowType(Generic[T_co]):
    """How objects of a type are made of rows.

    Whatever attribute the type has is read from the column of its name, unless `sources` says
    otherwise, and all of these columns are what statements select.

    Args:
        kind: the type, a dataclass.
        sources: of attributes that are not simply the column with their name.
    """

    def __init__(self, kind: type[T_co], /, **sources: RowColumn | Part) -> None:
        self.kind = kind
        names = [field.name for field in dataclasses.fields(cast("Any", kind)) if field.init]
        self.sources: Mapping[str, RowColumn | Part] = {
            name: sources.get(name) or RowColumn((name,)) for name in names
        }

    def object(self, row: Record) -> T_co:
        return cast("T_co", next(iter(self.objects([row]))))

    def objects(self, rows: Sequence[Record], prefix: str = "") -> RowObjects:
        """Return the objects of rows whose columns begin with a prefix."""
        return RowObjects(self, rows, prefix)

    def columns(self, prefix: str = "", selected: Selected | None = None) -> frozenset[str]:
        """Return the columns that hold what is selected of the objects, by default everything."""
        wanted = dict.fromkeys(self.sources) if selected is None else selected
        found = (self.sources[name].columns(prefix, inner) for name, inner in wanted.items())
        return frozenset().union(*found)


class RowObjects(Objects):
    def __init__(self, type_: RowType[Any], rows: Sequence[Record], prefix: str) -> None:
        super().__init__(type_.kind)
        self._type = type_
        self._rows = rows
        self._prefix = prefix

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Any]:
        sources = self._type.sources
        for values in zip(*map(self.read, sources), strict=True):
            yield self.kind(**dict(zip(sources, values, strict=True)))

    def read(self, attribute: str) -> Values:
        return self._type.sources[attribute].read(self._rows, self._prefix)


def node_id(kind: str) -> RowColumn:
    # The same users stand in many lists; an ID takes about 200 bytes.
    return RowColumn(("id",), lru_cache(_IDS_KEPT)(partial(encode_node_id, kind)))
