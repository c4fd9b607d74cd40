"""Records of plugins' own tables in memory, in place of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from importers.sdk.changes import Applied, Refused
    from importers.sdk.records.record import Record
    from importers.sdk.records.record_change import RecordChange

Key = tuple[Any, ...]


class MemoryRecords:
    """The records of a world, as they are changed.

    Args:
        records: those that are there before the import.
        tables: what the plugin declares; changes of other tables fail, as in the database.
    """

    def __init__(self, records: Sequence[Record], tables: Sequence[type[Record]]) -> None:
        self._tables = {record._declaration.name for record in tables}
        self._stored: dict[tuple[str, Key], Mapping[str, Any]] = {}
        for record in records:
            declaration = record._declaration
            fields = declaration.fields.values()
            values = {field.column: field.stored(getattr(record, field.name)) for field in fields}
            key = tuple([values[field.column] for field in declaration.key])
            self._stored[declaration.name, key] = values

    def copy(self) -> dict[tuple[str, Key], Mapping[str, Any]]:
        """Return all records, to be put back by `restore`."""
        return dict(self._stored)

    def restore(self, stored: Mapping[tuple[str, Key], Mapping[str, Any]]) -> None:
        """Put back what `copy` has returned."""
        self._stored = dict(stored)

    def carry_out(self, changes: Sequence[RecordChange]) -> list[Applied | Refused]:
        """Carry changes out, no two of which are about the same record."""
        return [self._carry_out(change) for change in changes]

    def _carry_out(self, change: RecordChange) -> Applied | Refused:
        declaration = change._declaration
        if declaration.name not in self._tables:
            name = declaration.record.__name__
            raise LookupError(f"the plugin has to list {name} in its tables")
        place = declaration.name, change._record_key
        fate = change._decide(self._stored.get(place))
        if fate.outcome == "REMOVED":
            del self._stored[place]
        elif fate.outcome in ("CREATED", "UPDATED") and fate.record:
            self._stored[place] = fate.record
        return fate.answer
