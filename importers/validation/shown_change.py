"""What validators see of the changes of an undo: the change that has the same effect."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from importers.sdk.changes import Assign, Modify, Remove, Restore
from importers.sdk.entity_changes import ModifyCase, ModifyUser
from importers.sdk.records.record_changes import ModifyRecord, RemoveRecord, SetRecord
from importers.sdk.records.restore_record import RestoreRecord
from importers.undo.restore_entity import RestoreEntity

if TYPE_CHECKING:
    from importers.sdk.changes import Change


def shown_change(change: Change) -> Change:
    """Return a change as validators see it: `Assign` is one of an undo as well."""
    if isinstance(change, Restore):
        return _of_assignment(change)
    if isinstance(change, RestoreEntity):
        return _of_entity(change)
    if isinstance(change, RestoreRecord):
        return _of_record(change)
    return change


def _of_assignment(change: Restore) -> Change:
    case, user, role, notify = change.case, change.user, change.role, change.notify
    if role is None:
        return Remove(case=case, user=user)
    kind = Assign if change.present_role is None else Modify
    return kind(case=case, user=user, role=role, notify=notify)


def _of_entity(change: RestoreEntity) -> Change:
    # What an import has created is closed, or disabled.
    fields = {"is_active": False} if change.fields is None else change.fields
    if change.case:
        return ModifyCase(case=change.case, **_known(ModifyCase, fields))
    assert change.user is not None
    return ModifyUser(user=change.user, **_known(ModifyUser, fields))


def _of_record(change: RestoreRecord) -> Change:
    record, fields = change.of.record, change.of.fields
    if change.before is None:
        return RemoveRecord(record, **change.key)
    # Of other cases and users than those of the key, only the primary keys are known.
    named = {
        fields[column].name: value
        for column, value in change.before.items()
        if not fields[column].is_entity
    }
    named.update(change.key)
    is_new = change.after is None and len(named) == len(fields)
    return SetRecord(record(**named)) if is_new else ModifyRecord(record, **named)


def _known(kind: type[ModifyCase | ModifyUser], fields: Any) -> dict[str, Any]:
    known = {name: value for name, value in fields.items() if name in kind.__slots__}
    if isinstance(day := known.get("date_opened"), str):
        known["date_opened"] = date.fromisoformat(day)
    return known
