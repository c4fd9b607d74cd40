"""The cutter: rows of an import come in, its chunks are stored."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from importers.rows.payload import pack, texts_of
from importers.split.chunking import chunks_for
from models.chunk import add_chunk
from models.db import keep_alive

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from asyncpg import Connection

    from importers.reading.record import Batch
    from importers.split.chunking import Chunk, Chunks
    from importers.split.grouping import Cells, Groups
    from models.progress import ImportWork

# Rows that are keyed at once: what is made of them all takes some memory.
_MOST = 10_000


class Cutter:
    """Store the chunks of one import, within one transaction.

    Args:
        groups: gives rows their group keys.
        size: rows a chunk.
    """

    def __init__(
        self,
        db: Connection,
        work: ImportWork,
        groups: Callable[[Sequence[Cells]], Awaitable[Groups]],
        *,
        size: int,
    ) -> None:
        self._db = db
        self._work = work
        self._groups = groups
        self._size = size
        self._chunks: Chunks | None = None
        self.rows = 0

    async def add(self, batch: Batch) -> None:
        """Take the next rows of the file."""
        for start in range(0, len(batch.numbers), _MOST):
            await self._add(batch.part(start, start + _MOST))

    async def finish(self) -> None:
        """Store the chunks, each while the next one is made."""
        chunks = self._chunks.finish() if self._chunks else iter(())
        number = 0
        chunk = await keep_alive(self._db, asyncio.to_thread(_next, chunks))
        while chunk:
            making = asyncio.ensure_future(asyncio.to_thread(_next, chunks))
            try:
                await self._store(number, *chunk)
            finally:
                chunk = await keep_alive(self._db, making)
            number += 1

    def close(self) -> None:
        """Forget the rows."""
        if self._chunks:
            self._chunks.close()

    async def _store(self, number: int, payload: bytes, is_chained: bool) -> None:
        await add_chunk(
            self._db,
            self._work.app_id,
            self._work.id,
            number,
            payload,
            is_chained=is_chained,
            is_retry=self._work.retry is not None,
        )

    async def _add(self, batch: Batch) -> None:
        groups = await self._groups(batch.cells)
        if self._chunks is None:
            self._chunks = chunks_for(groups, self._size)
        texts = await asyncio.to_thread(texts_of, batch.cells)
        adding = asyncio.to_thread(self._chunks.add, batch.numbers, texts, groups)
        await keep_alive(self._db, adding)
        self.rows += sum([number > 0 for number in batch.numbers])


def _next(chunks: Iterator[Chunk]) -> tuple[bytes, bool] | None:
    """Make the next chunk's payload, and tell whether it is chained."""
    chunk = next(chunks, None)
    return chunk and (pack(chunk.entries), chunk.is_chained)
