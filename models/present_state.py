"""Whether what changes found, or have left, is what is stored now."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from models.assignment import Edit, present_assignments
from models.entity_history import EntityEdit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncpg import Connection

    from models.write_one import Table


class _FieldSet(NamedTuple):
    """The fields of cases or users that files set, and which of them tell one from others."""

    fields: frozenset[str]
    names: tuple[str, ...]


_USER = {"given_name", "family_name", "locale", "zoneinfo", "is_active"}
_FIELD_SETS: Mapping[Table, _FieldSet] = {
    "cases": _FieldSet(frozenset({"tag_id", "about", "is_active", "date_opened"}), ("tag_id",)),
    "users": _FieldSet(frozenset({"email", "tag_id", *_USER}), ("lower(email)", "tag_id")),
}


def table_of(edit: EntityEdit) -> Table | None:
    """Return where the fields of a change are stored; None for those of a plugin's own records."""
    if edit.record is not None:
        return None
    fields = {*(edit.before or ()), *(edit.after or ())}
    table: Table
    if edit.user_id is None is edit.case_id:
        # What a dry run would create has no key yet. A user always has an address.
        table = "users" if "email" in fields else "cases"
        is_named = "email" in fields or "tag_id" in fields
    else:
        table = "users" if edit.case_id is None else "cases"
        is_named = edit.case_id is None or edit.user_id is None
    return table if is_named and fields <= _FIELD_SETS[table].fields else None


class ListedChange(NamedTuple):
    """A change as an import's list has it.

    Args:
        is_ahead: whether it is still to be made.
    """

    change: Edit | EntityEdit
    is_ahead: bool
    import_id: int


async def are_stale(db: Connection, app_id: int, changes: Sequence[ListedChange]) -> list[bool]:
    """Tell of each change whether what it has found, or has left, is stored no more.

    Where a plugin keeps its records is not known here: their histories tell what imports have made
    of them since.
    """
    edits = [each.change for each in changes if isinstance(each.change, Edit)]
    pairs = {(edit.case_id, edit.user_id) for edit in edits}
    present = await present_assignments(db, pairs, lock=False) if pairs else {}
    others = [each.change for each in changes if not isinstance(each.change, Edit)]
    entities = await _read_entities(db, app_id, others)
    records = await _read_since(db, app_id, changes)
    found = []
    for listed in changes:
        change = listed.change
        if isinstance(change, Edit):
            state = change.before if listed.is_ahead else change.after
            found.append(present.get((change.case_id, change.user_id)) != state)
            continue
        fields = change.before if listed.is_ahead else change.after
        if change.record is not None:
            found.append(
                _is_overtaken(
                    fields, records.get((change.record, listed.import_id, listed.is_ahead), ())
                )
            )
        else:
            found.append(_differs(change, fields, entities))
    return found


def _is_overtaken(
    expected: Mapping[str, Any] | None, since: Sequence[Mapping[str, Any] | None]
) -> bool:
    """Tell whether a record is another than expected, given what it became since, in order."""
    if not since:
        return False
    state: Mapping[str, Any] | None = None
    for after in since:
        state = None if after is None else {**(state or {}), **after}
    if expected is None or state is None:
        return expected is not state
    return any(name in state and state[name] != value for name, value in expected.items())


async def _read_since(
    db: Connection, app_id: int, changes: Sequence[ListedChange]
) -> dict[tuple[str, int, bool], list[Mapping[str, Any] | None]]:
    """Read what others have made of plugins' records since an import began, or changed them."""
    asked = {
        (each.change.record, each.import_id, each.is_ahead)
        for each in changes
        if isinstance(each.change, EntityEdit) and each.change.record is not None
    }
    if not asked:
        return {}
    sql = """
        SELECT k.record, k.import_id, k.is_ahead, array_agg(h.after::text ORDER BY h.id)
        FROM unnest($2::text[], $3::bigint[], $4::boolean[]) AS k(record, import_id, is_ahead)
        JOIN imports i ON i.id = k.import_id
        JOIN entity_history h ON h.record = k.record AND h.app_id = $1
          AND h.import_id IS DISTINCT FROM k.import_id
          AND CASE WHEN is_ahead THEN h.changed_at > i.started_at ELSE h.id > (
            SELECT max(o.id) FROM entity_history o
            WHERE o.record = k.record AND o.app_id = $1 AND o.import_id = k.import_id) END
        GROUP BY k.record, k.import_id, k.is_ahead
    """
    rows = await db.fetch(sql, app_id, *map(list, zip(*asked, strict=True)))
    return {
        (record, import_id, is_ahead): [after and orjson.loads(after) for after in afters]
        for record, import_id, is_ahead, afters in rows
    }


Entities = dict[tuple["Table | None", object], dict[str, Any]]


def _differs(edit: EntityEdit, expected: Mapping[str, Any] | None, entities: Entities) -> bool:
    table = table_of(edit)
    if table is None:
        return False
    stored = [entities[table, name] for name in _names_of(edit) if (table, name) in entities]
    if expected is None or not stored:
        return (expected is None) == bool(stored)
    return any(stored[0][name] != value for name, value in expected.items())


def _names_of(edit: EntityEdit) -> list[object]:
    """Return what finds the case or user: the key, or, if it has none yet, the unique values."""
    if key := edit.case_id or edit.user_id:
        return [key]
    fields = edit.after or {}
    return [
        fields[name].lower() if name == "email" else fields[name]
        for name in ("email", "tag_id")
        if name in fields
    ]


async def _read_entities(db: Connection, app_id: int, edits: Sequence[EntityEdit]) -> Entities:
    """Read the cases and users that changes are about, each by its key and by its unique values.

    SELECT *, ARRAY[lower(email), tag_id] AS names FROM users
    WHERE app_id = $1 AND (id = ANY($2::bigint[])
      OR lower(email) = ANY($3::text[]) OR tag_id = ANY($3::text[]))
    """
    found: Entities = {}
    for table, (fields, columns) in _FIELD_SETS.items():
        names = [name for edit in edits if table_of(edit) == table for name in _names_of(edit)]
        if not names:
            continue
        is_named = "".join(f" OR {column} = ANY($3::text[])" for column in columns)
        sql = f"""
            SELECT *, ARRAY[{", ".join(columns)}] AS names FROM {table}
            WHERE app_id = $1 AND (id = ANY($2::bigint[]){is_named})
        """
        keys = [name for name in names if isinstance(name, int)]
        texts = [name for name in names if isinstance(name, str)]
        for row in await db.fetch(sql, app_id, keys, texts):
            stored = {name: _as_json(row[name]) for name in fields}
            found.update({(table, name): stored for name in (row["id"], *row["names"])})
    return found


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
