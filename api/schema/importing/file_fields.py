"""What a change of an import makes of each field, with names and values as files have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.schema.importing.field_change import FieldChange
from models.assignment import Edit
from models.present_state import table_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.access.context import Context
    from models.assignment import Present
    from models.entity_history import EntityEdit
    from models.write_one import Table

# Columns of files whose names are not those of the database.
_FILE_COLUMNS: Mapping[Table | None, Mapping[str, str]] = {
    "cases": {"is_active": "case_status"},
    "users": {
        "email": "username",
        "tag_id": "host_tag_id",
        "is_active": "host_user_status",
    },
    None: {},
}


def fields_of(roles: Mapping[int, str], *changes: Edit | EntityEdit) -> list[FieldChange]:
    """List the fields that changes have changed, all of them where only one side exists.

    Args:
        roles: the keys of the app's roles, by primary key.
    """
    return [each for change in changes for each in _fields_of_one(roles, change)]


def _fields_of_one(roles: Mapping[int, str], change: Edit | EntityEdit) -> list[FieldChange]:
    if isinstance(change, Edit):
        before, after = _cells_of(roles, change.before), _cells_of(roles, change.after)
        return _compare(before, after)
    names = _FILE_COLUMNS[table_of(change)]
    before, after = _renamed(change.before, names), _renamed(change.after, names)
    # What tells a plugin's own record from others is the same on both sides.
    return _compare(before, after, has_same=change.record is not None)


def _cells_of(roles: Mapping[int, str], state: Present | None) -> Mapping[str, object] | None:
    if state is None:
        return None
    return {"case_role_id": roles[state.role_id], "case_notify": state.notify}


def _renamed(
    fields: Mapping[str, object] | None, names: Mapping[str, str]
) -> Mapping[str, object] | None:
    return fields and {names.get(name, name): value for name, value in fields.items()}


async def role_keys(context: Context) -> Mapping[int, str]:
    return {row["id"]: row["key"] for row in await context.loaders.roles()}


def _compare(
    before: Mapping[str, object] | None,
    after: Mapping[str, object] | None,
    *,
    has_same: bool = False,
) -> list[FieldChange]:
    one, other = before or {}, after or {}
    return [
        FieldChange(name=name, before=_as_cell(one.get(name)), after=_as_cell(other.get(name)))
        for name in {**one, **other}
        if has_same or before is None or after is None or one.get(name) != other.get(name)
    ]


def _as_cell(value: object) -> str | None:
    """Write a value as a cell of a file has it: flags as 0 and 1."""
    if isinstance(value, bool):
        return str(int(value))
    return None if value is None else str(value)
