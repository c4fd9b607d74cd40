"""The statistics by which PostgreSQL plans, made where autovacuum would come too late."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncpg import Connection

# Pages of 8 KiB; for smaller tables every plan is good.
_FEWEST_PAGES = 16


async def analyze_changed(db: Connection) -> None:
    """Analyse those of our tables that have no statistics, or have doubled since they were made.

    Not in a transaction, which would keep what it locks. It waits for no lock: tables that are
    being altered, vacuumed or analysed are left out.
    """
    # By size, as PostgreSQL counts changes only a while after they were made. A restored table has
    # a number of pages, but no statistics.
    sql = """
        SELECT c.oid::regclass::text FROM pg_class c,
          LATERAL (SELECT pg_relation_size(c.oid) / 8192 AS pages) AS now
        WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
          AND pg_has_role(c.relowner, 'USAGE') AND now.pages > $1
          AND (now.pages > 2 * c.relpages OR NOT EXISTS (
            SELECT FROM pg_stats s WHERE s.schemaname = current_schema()
              AND s.tablename = c.relname))
    """
    tables = [row[0] for row in await db.fetch(sql, _FEWEST_PAGES)]
    if tables:
        await db.execute(f"ANALYZE (SKIP_LOCKED) {', '.join(tables)}")
