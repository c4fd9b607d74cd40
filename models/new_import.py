"""A new import: its row and its file, written in one transaction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from models.audit import Action, record
from models.file_part import store_file
from models.imports import HAS_DONE_NOTHING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from asyncpg import Connection

    from models.audit import Actor

# More than `models.session.TIMEOUTS`: storing a large file takes its time, and so does waiting for
# another transaction that inserts an import of the same name or key.
_TIMEOUT = "55s"


class NewImport(NamedTuple):
    """What an upload says of itself; the fields are columns of `Import`."""

    token_id: int | None
    type: str
    name: str
    source: str
    is_dry_run: bool
    idempotency_key: str | None
    declared_encoding: str | None
    file_name: str
    file_size: int
    file_sha256: str
    date_order: str | None = None
    is_atomic: bool = False
    notify: list[str] | None = None
    header_mapping: dict[str, Any] | None = None

    def repeats(self, other: NewImport) -> bool:
        """Tell whether this is the same upload once more, from any token, place and file name."""
        return self == other._replace(
            token_id=self.token_id, source=self.source, file_name=self.file_name
        )


class Inserted(NamedTuple):
    """A new import's primary key, and that of another one with the same file, if there is any."""

    id: int
    same_as: int | None


async def insert_import(
    db: Connection, app_id: int, new: NewImport, file: BinaryIO, *, by: Actor
) -> Inserted | None:
    """Create an import with its file; to be run in a transaction.

    The same file is one of the same type that came in the last 24 hours and may have had an effect:
    its import was no dry run, and has not failed.

    Returns None when an import has the idempotency key, or a running one the name. Unique indexes
    decide, so of two uploads at the same moment one is refused.
    """
    await db.execute(
        "SELECT set_config('lock_timeout', $1, true), set_config('statement_timeout', $1, true)",
        _TIMEOUT,
    )
    columns = ", ".join(NewImport._fields)
    places = ", ".join(f"${number}" for number in range(2, len(new) + 2))
    sql = f"""
        INSERT INTO imports (app_id, {columns}) VALUES ($1, {places})
        ON CONFLICT DO NOTHING RETURNING id, (
          SELECT max(o.id) FROM imports o
          WHERE o.app_id = imports.app_id AND o.file_sha256 = imports.file_sha256
            AND o.type = imports.type AND NOT o.is_dry_run AND o.status <> 'FAILED'
            AND o.created_at > now() - interval '24 hours')
    """
    # Waits for another upload of the same name or key to commit or roll back.
    mapping = json.dumps(new.header_mapping) if new.header_mapping else None
    row = await db.fetchrow(sql, app_id, *new._replace(header_mapping=mapping))  # type: ignore[arg-type]
    if row is None:
        return None
    await store_file(db, app_id, row["id"], file)
    await record(db, app_id, by, Action.IMPORT_CREATED, row["id"], name=new.name)
    return Inserted(*row)


async def find_same_file(db: Connection, app_id: int, type_: str, sha256: str) -> int | None:
    """Find the newest import of a type with the same file that may have had an effect."""
    sql = """
        SELECT max(id) FROM imports WHERE app_id = $1 AND type = $2 AND file_sha256 = $3
          AND NOT is_dry_run AND status <> 'FAILED'
    """
    key: int | None = await db.fetchval(sql, app_id, type_, sha256)
    return key


async def find_mapped(db: Connection, app_id: int, type_: str, header: Sequence[str]) -> int | None:
    """Find the newest import of a type with a mapping, whose file has the same names in its header.

    In any order; a mapping that the header did not fit has no header, as its file was refused.
    """
    sql = """
        SELECT id FROM imports WHERE app_id = $1 AND type = $2 AND header_mapping IS NOT NULL
          AND header @> $3::text[] AND header <@ $3::text[]
        ORDER BY id DESC LIMIT 1
    """
    key: int | None = await db.fetchval(sql, app_id, type_, list(header))
    return key


class NewName(NamedTuple):
    """What a request says of an import that it makes of another one.

    Args:
        name: by default the other's, with an ending.
        ending: such as `(undone)`, in the language of the request.
    """

    name: str | None = None
    idempotency_key: str | None = None
    ending: str | None = None


class AppliedImport(NamedTuple):
    """An import that carries out a plan, or was to.

    Args:
        has_done_nothing: whether it has ended, and the plan is as good as before.
    """

    id: int
    name: str
    idempotency_key: str | None
    has_done_nothing: bool


async def find_applied(db: Connection, plan_id: int) -> AppliedImport | None:
    """Find the import that carries out a plan, or was the last that was to."""
    sql = f"""
        SELECT id, name, idempotency_key, {HAS_DONE_NOTHING} FROM imports
        WHERE applied_from_id = $1
    """
    row = await db.fetchrow(sql, plan_id)
    return AppliedImport(*row) if row else None


async def insert_applied(
    db: Connection, app_id: int, plan_id: int, new: NewName, *, by: Actor
) -> int | None:
    """Create an import of a dry run's file, which carries out its plan; to be run in a transaction.

    An import that was to do so, and has done nothing, has the plan no more.

    Returns None when a running import has the name, or any has the idempotency key.
    """
    await db.execute(
        "UPDATE imports SET applied_from_id = NULL"
        f" WHERE app_id = $1 AND applied_from_id = $2 AND {HAS_DONE_NOTHING}",
        app_id,
        plan_id,
    )
    columns = """
        type, source, declared_encoding, date_order, file_name, file_size, file_sha256, encoding,
        delimiter, header, warnings, observed, undo_of_id, is_atomic, notify, header_mapping
    """
    sql = f"""
        INSERT INTO imports (app_id, token_id, name, idempotency_key, applied_from_id, {columns})
        SELECT app_id, $3, coalesce($4, left(name, 180) || ' ' || coalesce($6, '(applied)')),
          $5, id, {columns}
        FROM imports WHERE app_id = $1 AND id = $2
        ON CONFLICT DO NOTHING RETURNING id, name
    """
    row = await db.fetchrow(sql, app_id, plan_id, by.token_id, *new)
    if row is None:
        return None
    await db.execute(
        "INSERT INTO import_file_parts (app_id, import_id, number, data)"
        " SELECT app_id, $3, number, data FROM import_file_parts"
        " WHERE app_id = $1 AND import_id = $2",
        app_id,
        plan_id,
        row["id"],
    )
    await record(db, app_id, by, Action.IMPORT_APPLIED, row["id"], name=row["name"])
    return int(row["id"])


async def find_repeated(
    db: Connection, app_id: int, idempotency_key: str
) -> tuple[int, NewImport] | None:
    """Find the import that has an idempotency key, and what its upload said."""
    row = await db.fetchrow(
        f"SELECT id, {', '.join(NewImport._fields)} FROM imports"
        " WHERE app_id = $1 AND idempotency_key = $2",
        app_id,
        idempotency_key,
    )
    if row is None:
        return None
    mapping = json.loads(row["header_mapping"] or "null")
    return row["id"], NewImport(*row[1:])._replace(header_mapping=mapping)


async def is_key_in_use(db: Connection, app_id: int, idempotency_key: str) -> bool:
    sql = "SELECT EXISTS (SELECT 1 FROM imports WHERE app_id = $1 AND idempotency_key = $2)"
    return bool(await db.fetchval(sql, app_id, idempotency_key))


async def is_name_in_use(db: Connection, app_id: int, name: str) -> bool:
    """Tell whether an import of this name is waiting or running."""
    return bool(
        await db.fetchval(
            "SELECT EXISTS (SELECT 1 FROM imports WHERE app_id = $1 AND name = $2"
            " AND status IN ('QUEUED', 'PROCESSING', 'HELD'))",
            app_id,
            name,
        )
    )
