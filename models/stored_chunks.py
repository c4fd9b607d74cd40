"""Chunks made of rows that the database has: those of a plan, and those that undo an import.

No worker reads the rows for that. What a payload is, `importers.rows.payload` says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models.plan import PLANNED_LINE, planned_condition
from models.row import row_key
from models.undo import INVERSE_ROWS

if TYPE_CHECKING:
    from asyncpg import Connection

    from models.progress import ImportWork


async def store_planned_chunks(db: Connection, work: ImportWork, plan_id: int) -> int | None:
    """Store the rows of a plan that have passed in the chunks in which they were planned.

    Those that had to stay together then are together still, or in a chain.

    Returns:
        how many rows they have. None if a row does not say where it was planned, as in plans of
        older versions; nothing is stored then.
    """
    is_planned = planned_condition(is_own=plan_id == work.id)
    lines = f"""
        SELECT plan_chunk AS place, id & x'ffffffff'::bigint AS number,
          CASE WHEN plan_chunk IS NOT NULL THEN {PLANNED_LINE} END AS line
        FROM import_rows WHERE id > $4 AND id < $5 AND {is_planned}
    """
    ends = row_key(plan_id, 0), row_key(plan_id + 1, 0)
    return await _store(db, work, lines, *ends)


async def store_undo_chunks(
    db: Connection, work: ImportWork, undo_of_id: int, size: int
) -> int | None:
    """Store the rows that undo an import of assignments in chunks of `size` rows.

    Each is about another assignment, so none has to stay together with others. Those of one case
    are mostly close together, as they were when they were changed.

    Returns:
        how many rows they have. None if the import has changed other things too; nothing is stored
        then.
    """
    others = "SELECT EXISTS (SELECT FROM entity_history WHERE import_id = $1)"
    if await db.fetchval(others, undo_of_id):
        return None
    lines = f"""
        SELECT 2 * (number / $5) AS place, number, cells AS line
        FROM ({INVERSE_ROWS.format("$4")}) inverse
    """
    return await _store(db, work, lines, undo_of_id, size)


async def _store(db: Connection, work: ImportWork, lines: str, *args: Any) -> int | None:
    """Store rows in chunks.

    Args:
        lines: a query of their `number`, their `line` in a payload, and their `place`: a chunk's
            number, perhaps with gaps, as `ChunkWork.of_plan` has it. Where `place` is null, so is
            `line`.
        args: its parameters, from the fourth on.

    Returns:
        how many rows there are; None, and nothing is stored, if one has no place.
    """
    # Aggregates with an order hold one chunk at a time; a hash table would hold all.
    sql = f"""
        WITH chunks AS (
          SELECT place, count(*) AS rows,
            string_agg(number::text, ',' ORDER BY number) AS numbers,
            string_agg(line, E'\\n' ORDER BY number) AS lines
          FROM ({lines}) line GROUP BY place),
        stored AS (
          INSERT INTO import_chunks (app_id, import_id, is_retry, number, is_chained, payload)
          SELECT $1, $2, $3, row_number() OVER (ORDER BY place) - 1, place % 2 = 1,
            convert_to('[' || numbers || E']\\n' || lines, 'UTF8')
          FROM chunks WHERE NOT EXISTS (SELECT FROM chunks WHERE place IS NULL))
        SELECT coalesce(sum(rows), 0)::int, coalesce(bool_and(place IS NOT NULL), true) FROM chunks
    """
    ids = work.app_id, work.id, work.replaces_results
    rows, has_places = await db.fetchrow(sql, *ids, *args)
    return rows if has_places else None
