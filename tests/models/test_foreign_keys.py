"""Foreign keys checked at once hold as much as those that PostgreSQL checks row by row."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from asyncpg import Connection

from models.assignment import Edit, Present, write_edits
from models.database_url import credentials
from models.db import RaceError
from models.foreign_keys import checked_at_once
from models.write_many import insert_many

ROWS = 1_500
PRESENT = Present(role_id=1, notify=False)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Connection]:
    """A database with one app, one user and many cases."""
    connection = await asyncpg.connect(**credentials(database_url))
    await connection.execute(
        f"""
        INSERT INTO apps (id, slug, name) VALUES (1, 'one', 'One');
        INSERT INTO users (id, app_id, email) VALUES (1, 1, 'jo@example.org');
        INSERT INTO cases (app_id) SELECT 1 FROM generate_series(1, {ROWS})
        """
    )
    yield connection
    await connection.close()


def edits(count: int = ROWS) -> list[Edit]:
    return [Edit(case, 1, case, None, PRESENT) for case in range(1, count + 1)]


async def role_in_block(db: Connection, rows: int = ROWS, cases: int = ROWS) -> str:
    """Return what `session_replication_role` is while rows are inserted."""
    async with db.transaction():
        references = {"cases": range(1, cases + 1), "users": [1] * cases}
        async with checked_at_once(db, "assignments", rows, references):
            return str(await db.fetchval("SHOW session_replication_role"))


async def test_triggers_are_left_out_and_come_back(db: Connection) -> None:
    """Only many rows are checked at once, and only while they are written."""
    assert await role_in_block(db) == "replica"
    assert await role_in_block(db, rows=999) == "origin"
    async with db.transaction():
        await write_edits(db, 1, 7, edits())
        assert await db.fetchval("SHOW session_replication_role") == "origin"
    assert await db.fetchval("SELECT count(*) FROM assignments") == ROWS


async def test_what_is_not_there_is_refused(db: Connection) -> None:
    """PostgreSQL itself says which row is at fault, and nothing of the setting stays behind."""
    async with db.transaction():
        with pytest.raises(asyncpg.ForeignKeyViolationError, match=f"case_id.*{ROWS + 1}"):
            async with db.transaction():
                await write_edits(db, 1, 7, edits(ROWS + 1))
        assert await db.fetchval("SHOW session_replication_role") == "origin"
    assert await db.fetchval("SELECT count(*) FROM assignments") == 0


async def test_the_setting_goes_with_the_savepoint(db: Connection) -> None:
    """After rows that are there already, later writes are checked by PostgreSQL again."""
    await write_edits(db, 1, 7, edits(1))
    async with db.transaction():
        with pytest.raises(RaceError):
            async with db.transaction():
                await write_edits(db, 1, 7, edits())
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await write_edits(db, 1, 7, [Edit(ROWS + 1, 1, 2, None, PRESENT)])


async def test_what_is_referred_to_stays(db: Connection, database_url: str) -> None:
    """Nobody deletes a case between its check and the end of the transaction, nor after it."""
    other = await asyncpg.connect(**credentials(database_url))
    try:
        async with db.transaction():
            await write_edits(db, 1, 7, edits())
            await other.execute("SET lock_timeout = '50ms'")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await other.execute("DELETE FROM cases WHERE id = 3")
            await other.execute("UPDATE cases SET about = 'x' WHERE id = 3")
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await other.execute("DELETE FROM cases WHERE id = 3")
    finally:
        await other.close()


async def test_other_peoples_triggers_run(db: Connection) -> None:
    """A trigger that somebody has put on the table sees every row."""
    await db.execute(
        """
        CREATE TABLE seen (case_id bigint);
        CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql
          AS 'BEGIN INSERT INTO seen VALUES (NEW.case_id); RETURN NULL; END';
        CREATE TRIGGER see AFTER INSERT ON assignments FOR EACH ROW EXECUTE FUNCTION see()
        """
    )

    await write_edits(db, 1, 7, edits())

    assert await role_in_block(db) == "origin"
    assert await db.fetchval("SELECT count(*) FROM seen") == ROWS


async def test_foreign_keys_that_nobody_thought_of_hold(db: Connection) -> None:
    """A foreign key that is added to the table is checked from then on."""
    await db.execute("ALTER TABLE assignments ADD FOREIGN KEY (role_id) REFERENCES roles")

    assert await role_in_block(db) == "origin"
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="role_id"):
        await write_edits(db, 1, 7, edits())


async def test_without_the_right_to_leave_triggers_out(db: Connection) -> None:
    """A database user who may not SET `session_replication_role` writes the same; one who has been
    given the right leaves the triggers out."""
    role = f"clerk_{await db.fetchval('SELECT current_database()')}"
    await db.execute(
        f"CREATE ROLE {role} BYPASSRLS; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}"
    )
    await db.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}; SET ROLE {role}")
    try:
        before = await role_in_block(db)
        await write_edits(db, 1, 7, edits())
        await db.execute(f"RESET ROLE; GRANT SET ON PARAMETER session_replication_role TO {role}")
        await db.execute(f"SET ROLE {role}")
        after = await role_in_block(db)
    finally:
        await db.execute(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}")

    assert (before, after) == ("origin", "replica")
    assert await db.fetchval("SELECT count(*) FROM assignments") == ROWS


async def test_many_cases(db: Connection) -> None:
    """New cases refer to their app, which is checked in the same way."""
    names = ("about", "tag_id")
    rows = [("x", f"t-{number}") for number in range(ROWS)]

    inserted = await insert_many(db, 1, "cases", names, rows, key="tag_id")
    assert inserted.keys() == {tag for _, tag in rows}
    assert inserted == dict(
        await db.fetch("SELECT tag_id, id FROM cases WHERE app_id = 1 AND about = 'x'")
    )
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await insert_many(db, 2, "cases", names, rows, key="tag_id")
