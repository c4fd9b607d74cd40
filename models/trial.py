"""Trials: which rows of a chunk were being tried out alone when its worker died."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Connection


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
