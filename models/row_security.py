"""Row-level security: a role to which each table shows the rows of one app, and no others."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from asyncpg import Connection

log = logging.getLogger(__name__)

SETTING = "caseroll.app"
"""Names the app whose rows are shown; while it is not set there are none."""

_POLICY = "app"
_LOCK_SECONDS = 2
# A subquery, because PostgreSQL then reads the setting once a statement, not once a row.
# A setting that was once set reads as an empty text afterwards, which is no number: hence `nullif`.
_IS_OWN = f"{{}} = (SELECT nullif(current_setting('{SETTING}', true), '')::bigint)"
# What the API does for clients; workers and the command line do the rest as the tables' owner.
_GRANTS = {
    # What else of a token may be read, the view has: no digest.
    "api_tokens": "SELECT (id), INSERT, UPDATE (revoked_at)",
    "apps": "SELECT, UPDATE",
    "assignment_history": "SELECT",
    "assignments": "SELECT",
    "audit_events": "SELECT, INSERT",
    "case_words": "SELECT",
    "cases": "SELECT, INSERT, UPDATE",
    "download_links": "SELECT, INSERT, DELETE",
    "entity_history": "SELECT, INSERT",
    "error_groups": "SELECT, INSERT, DELETE",
    "import_file_parts": "SELECT, INSERT",
    "import_queue": "SELECT",
    "import_rows": "SELECT",
    "import_words": "SELECT",
    "imports": "SELECT, INSERT, UPDATE",
    "mails": "SELECT (app_id, import_id, state)",
    "roles": "SELECT",
    "token_names": "SELECT",
    "user_words": "SELECT",
    "users": "SELECT, INSERT, UPDATE",
    # The deliveries of a deleted webhook go by their foreign key, with the owner's rights.
    "webhook_deliveries": "SELECT",
    "webhooks": "SELECT, INSERT, UPDATE (disabled_at), DELETE",
}
_NO_ROLE = """row-level security is off: %s.
Every statement still chooses rows by app. To switch row-level security on, run this as a user who
may create roles, then `caseroll migrate` again:
    CREATE ROLE %s NOLOGIN; GRANT %s TO %s;"""


async def apply_row_security(db: Connection, own_tables: Collection[str]) -> None:
    """Create the role and its policies, or bring them up to date; to be run after migrations.

    Without the right to create roles, the log says what to do, and everything works without them.

    Args:
        own_tables: those of the tables that plugins declare that are as they are declared.
    """
    role = await _make_role(db)
    if role is None:
        return
    for table in await _tables_without_policy(db, role):
        while not await _add_policy(db, table, _quote_identifier(role)):
            log.warning("waiting for %s: it is in use", table)
    # In one transaction: an API that runs meanwhile must not lack a right between REVOKE and GRANT.
    async with db.transaction():
        await _grant(db, _quote_identifier(role), own_tables)


async def _add_policy(db: Connection, table: str, role: str) -> bool:
    """Let the role see the rows of one app at a time; False if the table is in use.

        CREATE POLICY app ON cases TO "caseroll_api_main"
        USING (app_id = (SELECT nullif(current_setting('caseroll.app', true), '')::bigint))

    Every later statement queues behind one that waits for the whole table, so this one gives up
    soon; and it locks one table alone, so that it can't be in a deadlock with a chunk.
    """
    try:
        async with db.transaction():
            await db.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
            await db.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            await db.execute(f"DROP POLICY IF EXISTS {_POLICY} ON {table}")
            is_own = _IS_OWN.format("id" if table == "apps" else "app_id")
            await db.execute(f"CREATE POLICY {_POLICY} ON {table} TO {role} USING ({is_own})")
    except asyncpg.LockNotAvailableError:
        await asyncio.sleep(_LOCK_SECONDS)
        return False
    return True


async def is_row_security_active(db: Connection) -> bool:
    """Tell whether policies hide rows from the role of this connection."""
    return bool(
        await db.fetchval(
            "SELECT bool_or(row_security_active(oid)) FROM pg_class"
            " WHERE oid = to_regclass('imports')"
        )
    )


@asynccontextmanager
async def as_owner(db: Connection) -> AsyncIterator[None]:
    """Give a transaction the rights of the tables' owner for the length of a block.

        SET LOCAL ROLE none; …; SET LOCAL ROLE "caseroll_api_main"

    An exception that leaves the block has to end the transaction.
    """
    role = await db.fetchval("SELECT current_setting('role')")
    await db.execute("SET LOCAL ROLE none")
    yield
    if role != "none":
        await db.execute(f"SET LOCAL ROLE {_quote_identifier(role)}")


async def find_role(db: Connection) -> str | None:
    """Find the role that the policies are for, whatever it is called."""
    sql = """
        SELECT r.rolname FROM pg_policy p JOIN pg_roles r ON r.oid = p.polroles[1]
        WHERE p.polname = $1 AND p.polrelid = to_regclass('cases')
    """
    name: str | None = await db.fetchval(sql, _POLICY)
    return name


async def _make_role(db: Connection) -> str | None:
    """Return the role of this database, and create it if it does not exist.

    Roles belong to the whole server. Each database has its own, so that a user with the role of
    one database sees nothing of another. Names of roles have 63 bytes at most.
    """
    sql = """
        SELECT name, current_user::text, EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name)
        FROM (SELECT 'caseroll_api_' || CASE WHEN octet_length(current_database()) <= 50
          THEN current_database() ELSE md5(current_database()) END) AS of_database(name)
    """
    role, user, exists = await db.fetchrow(sql)
    quoted, owner = _quote_identifier(role), _quote_identifier(user)
    try:
        if not exists:
            await db.execute(f"CREATE ROLE {quoted} NOLOGIN")
            # To create a role does not give the right to assume it.
            await db.execute(f"GRANT {quoted} TO {owner}")
        async with db.transaction():
            # A role that exists may still be one that this user must not assume.
            await db.execute(f"SET LOCAL ROLE {quoted}")
    except asyncpg.InsufficientPrivilegeError as error:
        log.warning(_NO_ROLE, error.args[0], quoted, quoted, owner)
        return None
    return str(role)


async def _tables_without_policy(db: Connection, role: str) -> list[str]:
    """List those of our tables whose rows belong to apps and have no policy for this role.

    A copied or restored database has policies for the role of its original.
    """
    sql = """
        SELECT c.oid::regclass::text FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
          AND a.attname = CASE c.relname WHEN 'apps' THEN 'id' ELSE 'app_id' END
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
          AND pg_has_role(c.relowner, 'USAGE')
          AND NOT EXISTS (
            SELECT 1 FROM pg_policy p JOIN pg_roles r ON p.polroles = ARRAY[r.oid]
            WHERE p.polrelid = c.oid AND p.polname = $1 AND r.rolname = $2)
        ORDER BY c.relname
    """
    rows = await db.fetch(sql, _POLICY, role)
    return [row[0] for row in rows]


async def _grant(db: Connection, role: str, own_tables: Collection[str]) -> None:
    """Give the role the rights that it needs, and take all others away.

    REVOKE ALL ON cases FROM "caseroll_api_main"
    GRANT SELECT, INSERT, UPDATE ON cases TO "caseroll_api_main"
    """
    schema = _quote_identifier(await db.fetchval("SELECT current_schema()"))
    for relation in await _open_relations(db, role):
        await db.execute(f"REVOKE ALL ON {relation} FROM {role}")
    await db.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
    for table, rights in _GRANTS.items():
        await db.execute(f"GRANT {rights} ON {table} TO {role}")
        if "INSERT" in rights:
            await db.execute(f"GRANT USAGE ON SEQUENCE {table}_id_seq TO {role}")
    for name in own_tables:
        await db.execute(f"GRANT SELECT ON {_quote_identifier(name)} TO {role}")


async def _open_relations(db: Connection, role: str) -> list[str]:
    """List our tables, views and sequences on which the role has any right."""
    sql = """
        SELECT c.oid::regclass::text FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace
          AND pg_has_role(c.relowner, 'USAGE')
          AND EXISTS (
            SELECT 1 FROM aclexplode(c.relacl) WHERE grantee = $1::text::regrole)
    """
    rows = await db.fetch(sql, role)
    return [row[0] for row in rows]


def _quote_identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
