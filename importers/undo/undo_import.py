"""The importer of imports that undo others; nobody uploads files of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from importers.sdk.changes import Restore
from importers.sdk.columns import Column, Flag
from importers.sdk.errors import RowError
from importers.sdk.importer import Importer
from importers.sdk.ready_columns.choice import Choice
from importers.sdk.references import CaseRef, RoleRef, UserRef
from importers.undo.restore_entity import RestoreEntity

if TYPE_CHECKING:
    from importers.sdk.changes import OwnChange
    from importers.sdk.row import Row

UNDO = "undo"
# All fields of a case or a user, as JSON, each as long as a cell of another file may be.
_LONGEST = 1_000_000


class UndoImport(Importer):
    """Take back what an import has changed, if it is still as the import has left it."""

    label = "Undo an import"
    sends_mails = False

    what = Choice("assignment", "case", "user", "other", required=True)
    case_id = CaseRef()
    user_id = UserRef()
    case_role_id = RoleRef()
    case_notify = Flag()
    present_role_id = RoleRef()
    present_notify = Flag()
    fields: Column[str] = Column(longest=_LONGEST)
    present_fields: Column[str] = Column(longest=_LONGEST)

    def change(self, row: Row) -> Restore | OwnChange:
        """Return the opposite of a change.

        Raises:
            RowError: it is a custom change, which says nothing of its opposite.
        """
        if row.what == "other":
            message = "The change is one of a plugin's own, which does not say how to undo it."
            raise RowError(None, "NOT_REVERSIBLE", message)
        if row.what == "assignment":
            return Restore(
                case=row.case_id,
                user=row.user_id,
                role=row.case_role_id,
                notify=bool(row.case_notify),
                present_role=row.present_role_id,
                present_notify=bool(row.present_notify),
            )
        return RestoreEntity(
            case=row.case_id if row.what == "case" else None,
            user=row.user_id if row.what == "user" else None,
            fields=_fields(row.fields),
            present=_fields(row.present_fields) or {},
        )


HEADER = list(UndoImport.columns)


def _fields(text: str | None) -> dict[str, Any] | None:
    fields: dict[str, Any] | None = json.loads(text) if text else None
    return fields
