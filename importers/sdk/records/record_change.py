"""The change of one record: decided by what is stored, and written with those of others."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from importers.sdk.changes import Applied, Difference, OwnChange, Refused
from importers.sdk.errors import RowError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from importers.sdk.changes import Intent, Key, Transaction
    from importers.sdk.records.declaration import TableDeclaration

Values = dict[str, Any]
"""Values of a record by their columns, as these have them."""


class Fate(NamedTuple):
    """What becomes of a change of a record.

    Args:
        record: the record as it is then; None if there is none.
    """

    answer: Applied | Refused
    record: Mapping[str, Any] | None = None

    @property
    def outcome(self) -> str | None:
        """What it does to the table; None if it is refused."""
        return self.answer.outcome if isinstance(self.answer, Applied) else None


class RecordChange(OwnChange):
    """A change of one record of a plugin's own table, which its key tells from others.

    What becomes of it is a function of the stored record, so that it is the same in a test without
    a database.
    """

    __slots__ = ()

    @property
    def _declaration(self) -> TableDeclaration:
        """The table."""
        raise NotImplementedError

    @property
    def _given(self) -> Mapping[str, Any]:
        """What the change says, by fields, the key among them."""
        raise NotImplementedError

    def _decide(self, stored: Mapping[str, Any] | None) -> Fate:
        """Say what becomes of it, given the stored record, or None if there is none."""
        raise NotImplementedError

    @classmethod
    def _carrier(cls) -> type[OwnChange]:
        # All kinds together: if each locked its own records, two imports could deadlock.
        return RecordChange

    @property
    def _origin(self) -> type:
        return self._declaration.record

    @property
    def _values(self) -> Values:
        """What the change says, as columns have it."""
        given = self._given
        return {
            column: field.stored(given[field.name])
            for column, field in self._declaration.fields.items()
            if field.name in given
        }

    @property
    def _record_key(self) -> tuple[Any, ...]:
        """The key of the record, as its columns have it."""
        given = self._given
        return tuple([field.stored(given[field.name]) for field in self._declaration.key])

    @property
    def keys(self) -> Sequence[Key]:
        """The record, by its key."""
        declaration = self._declaration
        values = zip(declaration.key, self._record_key, strict=True)
        return ((declaration.noun, *(field.comparable(value) for field, value in values)),)

    def wish(self) -> Intent:
        """Return what is asked for, of each field; which these are, if they are not all."""
        fields, values = self._declaration.fields, self._values
        names = values if len(values) < len(fields) else ()
        said = [fields[column].comparable(value) for column, value in values.items()]
        return (type(self).__name__, *names, *said)

    def __getattr__(self, name: str) -> Any:
        """Return a field of the record; `case` and `user` also by what they are.

        So validators find what a change is about, and name the field that they refuse.
        """
        if name.startswith("_") or name in type(self).__slots__:
            raise AttributeError(name)
        given = self._given
        if name in given:
            return given[name]
        for field in self._declaration.fields.values():
            if field.type.__name__.lower() == name and field.name in given:
                return given[field.name]
        raise AttributeError(f"{type(self).__name__} of {self._declaration.noun} has no {name!r}")

    @classmethod
    async def apply(
        cls, changes: Sequence[Self], transaction: Transaction
    ) -> list[Applied | Refused]:
        """Lock the records in the order of their keys, and write what is to be written."""
        by_table: dict[TableDeclaration, list[int]] = defaultdict(list)
        for place, change in enumerate(changes):
            by_table[change._declaration].append(place)
        answers: dict[int, Applied | Refused] = {}
        for table, places in sorted(by_table.items(), key=lambda each: each[0].name):
            found = await _carry_out(table, [changes[place] for place in places], transaction)
            answers.update(zip(places, found, strict=True))
        return [answers[place] for place in range(len(changes))]

    def _created(self, values: Mapping[str, Any]) -> Fate:
        """Say that the record is created."""
        fields = self._declaration.fields
        if len(values) < len(fields):
            values = {**self._declaration.blank, **values}
        record = {column: values[column] for column in fields}
        # What is None says nothing of a new record.
        known = [column for column, value in record.items() if value is not None]
        difference = self._difference(None, self._declaration.side(record, known), record)
        return Fate(Applied("CREATED", difference=difference), record)

    def _updated(self, stored: Mapping[str, Any], values: Mapping[str, Any]) -> Fate:
        """Say that the record gets other values, unless it has them already."""
        changed = [column for column, value in values.items() if stored[column] != value]
        if not changed:
            return Fate(Applied("UNCHANGED"), stored)
        record = {**stored, **values}
        before, after = (self._declaration.side(side, changed) for side in (stored, record))
        return Fate(Applied("UPDATED", difference=self._difference(before, after, record)), record)

    def _removed(self, stored: Mapping[str, Any]) -> Fate:
        """Say that the record is removed."""
        known = [column for column, value in stored.items() if value is not None]
        difference = self._difference(self._declaration.side(stored, known), None, stored)
        return Fate(Applied("REMOVED", difference=difference))

    def _refused(self, code: str, template: str, **params: Any) -> Fate:
        """Say why the change can't be made: on the column of the key, if one field makes it."""
        key = self._declaration.key
        at_fault = self._given[key[0].name] if len(key) == 1 else None
        error = RowError(None, code, template, noun=self._declaration.noun, **params)
        return Fate(Refused(((at_fault, error),)))

    def _difference(
        self,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
        record: Mapping[str, Any],
    ) -> Difference:
        named = {name: record[column] for name, column in self._declaration.referring.items()}
        return Difference(before=before, after=after, **named)


async def _carry_out(
    declaration: TableDeclaration, changes: Sequence[RecordChange], transaction: Transaction
) -> list[Applied | Refused]:
    """Carry out the changes of one table's records."""
    from models.own_records import lock_records, write_records  # noqa: PLC0415

    db, app_id, table = transaction.db, transaction.app_id, declaration.own_table
    keys = [change._record_key for change in changes]
    stored = await lock_records(db, app_id, table, keys)
    answers, written = [], []
    for change, key in zip(changes, keys, strict=True):
        fate = change._decide(stored.get(key))
        answers.append(fate.answer)
        if fate.outcome not in (None, "UNCHANGED"):
            written.append((fate.outcome, fate.record or stored[key]))
    await write_records(db, app_id, table, written)
    return answers
