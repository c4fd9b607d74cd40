"""The importer of imports that undo others; it takes no uploads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from importers.sdk.changes import Difference, Restore
from importers.sdk.columns import Column, Flag
from importers.sdk.errors import RowError
from importers.sdk.importer import EveryRow, Importer
from importers.sdk.ready_columns.choice import Choice
from importers.sdk.references import CaseRef, RoleRef, UserRef
from importers.undo.origin import find_inverter
from importers.undo.restore_entity import RestoreEntity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from importers.sdk.changes import Change, OwnChange
    from importers.sdk.row import Row

UNDO = "undo"
# All fields of a case or a user, as JSON, each as long as a cell of another file may be.
_LONGEST = 1_000_000
_RESTORE = EveryRow(
    Restore,  # type: ignore[arg-type]
    case="case_id",
    user="user_id",
    role="case_role_id",
    notify="case_notify",
    present_role="present_role_id",
    present_notify="present_notify",
)
_NOT_TOLD = "The change is one of a plugin's own, which does not say how to undo it."
_NOT_LOADED = (
    "The plugin that made the change is not on, or has no '{name}' in '{module}' any more."
)


class UndoImport(Importer):
    """Take back what an import has changed, if it is still as the import has left it."""

    label = "Undo an import"
    sends_mails = False

    what = Choice("assignment", "case", "user", "record", "other", required=True)
    case_id = CaseRef()
    user_id = UserRef()
    case_role_id = RoleRef()
    case_notify = Flag(default=False)
    present_role_id = RoleRef()
    present_notify = Flag(default=False)
    fields: Column[str] = Column(longest=_LONGEST)
    present_fields: Column[str] = Column(longest=_LONGEST)
    kind: Column[str] = Column(longest=_LONGEST)
    record: Column[str] = Column(longest=_LONGEST)

    def change(self, row: Row) -> Change:
        """Return the opposite of a change.

        Raises:
            RowError: it is a custom change, which says nothing of its opposite.
        """
        if row.what == "other":
            raise RowError(None, "NOT_REVERSIBLE", _NOT_TOLD)
        if row.what == "record":
            return _inverse(row)
        if row.what == "assignment":
            return _RESTORE.change(row)
        return RestoreEntity(
            case=row.case_id if row.what == "case" else None,
            user=row.user_id if row.what == "user" else None,
            fields=_fields(row.fields),
            present=_fields(row.present_fields) or {},
        )

    def _every_row_of(self, rows: Iterable[Sequence[Any]]) -> EveryRow | None:
        """Nearly all undos are about assignments alone."""
        return _RESTORE if {row[0] for row in rows} == {"assignment"} else None


def _inverse(row: Row) -> OwnChange:
    """Ask the class that has made a custom change, or has its records, for the opposite."""
    inverter = find_inverter(row.kind)
    if inverter is None:
        module, _, name = row.kind.partition(":")
        raise RowError(None, "NOT_REVERSIBLE", _NOT_LOADED, name=name, module=module)
    difference = Difference(
        before=_fields(row.fields),
        after=_fields(row.present_fields),
        case_id=row.case_id and row.case_id.id,
        user_id=row.user_id and row.user_id.id,
    )
    change = inverter.inverse(difference, row.case_id, row.user_id)
    if change is None:
        raise RowError(None, "NOT_REVERSIBLE", _NOT_TOLD)
    return change


HEADER = list(UndoImport.columns)


def _fields(text: str | None) -> dict[str, Any] | None:
    fields: dict[str, Any] | None = json.loads(text) if text else None
    return fields
