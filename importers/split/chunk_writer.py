"""The chunk writer: rows of an import come in, its chunks are stored."""

from __future__ import annotations

import asyncio
import logging
from contextlib import closing
from typing import TYPE_CHECKING

from importers.rows.payload import pack, texts_of
from importers.split.chunking import chunks_for
from importers.split.grouping import UngroupableError, group_as_one
from importers.split.whole_groups import WholeGroups
from models.chunk import add_chunk
from models.db import keep_alive

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from asyncpg import Connection

    from importers.reading.record import Batch
    from importers.split.chunking import Chunk, Chunks
    from importers.split.grouping import Grouping, Groups
    from models.progress import ImportWork

logger = logging.getLogger(__name__)

# Rows that get their keys at once: the more, the fewer look-ups, and the more memory.
_ROWS_AT_ONCE = 10_000


async def store_chunks(
    db: Connection,
    work: ImportWork,
    batches: Callable[[], AsyncIterator[Batch]],
    grouping: Grouping,
    *,
    size: int,
) -> int:
    """Store an import's rows in chunks of `size` rows, within one transaction.

    They are grouped by their keys or, where that fails, form one chain.

    Args:
        batches: reads the rows; each call begins again with the first one.

    Returns:
        how many rows they have, without those that are only context.
    """
    try:
        return await _write_chunks(db, work, batches, grouping, size=size)
    except UngroupableError as error:
        # No chunk has been stored: that begins when all rows have their keys.
        logger.warning("the rows of import %d run one after another: %s", work.id, error)
        return await _write_chunks(db, work, batches, group_as_one, size=size)


async def _write_chunks(
    db: Connection,
    work: ImportWork,
    batches: Callable[[], AsyncIterator[Batch]],
    grouping: Grouping,
    *,
    size: int,
) -> int:
    with closing(ChunkWriter(db, work, grouping, size=size)) as writer:
        async for batch in batches():
            await writer.add(batch)
        await writer.finish()
    return writer.rows


class ChunkWriter:
    """Store the chunks of `size` rows of one import, within one transaction."""

    def __init__(self, db: Connection, work: ImportWork, grouping: Grouping, *, size: int) -> None:
        self._db = db
        self._work = work
        self._grouping = grouping
        self._size = size
        self._chunks: Chunks | WholeGroups | None = None
        self.rows = 0

    async def add(self, batch: Batch) -> None:
        for start in range(0, len(batch.numbers), _ROWS_AT_ONCE):
            part = batch.part(start, start + _ROWS_AT_ONCE)
            groups = await self._grouping(part.cells)
            if self._chunks is None:
                # The kinds of keys are the importer's, and so are the same for all batches.
                self._chunks = _chunks_for(groups, self._size)
            # In threads, so that this worker's other coroutines go on meanwhile; one after another,
            # as both hold the interpreter's lock.
            texts = part.texts or await asyncio.to_thread(texts_of, part.cells)
            adding = asyncio.to_thread(self._chunks.add, part.numbers, texts, groups)
            await keep_alive(self._db, adding)
            self.rows += sum([number > 0 for number in part.numbers])

    async def finish(self) -> None:
        """Store the chunks, each while the next one is made."""
        chunks = self._chunks.finish() if self._chunks else iter(())
        work, number = self._work, 0
        packed = await keep_alive(self._db, asyncio.to_thread(_next_packed, chunks))
        while packed:
            payload, is_chained = packed
            making = asyncio.ensure_future(asyncio.to_thread(_next_packed, chunks))
            try:
                await add_chunk(
                    self._db,
                    work.app_id,
                    work.id,
                    number,
                    payload,
                    is_chained=is_chained,
                    is_retry=work.replaces_results,
                )
            finally:
                packed = await keep_alive(self._db, making)
            number += 1

    def close(self) -> None:
        if self._chunks:
            self._chunks.close()


def _chunks_for(groups: Groups, size: int) -> Chunks | WholeGroups:
    return WholeGroups(groups.whole, size) if groups.whole else chunks_for(groups, size)


def _next_packed(chunks: Iterator[Chunk]) -> tuple[bytes, bool] | None:
    """Make the next chunk's payload, and tell whether it is chained; None at the end."""
    chunk = next(chunks, None)
    return chunk and (pack(chunk.entries), chunk.is_chained)
