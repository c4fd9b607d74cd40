"""What a row can ask for of a record: to be set, added, modified or removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from importers.sdk.changes import Applied
from importers.sdk.records.record_change import Fate, RecordChange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from importers.sdk.records.declaration import TableDeclaration
    from importers.sdk.records.record import Record

_EXISTS = "there is another {noun} with this key already."
_MISSING = "there is no such {noun}."
_WAS_NOT_THERE = Applied("UNCHANGED", "was not there")


class _WholeRecord(RecordChange):
    """A change that gives a record with all of its fields."""

    __slots__ = ()

    record: Record

    @property
    def _declaration(self) -> TableDeclaration:
        return self.record._declaration

    @property
    def _given(self) -> Mapping[str, Any]:
        return vars(self.record)


@dataclass(frozen=True, slots=True)
class SetRecord(_WholeRecord):
    """Store a record, whether or not there is one with its key; nothing changes if it is the same.

    Args:
        record: the record, whole.

    Example:
        >>> class DeskOwner(Record, table="acme_desk_owners", key="desk"):
        ...     desk: str
        ...     owner: User
        >>> def change(self, row):
        ...     return SetRecord(DeskOwner(desk=row.desk, owner=row.person))
    """

    record: Record

    def _decide(self, stored: Mapping[str, Any] | None) -> Fate:
        """Create the record, or give it its values."""
        values = self._values
        return self._created(values) if stored is None else self._updated(stored, values)


@dataclass(frozen=True, slots=True)
class AddRecord(_WholeRecord):
    """Create a record; nothing changes if there is the same, and a row with other values fails.

    Args:
        record: the record, whole.

    Example:
        >>> class Parking(Record, table="acme_parking", key="place"):
        ...     place: str
        ...     owner: User
        >>> def change(self, row):
        ...     return AddRecord(Parking(place=row.place, owner=row.person))
    """

    record: Record

    @property
    def taken(self) -> Mapping[str, tuple[str, str]]:  # type: ignore[override]
        """The field of the key, if there is one alone, on which a second row for it fails."""
        declaration = self._declaration
        if len(declaration.key) > 1:
            return {}
        return {declaration.noun: (declaration.key[0].name, "RECORD_EXISTS")}

    def _decide(self, stored: Mapping[str, Any] | None) -> Fate:
        """Create the record, unless there is one."""
        if stored is None:
            return self._created(self._values)
        if self._values == stored:
            return Fate(Applied("UNCHANGED"), stored)
        return self._refused("RECORD_EXISTS", _EXISTS)


class _NamedRecord(RecordChange):
    """A change that names a record by its key, and perhaps some of its values."""

    __slots__ = ()

    _has_key_alone: ClassVar[bool] = False

    record: type[Record]
    fields: Mapping[str, Any]

    def __init__(self, record: type[Record], /, **fields: Any) -> None:
        object.__setattr__(self, "record", record)
        object.__setattr__(self, "fields", fields)
        known = {field.name: field for field in record._declaration.fields.values()}
        for name, value in fields.items():
            if name not in known:
                raise TypeError(f"{record.__name__} has no field {name!r}")
            known[name].check(value)
        if self._has_key_alone and len(fields) > len(record._declaration.key):
            raise TypeError(f"{type(self).__name__} takes the key of {record.__name__} alone")
        for field in record._declaration.key:
            if field.name not in fields:
                raise TypeError(f"{type(self).__name__} needs the key of {record.__name__}")

    @property
    def _declaration(self) -> TableDeclaration:
        """The table."""
        return self.record._declaration

    @property
    def _given(self) -> Mapping[str, Any]:
        """The fields that it names."""
        return self.fields


@dataclass(frozen=True, slots=True, init=False)
class ModifyRecord(_NamedRecord):
    """Change the fields of a record that are named; fails if there is no such record.

    Args:
        record: the class of the record.
        fields: its key, and what it is to have; fields that are not named keep what they have.

    Example:
        >>> class Locker(Record, table="acme_lockers", key="number"):
        ...     number: int
        ...     owner: User | None = None
        >>> def change(self, row):
        ...     return ModifyRecord(Locker, number=row.locker, owner=None)
    """

    record: type[Record]
    fields: Mapping[str, Any]

    def _decide(self, stored: Mapping[str, Any] | None) -> Fate:
        """Give the record its values."""
        if stored is None:
            return self._refused("RECORD_MISSING", _MISSING)
        return self._updated(stored, self._values)


@dataclass(frozen=True, slots=True, init=False)
class RemoveRecord(_NamedRecord):
    """Remove a record by its key; changes nothing when it is not there.

    Args:
        record: the class of the record.
        fields: its key.

    Example:
        >>> class Badge(Record, table="acme_badges", key="owner"):
        ...     owner: User
        ...     number: int
        >>> def change(self, row):
        ...     return RemoveRecord(Badge, owner=row.person)
    """

    _has_key_alone: ClassVar[bool] = True

    record: type[Record]
    fields: Mapping[str, Any]

    def _decide(self, stored: Mapping[str, Any] | None) -> Fate:
        """Remove the record."""
        return Fate(_WAS_NOT_THERE) if stored is None else self._removed(stored)
