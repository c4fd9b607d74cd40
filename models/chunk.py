"""Chunks: the rows of an import that are not done yet, some thousand each, and their trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Connection


class ImportChunk(Model):
    """Rows that one transaction will run. The row goes in that transaction: what is here is undone.

    Its row lock is the lease. A chained chunk waits for the one before it, which leaves it a
    `carry`: what the rows so far did to the same pairs (`CarriedKeys.pack`).
    """

    id = fields.BigIntField(primary_key=True)
    app_id = fields.BigIntField()
    import_id = fields.BigIntField()
    number = fields.IntField()
    is_chained = fields.BooleanField(db_default=False)
    is_retry = fields.BooleanField(db_default=False)
    payload = fields.BinaryField()
    carry = fields.BinaryField(null=True)
    attempts = fields.SmallIntField(db_default=0)
    attempted_at = fields.DatetimeField(null=True)

    class Meta:
        table = "import_chunks"
        unique_together = (("import_id", "number"),)


class ClaimedChunk(NamedTuple):
    """A chunk to be run.

    Args:
        attempts: how often workers have begun with it, this time included.
        has_more: whether the import has other chunks.
        is_counted: whether this time is an attempt of its own.
        is_whole: whether all chunks of the import are one transaction.
    """

    chunk_id: int
    attempts: int
    has_more: bool
    is_counted: bool = True
    is_whole: bool = False


class ChunkWork(NamedTuple):
    """A locked chunk.

    Args:
        has_successor: whether a chained chunk waits for this one.
    """

    number: int
    is_chained: bool
    is_retry: bool
    payload: bytes
    carry: bytes | None
    has_successor: bool

    @property
    def of_plan(self) -> int:
        """What the rows of a plan say of the chunk: twice its number, one more if it is chained."""
        return 2 * self.number + self.is_chained


async def add_chunk(
    db: Connection,
    app_id: int,
    import_id: int,
    number: int,
    payload: bytes,
    *,
    is_chained: bool = False,
    is_retry: bool = False,
) -> None:
    """Store a chunk; it can be claimed once its transaction commits."""
    sql = """
        INSERT INTO import_chunks (app_id, import_id, number, payload, is_chained, is_retry)
        VALUES ($1, $2, $3, $4, $5, $6)
    """
    await db.execute(sql, app_id, import_id, number, payload, is_chained, is_retry)


async def claim_chunk(db: Connection, import_id: int) -> ClaimedChunk | None:
    """Choose the import's next free chunk and count the attempt, in a transaction of its own.

    The count outlives a worker that dies of the chunk. Chunks with the fewest attempts come first,
    so that one which kills its workers delays no other. Workers that choose the same chunk within a
    second, before one of them has locked it, are one attempt.
    """
    # A chunk is deleted once it is done, so one whose predecessor is missing may run.
    sql = """
        WITH chosen AS MATERIALIZED (
          SELECT c.id, c.attempted_at IS NULL
            OR c.attempted_at <= clock_timestamp() - interval '1 second' AS is_counted
          FROM import_chunks c WHERE c.import_id = $1 AND NOT (
            c.is_chained AND EXISTS (
              SELECT 1 FROM import_chunks p
              WHERE p.import_id = c.import_id AND p.number = c.number - 1))
          ORDER BY c.attempts, c.number LIMIT 1 FOR UPDATE SKIP LOCKED)
        UPDATE import_chunks SET attempted_at = clock_timestamp(),
          attempts = attempts + is_counted::int
        FROM chosen WHERE import_chunks.id = chosen.id
        RETURNING import_chunks.id, attempts,
          (SELECT count(*) > 1 FROM (
             SELECT 1 FROM import_chunks WHERE import_id = $1 LIMIT 2) AS other),
          is_counted,
          (SELECT is_atomic AND stage IS NOT DISTINCT FROM 'APPLY' FROM imports WHERE id = $1)
    """
    row = await db.fetchrow(sql, import_id)
    return ClaimedChunk(*row) if row else None


async def lock_chunks(db: Connection, import_id: int) -> list[int]:
    """Take the leases of all of an import's chunks; return them in the order of their numbers."""
    # Waits for workers that count an attempt just now; from then on they find no chunk.
    rows = await db.fetch(
        "SELECT id FROM import_chunks WHERE import_id = $1 ORDER BY number FOR UPDATE", import_id
    )
    return [row["id"] for row in rows]


async def delete_chunks(db: Connection, import_id: int) -> None:
    await db.execute("DELETE FROM import_chunks WHERE import_id = $1", import_id)


async def lock_chunk(db: Connection, chunk_id: int) -> ChunkWork | None:
    """Take the chunk's lease until the transaction ends; None when it is done or taken."""
    sql = """
        SELECT number, is_chained, is_retry, payload, carry, EXISTS (
          SELECT 1 FROM import_chunks n
          WHERE n.import_id = c.import_id AND n.number = c.number + 1 AND n.is_chained)
        FROM import_chunks c WHERE id = $1 FOR UPDATE SKIP LOCKED
    """
    row = await db.fetchrow(sql, chunk_id)
    return ChunkWork(*row) if row else None


async def finish_chunk(db: Connection, import_id: int, chunk_id: int) -> None:
    """Delete a chunk whose rows are written, and its trial."""
    # Hardly any chunk has a trial, so there is no round trip of its own for that.
    sql = """
        WITH noted AS (DELETE FROM chunk_trials WHERE chunk_id = $2)
        DELETE FROM import_chunks WHERE import_id = $1 AND id = $2
    """
    await db.execute(sql, import_id, chunk_id)


async def hand_over(db: Connection, import_id: int, number: int, carry: bytes) -> None:
    """Give the chunk of that number the `carry` of its predecessor."""
    await db.execute(
        "UPDATE import_chunks SET carry = $3 WHERE import_id = $1 AND number = $2",
        import_id,
        number,
        carry,
    )


async def give_back(db: Connection, chunk_id: int) -> None:
    """Uncount an attempt that failed for no fault of the chunk."""
    await db.execute(
        "UPDATE import_chunks SET attempts = greatest(attempts - 1, 0) WHERE id = $1", chunk_id
    )


class ChunkTrial(Model):
    """What is known of the rows of a chunk that has ended its workers.

    Another transaction than the chunk's writes it, so that it outlives the worker. Rows are named
    by their places in the chunk: those from `since` to before `until` are being tried out, those in
    `condemned` end the worker that runs them.
    """

    chunk_id = fields.BigIntField(primary_key=True, generated=False)
    since = fields.IntField(db_default=0)
    until = fields.IntField(db_default=0)
    condemned: list[int] = ArrayField(element_type="int", db_default=[])

    class Meta:
        table = "chunk_trials"


class Trial(NamedTuple):
    """The rows that are being tried out, none if `since` is `until`, and those to be left out."""

    since: int
    until: int
    condemned: Sequence[int]


async def read_trial(db: Connection, chunk_id: int) -> Trial:
    row = await db.fetchrow(
        "SELECT since, until, condemned FROM chunk_trials WHERE chunk_id = $1", chunk_id
    )
    return Trial(*row) if row else Trial(0, 0, ())


async def note_trial(db: Connection, chunk_id: int, trial: Trial) -> None:
    """Note which rows are tried out from now on."""
    sql = """
        INSERT INTO chunk_trials (chunk_id, since, until, condemned) VALUES ($1, $2, $3, $4)
        ON CONFLICT (chunk_id) DO UPDATE SET since = $2, until = $3, condemned = $4
    """
    await db.execute(sql, chunk_id, *trial)


async def end_trial(db: Connection, chunk_id: int, trial: Trial) -> None:
    """Note that these rows are not being tried out any more; notes of another worker stay."""
    await db.execute(
        "UPDATE chunk_trials SET since = 0, until = 0"
        " WHERE chunk_id = $1 AND since = $2 AND until = $3",
        chunk_id,
        trial.since,
        trial.until,
    )
