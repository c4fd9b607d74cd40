"""The change that takes back what an import has made of a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from importers.sdk.changes import Applied
from importers.sdk.errors import RowError
from importers.sdk.records.record_change import Fate, RecordChange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from importers.sdk.changes import Difference
    from importers.sdk.entities import Case, User
    from importers.sdk.records.declaration import TableDeclaration

_IS_SO = Applied("UNCHANGED", "is so already")
_CHANGED = "the {noun} is not as the import has left it, and stays as it is."
_LOST_FIELD = "the {noun} has no field '{field}' any more, so it can't be put back."
_NEW_FIELD = "the {noun} needs the field '{field}' by now, so it can't be put back."


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreRecord(RecordChange):
    """Give a record the values back that it had, remove one that was new, or bring one back.

    Args:
        of: its table.
        key: its key, by fields.
        before: its values before the import, by columns; None if the import has created it.
        after: what the import has left; None if it has removed the record.
    """

    of: TableDeclaration
    key: Mapping[str, Any]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def _declaration(self) -> TableDeclaration:
        """The table."""
        return self.of

    @property
    def _given(self) -> Mapping[str, Any]:
        """The key."""
        return self.key

    def _decide(self, stored: Mapping[str, Any] | None) -> Fate:
        """Put back what is as the import has left it."""
        before, after = self.before, self.after
        if before is None:
            if stored is None:
                return Fate(_IS_SO)
            return self._removed(stored) if _holds(after, stored) else self._kept()
        if stored is None:
            return self._created({**self._values, **before}) if after is None else self._kept()
        if _holds(before, stored):
            return Fate(_IS_SO, stored)
        return self._updated(stored, before) if _holds(after, stored) else self._kept()

    def _kept(self) -> Fate:
        return self._refused("CHANGED_SINCE", _CHANGED)


def _holds(side: Mapping[str, Any] | None, stored: Mapping[str, Any]) -> bool:
    """Tell whether a stored record has these values; that there is none, it does not."""
    return side is not None and all(stored[column] == value for column, value in side.items())


def restoring(
    table: TableDeclaration, difference: Difference, case: Case | None, user: User | None
) -> RestoreRecord:
    """Make the change that takes back what another one has made of a record.

    Args:
        case: the case that the difference names, for validators.
        user: likewise.

    Raises:
        RowError: the table has other fields by now.
    """
    named = {"case_id": difference.case_id, "user_id": difference.user_id}
    referred = {column: named[name] for name, column in table.referring.items()}
    before, after = difference.before, difference.after
    old = None if before is None else _side_of(table, before, is_whole=after is None)
    new = None if after is None else _side_of(table, after, is_whole=before is None)
    known = {**referred, **(new or {}), **(old or {})}
    needed = table.fields if after is None else [field.column for field in table.key]
    for column in needed:
        if known.get(column) is None and column not in table.blank:
            raise RowError(None, "NOT_REVERSIBLE", _NEW_FIELD, noun=table.noun, field=column)
    entities = {table.referring.get("case_id"): case, table.referring.get("user_id"): user}
    key = {field.name: entities.get(field.column) or known[field.column] for field in table.key}
    return RestoreRecord(of=table, key=key, before=old, after=new)


def _side_of(
    table: TableDeclaration, side: Mapping[str, Any], *, is_whole: bool
) -> Mapping[str, Any]:
    """Read one side of a difference; what that of a whole record does not name was None."""
    known: dict[str, Any] = {}
    for column, plain in side.items():
        if column not in table.fields:
            raise RowError(None, "NOT_REVERSIBLE", _LOST_FIELD, noun=table.noun, field=column)
        known[column] = table.fields[column].parsed(plain)
    return {**table.blank, **known} if is_whole else known
