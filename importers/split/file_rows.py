"""The rows of an import's file, to be split."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from contextlib import asynccontextmanager
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, cast

from importers.isolation.guard import guard_of, guarding
from importers.reading.limits import MAX_CHUNK
from importers.reading.record import Batch
from importers.reading.table import open_table
from importers.rows.observation import observe
from importers.sdk.errors import ErrorDetail, FileRefusedError
from models.db import connection, keep_alive
from models.file_part import read_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence

    from asyncpg import Connection

    from importers.reading.format_reader import FormatReader
    from importers.reading.limits import Limits
    from importers.reading.table import Table
    from importers.rows.layout import Layout
    from importers.rows.observation import Observed
    from importers.sdk.importer import Importer
    from models.progress import ImportWork

ObserveRows: TypeAlias = "Callable[[Sequence[Sequence[str]]], None]"

logger = logging.getLogger(__name__)

_FAILED_ON_FILE = ErrorDetail(
    code="IMPORTER_ERROR",
    message="The importer failed on the file as a whole; the worker's log says why.",
)
# `tempfile` moves a larger file to the disk: a file may have 512 MiB.
_BYTES_IN_MEMORY = 8 * 1024 * 1024


@asynccontextmanager
async def stored_file(import_id: int) -> AsyncIterator[BinaryIO]:
    """Copy an import's file to where it can be read from its beginning several times."""
    with tempfile.SpooledTemporaryFile(max_size=_BYTES_IN_MEMORY) as file:
        async with connection() as db:
            async for part in read_file(db, import_id):
                file.write(part)
        yield cast("BinaryIO", file)


class OpenedFile:
    """A file that can be read several times.

    Raises:
        FileRefusedError: the file can't be read.
    """

    def __init__(
        self,
        file: BinaryIO,
        work: ImportWork,
        limits: Limits,
        readers: Sequence[FormatReader] = (),
    ) -> None:
        self._file = file
        self._work = work
        self._limits = limits
        self._readers = readers
        self.table = self._open_table()
        self.head = Batch([], [])
        self._rest: Iterator[Batch] | None = self.table.batches

    def read_head(self, most: int) -> bool:
        """Read the first rows into `head`, once.

        Args:
            most: rows, but for those of the last batch.

        Returns:
            whether they are all, no more than `most` and than fit into a chunk.
        """
        numbers: list[int] = []
        cells: list[list[str]] = []
        size = 0
        for batch in self.table.batches:
            numbers += batch.numbers
            cells += batch.cells
            size += sum(map(len, chain.from_iterable(batch.cells)))
            if len(numbers) > most or size > MAX_CHUNK:
                break
        self.head = Batch(numbers, cells)
        return len(numbers) <= most and size <= MAX_CHUNK

    def batches(self) -> Iterator[Batch]:
        """Read all rows; each call begins again with the first one, and ends the call before."""
        # The first pass, nearly always the only one, goes on where the head ends: to open a
        # workbook again would take as long as to read all of a small file.
        rest, self._rest = self._rest, None
        if rest is None:
            # Also for its warnings, which those of a pass that was broken off lack.
            self.table = self._open_table()
            yield from self.table.batches
        else:
            yield self.head
            yield from rest

    def _open_table(self) -> Table:
        self._file.seek(0)
        return open_table(
            self._file,
            filename=self._work.file_name,
            encoding=self._work.declared_encoding,
            limits=self._limits,
            readers=self._readers,
        )


async def unfinished_rows(
    db: Connection, file: OpenedFile, finished_numbers: Collection[int], observe_rows: ObserveRows
) -> AsyncIterator[Batch]:
    """Read the rows of a file that have no results yet.

    Args:
        db: a transaction that waits while the file is read.
        observe_rows: is shown all rows, those that have results as well.
    """
    batches = file.batches()
    while batch := await keep_alive(db, asyncio.to_thread(next, batches, None)):
        observe_rows(batch.cells)
        yield batch.without(finished_numbers)


def observing(importer: Importer, layout: Layout, observed: Observed) -> ObserveRows:
    """Return a function that adds what rows show to `observed`.

    It raises FileRefusedError where a plugin's column fails: without what its cells show, it might
    read others wrongly.
    """

    def observe_rows(rows: Sequence[Sequence[str]]) -> None:
        try:
            with guarding(guard_of(importer)):
                observe(importer, layout, rows, observed)
        except Exception as error:
            logger.exception("importer %r failed on the file as a whole", importer.key)
            raise FileRefusedError([_FAILED_ON_FILE]) from error

    return observe_rows
