"""Records of plugins' own tables: locked, written by the thousand, and deleted in time."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from asyncpg import Connection

    from models.own_table import OwnColumn, OwnTable

Written = tuple[str | None, "Mapping[str, Any]"]
"""An outcome, and the record as it is to be; one that is removed, as it was."""

_AT_ONCE = 5_000


async def lock_records(
    db: Connection, app_id: int, table: OwnTable, keys: Iterable[tuple[Any, ...]]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Lock records until the transaction ends, and read them by their keys.

        SELECT t."case_id", t."cents" FROM "acme_rates" t
        JOIN unnest($2::bigint[]) AS k("case_id") USING ("case_id")
        WHERE t.app_id = $1 ORDER BY t."case_id" FOR UPDATE OF t

    In the order of the keys, so that two transactions can't deadlock.
    """
    columns = _key_columns(table)
    names = _listed(columns)
    ordered = ", ".join(f't."{column.name}"' for column in columns)
    shown = ", ".join(f't."{column.name}"' for column in table.columns)
    sql = f"""
        SELECT {shown} FROM "{table.name}" t
        JOIN unnest({_arrays(columns)}) AS k({names}) USING ({names})
        WHERE t.app_id = $1 ORDER BY {ordered} FOR UPDATE OF t
    """
    rows = await db.fetch(sql, app_id, *map(list, zip(*keys, strict=True)))
    found = [dict(row) for row in rows]
    return {tuple([row[name] for name in table.key]): row for row in found}


async def write_records(
    db: Connection, app_id: int, table: OwnTable, written: Sequence[Written]
) -> None:
    """Create, change and remove records, which are locked, with a statement for each of the three.

    Raises:
        asyncpg.UniqueViolationError: another transaction has created one of them meanwhile.
    """
    by_outcome: dict[str, list[Mapping[str, Any]]] = {}
    # In the order of the keys, as new records wait for those that other transactions create.
    for outcome, record in sorted(written, key=lambda each: itemgetter(*table.key)(each[1])):
        by_outcome.setdefault(str(outcome), []).append(record)
    for outcome, statement, columns in (
        ("CREATED", _insertion(table), table.columns),
        ("UPDATED", _update(table), table.columns),
        ("REMOVED", _deletion(table), _key_columns(table)),
    ):
        if records := by_outcome.get(outcome):
            values = [[record[column.name] for record in records] for column in columns]
            await db.execute(statement, app_id, *values)


def _insertion(table: OwnTable) -> str:
    """Return the statement that creates records.

    INSERT INTO "acme_rates" (app_id, "case_id", "cents")
    SELECT $1, * FROM unnest($2::bigint[], $3::bigint[])
    """
    names = _listed(table.columns)
    return f"""
        INSERT INTO "{table.name}" (app_id, {names})
        SELECT $1, * FROM unnest({_arrays(table.columns)})
    """


def _update(table: OwnTable) -> str:
    """Return the statement that changes records.

    UPDATE "acme_rates" t SET "cents" = n."cents"
    FROM unnest($2::bigint[], $3::bigint[]) AS n("case_id", "cents")
    WHERE t.app_id = $1 AND t."case_id" = n."case_id"
    """
    others = [column.name for column in table.columns if column.name not in table.key]
    changed = [f'"{name}" = n."{name}"' for name in others]
    if table.keep_days:
        changed.append("changed_at = now()")
    return f"""
        UPDATE "{table.name}" t SET {", ".join(changed)}
        FROM unnest({_arrays(table.columns)}) AS n({_listed(table.columns)})
        WHERE t.app_id = $1 AND {_same_key(table)}
    """


def _deletion(table: OwnTable) -> str:
    """Return the statement that removes records.

    DELETE FROM "acme_rates" t USING unnest($2::bigint[]) AS n("case_id")
    WHERE t.app_id = $1 AND t."case_id" = n."case_id"
    """
    columns = _key_columns(table)
    return f"""
        DELETE FROM "{table.name}" t USING unnest({_arrays(columns)}) AS n({_listed(columns)})
        WHERE t.app_id = $1 AND {_same_key(table)}
    """


def _key_columns(table: OwnTable) -> list[OwnColumn]:
    columns = {column.name: column for column in table.columns}
    return [columns[name] for name in table.key]


def _same_key(table: OwnTable) -> str:
    return " AND ".join(f't."{name}" = n."{name}"' for name in table.key)


def _listed(columns: Sequence[OwnColumn]) -> str:
    return ", ".join(f'"{column.name}"' for column in columns)


def _arrays(columns: Sequence[OwnColumn]) -> str:
    """Return the arguments that hold the columns' values: `$2::bigint[], $3::text[]`."""
    return ", ".join(f"${place}::{column.type}[]" for place, column in enumerate(columns, 2))


async def purge_records(db: Connection, table: OwnTable, days: int) -> None:
    """Delete some records that were last changed longer ago than these days.

    DELETE FROM "acme_rates" WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM "acme_rates" WHERE changed_at < now() - 30 * interval '1 day'
      LIMIT 5000 FOR UPDATE SKIP LOCKED))
    """
    sql = f"""
        DELETE FROM "{table.name}" WHERE ctid = ANY(ARRAY(
          SELECT ctid FROM "{table.name}" WHERE changed_at < now() - $1::int * interval '1 day'
          LIMIT {_AT_ONCE} FOR UPDATE SKIP LOCKED))
    """
    await db.execute(sql, days)
