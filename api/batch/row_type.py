"""Types whose objects are made of database rows, read column by column."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast

from api.batch.objects import Objects
from importers.sdk.node_id import encode_node_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from asyncpg import Record

    from api.batch.objects import Selected, Values

T_co = TypeVar("T_co", covariant=True)

_IDS_KEPT = 8_192  # of about 200 bytes each


class Columns:
    """The columns of rows, by name.

    Args:
        size: how many rows there are; if there are none, nor need there be columns.
    """

    def __init__(self, by_name: Mapping[str, list[Any]], size: int) -> None:
        self.size = size
        self._by_name = by_name

    @classmethod
    def of(cls, rows: Sequence[Record]) -> Columns:
        """Take rows apart: in C, all columns in the time of two look-ups by name in each row."""
        columns = map(list, zip(*rows, strict=True))
        return cls(dict(zip(rows[0].keys(), columns, strict=True)) if rows else {}, len(rows))

    def read(self, name: str) -> list[Any]:
        return self._by_name[name] if self.size else []

    def part(self, begin: int, end: int) -> Columns:
        """Return the columns of some of the rows."""
        if (begin, end) == (0, self.size):
            return self
        by_name = {name: values[begin:end] for name, values in self._by_name.items()}
        return Columns(by_name, end - begin)


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

    def read(self, columns: Columns, prefix: str) -> Values:
        values = [columns.read(prefix + name) for name in self.names]
        return list(map(self.convert, *values)) if self.convert else values[0]

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

    def read(self, columns: Columns, prefix: str) -> Values:
        return RowObjects(self.type, columns, prefix + self.prefix)

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

    def objects(self, rows: Sequence[Record]) -> RowObjects:
        return RowObjects(self, Columns.of(rows))

    def columns(self, prefix: str = "", selected: Selected | None = None) -> frozenset[str]:
        """Return the columns that hold what is selected of the objects, by default everything."""
        wanted = dict.fromkeys(self.sources) if selected is None else selected
        found = (self.sources[name].columns(prefix, inner) for name, inner in wanted.items())
        return frozenset().union(*found)


class RowObjects(Objects):
    """The objects of rows whose columns begin with a prefix."""

    def __init__(self, type_: RowType[Any], columns: Columns, prefix: str = "") -> None:
        super().__init__(type_.kind)
        self.columns = columns
        self._type = type_
        self._prefix = prefix

    def __len__(self) -> int:
        return self.columns.size

    def __iter__(self) -> Iterator[Any]:
        sources = self._type.sources
        for values in zip(*map(self.read, sources), strict=True):
            yield self.kind(**dict(zip(sources, values, strict=True)))

    def read(self, attribute: str) -> Values:
        return self._type.sources[attribute].read(self.columns, self._prefix)


class _NodeIds(dict[int, str]):
    """The IDs of a type's nodes by primary key, kept as the same users stand in many lists.

    A look-up takes half the time of one in `lru_cache`, which notes what was used last.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind

    def __missing__(self, key: int) -> str:
        if len(self) >= _IDS_KEPT:
            self.clear()
        made = self[key] = encode_node_id(self._kind, key)
        return made


def node_id(kind: str) -> RowColumn:
    return RowColumn(("id",), _NodeIds(kind).__getitem__)
