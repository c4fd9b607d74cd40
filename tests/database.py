"""Databases for tests: where they live, how one is made, how it is emptied for the next test."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from asyncpg import Connection

from api.processes.embedded_postgres import EmbeddedPostgres

_ROOM_BYTES = 2 * 1024**3

# A small DELETE costs a millisecond and TRUNCATE, which makes new files for every table and index,
# ten to a hundred of them. The locks are those that TRUNCATE would wait for, so that what is still
# being written for the test before is not left over. Without the role, each row would be looked for
# in the tables that refer to it.
_DELETE_ALL_ROWS = """
DO $$
DECLARE
  names text[] := array(
    SELECT quote_ident(tablename) FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'tortoise_migrations'
  );
  name text;
BEGIN
  EXECUTE 'LOCK TABLE ' || array_to_string(names, ', ');
  IF (SELECT max(pg_relation_size(each::regclass)) FROM unnest(names) AS each) > 1000000 THEN
    EXECUTE 'TRUNCATE ' || array_to_string(names, ', ');
    RETURN;
  END IF;
  SET LOCAL session_replication_role = replica;
  FOREACH name IN ARRAY names LOOP
    EXECUTE 'DELETE FROM ' || name;
  END LOOP;
END $$
"""


def data_folder() -> str | None:
    """Choose where servers keep their data: in memory if there is room, since a new database is
    hundreds of small files; None for the folder of temporary files."""
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and shutil.disk_usage(memory).free > _ROOM_BYTES
    return str(memory) if has_room else None


@asynccontextmanager
async def new_database(
    postgres: EmbeddedPostgres, name: str, template: str = "template1"
) -> AsyncIterator[str]:
    """Make a database, give its URL, and drop it."""
    # FILE_COPY writes no WAL for what is copied.
    await _execute(postgres, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    try:
        yield postgres.database_url(name)
    finally:
        await _execute(postgres, f"DROP DATABASE {name} WITH (FORCE)")


async def delete_all_rows(db: Connection) -> None:
    """Empty every table but the list of migrations."""
    await db.execute(_DELETE_ALL_ROWS)


async def _execute(postgres: EmbeddedPostgres, statement: str) -> None:
    connection = await asyncpg.connect(postgres.url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
