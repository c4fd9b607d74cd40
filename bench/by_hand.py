"""The same work by hand: the statements that an expert would type into psql, in one transaction.

COPY of the same file into a staging table, then one statement on the same tables, with the same
keys, foreign keys and indexes. It writes no row results and no history, and reports no wrong rows.
"""

from __future__ import annotations

import io
import time

import asyncpg

from models.database_url import credentials

_STAGING = {
    "assign": "case_tag text, user_tag text, role_order text, role_key text, notify text",
    "modify": "case_tag text, user_tag text, role_key text, notify text",
    "remove": "user_tag text, case_tag text",
    "add-users": "email text, given text, family text, locale text, zone text, tag text",
}
_PAIR = """
staging s JOIN cases c ON c.app_id = 1 AND c.tag_id = s.case_tag
  JOIN users u ON u.app_id = 1 AND u.tag_id = s.user_tag
"""
_ROLE = "JOIN roles r ON r.app_id = 1 AND r.key = s.role_key"
_STATEMENT = {
    "assign": f"""
        INSERT INTO assignments
          (app_id, case_id, user_id, role_id, notify, created_import_id, created_row)
        SELECT c.app_id, c.id, u.id, r.id, s.notify = '1', 1, 1 FROM {_PAIR} {_ROLE}
        ORDER BY c.id, u.id ON CONFLICT DO NOTHING
        """,
    "modify": f"""
        UPDATE assignments a SET role_id = r.id, updated_at = now(), updated_import_id = 1,
          updated_row = 1
        FROM {_PAIR} {_ROLE} WHERE a.case_id = c.id AND a.user_id = u.id
        """,
    "remove": f"""
        DELETE FROM assignments a USING {_PAIR} WHERE a.case_id = c.id AND a.user_id = u.id
        """,
    "add-users": """
        INSERT INTO users (app_id, email, given_name, family_name, locale, zoneinfo, tag_id)
        SELECT 1, email, given, family, locale, zone, tag FROM staging
        WHERE email LIKE '%@%' ORDER BY lower(email) ON CONFLICT DO NOTHING
        """,
}
TYPES = tuple(_STATEMENT)


async def by_hand(url: str, type_: str, file: bytes) -> tuple[float, int]:
    """Do the work of a file.

    Returns:
        Seconds, and the number of rows written.
    """
    db = await asyncpg.connect(**credentials(url))
    start = time.perf_counter()
    async with db.transaction():
        await db.execute(f"CREATE TEMP TABLE staging ({_STAGING[type_]})")
        await db.copy_to_table("staging", source=io.BytesIO(file), format="csv", header=True)
        status = await db.execute(_STATEMENT[type_], timeout=3_600)
    seconds = time.perf_counter() - start
    await db.close()
    return seconds, int(status.rpartition(" ")[2])
