"""Chunking: rows go into chunks that can run in any order and at the same time.

Rows that may speak of the same thing end up in one chunk, or in a chain of chunks, in the order of
the file. They are found by their group keys: PostgreSQL counts these in a temporary table, so that
memory stays flat and nothing is read twice unless there are repeats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers.limits import MAX_CHUNK
from importers.payload import pack_rows, unpack_rows
from models.chunk import add_chunk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from asyncpg import Connection

    from importers.grouping import GroupKeys
    from importers.read import ReadRow
    from models.progress import Work


class Chunker:
    """Store the chunks of one import, within one transaction.

    Args:
        keys: gives each row its group keys, one for each kind of key.
        size: rows a chunk.
    """

    def __init__(
        self,
        db: Connection,
        work: Work,
        keys: Callable[[Sequence[ReadRow]], Awaitable[list[GroupKeys]]],
        *,
        size: int,
    ) -> None:
        self._db = db
        self._work = work
        self._keys = keys
        self._size = size
        self._count = 0
        self._first_keys: list[GroupKeys] = []
        self.rows = 0

    async def add(self, rows: Sequence[ReadRow]) -> None:
        """Store the next rows of the file as a chunk."""
        keys = await self._keys(rows)
        if self._count == 0:
            self._first_keys = keys
        else:
            if self._count == 1:
                await self._db.execute(
                    "CREATE TEMP TABLE chunk_keys (key bigint, chunk int, position int)"
                    " ON COMMIT DROP"
                )
                await self._note_keys(self._first_keys, 0)
            await self._note_keys(keys, self._count)
        await self._store(rows)
        self.rows += sum(not row.is_context for row in rows)

    async def finish(self) -> None:
        """Bring rows that may repeat each other together."""
        if self._count < 2:
            return
        await self._find_repeats()
        affected = await self._db.fetch(
            "SELECT DISTINCT chunk FROM chunk_keys JOIN repeated_keys USING (key) ORDER BY chunk"
        )
        if not affected:
            return
        await self._db.execute(
            """
            CREATE TEMP TABLE moved_rows (bucket int, number int, row bytea) ON COMMIT DROP
            """
        )
        buckets = await self._buckets()
        for (chunk,) in affected:
            await self._move_repeats(chunk, buckets)
        await self._store_moved()

    async def _note_keys(self, kinds: Sequence[GroupKeys], chunk: int) -> None:
        await self._db.copy_records_to_table(
            "chunk_keys",
            records=[
                (key, chunk, position)
                for keys in kinds
                for position, key in enumerate(keys)
                if key is not None
            ],
        )

    @property
    def _has_several_kinds(self) -> bool:
        return len(self._first_keys) > 1

    async def _find_repeats(self) -> None:
        """Find the keys whose rows are to be moved: those that several chunks have.

        A row of several kinds of key can meet one row by the first and another by the second. So
        when one of its keys is repeated, all rows that share any of them have to follow it.
        """
        repeated = "count(*) > 1" if self._has_several_kinds else "min(chunk) <> max(chunk)"
        await self._db.execute(
            f"""
            CREATE TEMP TABLE repeated_keys ON COMMIT DROP AS
            SELECT key FROM chunk_keys GROUP BY key HAVING {repeated}
            """  # noqa: S608 - one of two texts
        )

    async def _store(self, rows: Sequence[ReadRow], *, is_chained: bool = False) -> None:
        await add_chunk(
            self._db,
            self._work.app_id,
            self._work.id,
            self._count,
            pack_rows(rows),
            is_chained=is_chained,
            is_retry=self._work.retry is not None,
        )
        self._count += 1

    async def _buckets(self) -> int:
        """Choose how many buckets the repeated rows go into: about one for each chunk of them; with
        several kinds of key, which tie buckets to each other, there is one."""
        if self._has_several_kinds:
            return 1
        moved = await self._db.fetchval(
            "SELECT count(*) FROM chunk_keys JOIN repeated_keys USING (key)"
        )
        return max(1, round(int(moved) / self._size * 1.25))

    async def _move_repeats(self, chunk: int, buckets: int) -> None:
        """Take the rows with repeated keys out of a stored chunk."""
        payload = await self._db.fetchval(
            "SELECT payload FROM import_chunks WHERE import_id = $1 AND number = $2",
            self._work.id,
            chunk,
        )
        repeated = dict(
            await self._db.fetch(
                """
                SELECT position, key FROM chunk_keys JOIN repeated_keys USING (key)
                WHERE chunk = $1
                """,
                chunk,
            )
        )
        rows = unpack_rows(payload)
        await self._db.copy_records_to_table(
            "moved_rows",
            records=[
                (key % buckets, rows[position].number, pack_rows([rows[position]]))
                for position, key in repeated.items()
            ],
        )
        kept = [row for position, row in enumerate(rows) if position not in repeated]
        await self._replace(chunk, kept)

    async def _replace(self, chunk: int, rows: Sequence[ReadRow]) -> None:
        if not rows:
            await self._db.execute(
                "DELETE FROM import_chunks WHERE import_id = $1 AND number = $2",
                self._work.id,
                chunk,
            )
            return
        await self._db.execute(
            "UPDATE import_chunks SET payload = $3 WHERE import_id = $1 AND number = $2",
            self._work.id,
            chunk,
            pack_rows(rows),
        )

    async def _store_moved(self) -> None:
        """Store the moved rows bucket by bucket; what is too much for a chunk becomes a chain."""
        rows: list[ReadRow] = []
        last_bucket, is_chained, size = None, False, 0
        query = "SELECT bucket, row FROM moved_rows ORDER BY bucket, number"
        async for bucket, row in self._db.cursor(query, prefetch=self._size):
            is_full = len(rows) == self._size or size >= MAX_CHUNK
            if rows and (bucket != last_bucket or is_full):
                await self._store(rows, is_chained=is_chained)
                is_chained, rows, size = bucket == last_bucket, [], 0
            last_bucket = bucket
            size += len(row)
            rows.extend(unpack_rows(row))
        await self._store(rows, is_chained=is_chained)
