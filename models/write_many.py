"""Cases and users, created and changed many at a time."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import asyncpg

from models.case import Case
from models.foreign_keys import checked_at_once
from models.user import User

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from asyncpg import Connection, Record

    from models.write_one import Table

_MODELS = {"cases": Case, "users": User}
# The sequence is looked up once, not once a row: OFFSET keeps the subquery apart.
_NEXT_IDS = """
    SELECT array_agg(nextval(sequence)) FROM generate_series(1, $1),
      (SELECT pg_get_serial_sequence('{}', 'id')::regclass AS sequence OFFSET 0) s
"""
# Not `varchar(64)`: a cast to that would cut what is too long, without an error.
_SQL_TYPES = {str: "text", bool: "bool", date: "date"}


async def insert_many(
    db: Connection,
    app_id: int,
    table: Table,
    names: Sequence[str],
    rows: Sequence[tuple[object, ...]],
    *,
    key: str,
) -> dict[str, int]:
    """Insert rows in their order; those whose Tag ID or address is taken are left out.

    A COPY is quicker, but takes all rows or none. Most files are of new cases and users, so it
    comes first; an INSERT that skips rows follows only when it fails:

        INSERT INTO cases (app_id, id, tag_id, about)
        SELECT $1, id, tag_id, about
        FROM unnest($2::bigint[], $3::text[], $4::text[]) AS n(id, tag_id, about)
        ON CONFLICT DO NOTHING RETURNING tag_id, id

    Args:
        names: the columns.
        rows: their values.
        key: the column that tells the rows apart.

    Returns:
        the primary keys of the rows that were inserted, by what tells them apart.
    """
    # Taken before, as a COPY does not return them.
    ids = await db.fetchval(_NEXT_IDS.format(table), len(rows))
    # The inner transaction is a savepoint: a COPY that fails undoes itself and nothing before it.
    with suppress(asyncpg.UniqueViolationError):
        async with db.transaction(), checked_at_once(db, table, len(rows), {"apps": [app_id]}):
            await db.copy_records_to_table(
                table,
                columns=("app_id", "id", *names),
                records=((app_id, id_, *row) for id_, row in zip(ids, rows, strict=True)),
            )
        return dict(zip(map(itemgetter(names.index(key)), rows), ids, strict=True))
    columns = ", ".join(["id", *names])
    arrays = f"$2::bigint[], {_arrays(table, names, first=3)}"
    sql = f"""
        INSERT INTO {table} (app_id, {columns})
        SELECT $1, {columns} FROM unnest({arrays}) AS n({columns})
        ON CONFLICT DO NOTHING RETURNING {key}, id
    """
    found = await db.fetch(sql, app_id, ids, *map(list, zip(*rows, strict=True)))
    return {row[0]: row[1] for row in found}


async def lock_many(
    db: Connection, app_id: int, table: Table, keys: Collection[int]
) -> dict[int, Record]:
    """Read rows by primary key, and hold them until the transaction ends.

    In the order of the keys, so that two transactions can't deadlock; NO KEY, so that others can
    still refer to the rows.
    """
    sql = f"""
        SELECT t.* FROM unnest($2::bigint[]) AS k(id)
        JOIN {table} t ON t.app_id = $1 AND t.id = k.id
        ORDER BY t.id FOR NO KEY UPDATE OF t
    """
    rows = await db.fetch(sql, app_id, list(keys))
    return {row["id"]: row for row in rows}


async def update_many(
    db: Connection,
    app_id: int,
    table: Table,
    changes: Mapping[int, Mapping[str, object]],
    present: Mapping[int, Mapping[str, object]],
) -> None:
    """Change rows that are locked, in the order of their keys, which are next to each other there.

        UPDATE cases t SET about = n.about, updated_at = clock_timestamp()
        FROM unnest($2::bigint[], $3::text[]) AS n(id, about)
        WHERE t.app_id = $1 AND t.id = n.id

    Args:
        changes: the columns to change, by primary key; rows may differ in which.
        present: the rows as they are.

    Raises:
        asyncpg.UniqueViolationError: a Tag ID is taken.
    """
    # `unnest` makes a table of one array for each column, whose types SQL must know.
    names = sorted({name for values in changes.values() for name in values})
    if not names:
        return
    # One UPDATE sets the same columns in all rows: a row gets its present value, which is locked,
    # where its change says nothing.
    ordered = [
        (key, {name: values.get(name, present[key][name]) for name in names})
        for key, values in sorted(changes.items())
    ]
    sql = f"""
        UPDATE {table} t SET {", ".join(f"{name} = n.{name}" for name in names)},
          updated_at = clock_timestamp()
        FROM unnest($2::bigint[], {_arrays(table, names, first=3)}) AS n(id, {", ".join(names)})
        WHERE t.app_id = $1 AND t.id = n.id
    """
    await db.execute(
        sql,
        app_id,
        [key for key, _ in ordered],
        *[[row[name] for _, row in ordered] for name in names],
    )


async def find_by_tag(
    db: Connection, app_id: int, table: Table, tags: Collection[str]
) -> dict[str, Record]:
    if not tags:
        return {}
    sql = f"""
        SELECT t.* FROM unnest($2::text[]) AS k(tag_id)
        JOIN {table} t ON t.app_id = $1 AND t.tag_id = k.tag_id
    """
    rows = await db.fetch(sql, app_id, list(tags))
    return {row["tag_id"]: row for row in rows}


async def find_by_email(
    db: Connection, app_id: int, emails: Collection[str]
) -> dict[str, dict[str, Any]]:
    """Find users by e-mail address, in any case; each is returned by the address asked for."""
    if not emails:
        return {}
    sql = """
        SELECT n.asked, u.* FROM unnest($2::text[]) AS n(asked)
        JOIN users u ON u.app_id = $1 AND lower(u.email) = lower(n.asked)
    """
    rows = await db.fetch(sql, app_id, list(emails))
    return {row["asked"]: dict(row) for row in rows}


def _arrays(table: Table, names: Sequence[str], *, first: int) -> str:
    """Return parameters that hold a column each, `$2::text[], $3::date[]`."""
    columns = _MODELS[table]._meta.fields_map
    types = [_SQL_TYPES[columns[name].field_type] for name in names]
    return ", ".join(f"${number}::{type_}[]" for number, type_ in enumerate(types, first))
