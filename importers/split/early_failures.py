"""The first rows of a large file: those that fail by themselves have their results at once.

What is wrong with a row's own cells is wrong whatever the rest of the file says, and nothing of it
is applied. So it can be told before the file is read to its end, where all may yet be refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers.rows.cell_reader import ReadRow, read_rows
from importers.rows.layout import Layout
from importers.rows.payload import texts_of
from importers.rows.stored_directory import StoredDirectory
from importers.run.settle import failure
from models.progress import count_first
from models.row import row_numbers, write_rows

if TYPE_CHECKING:
    from asyncpg import Connection

    from importers.reading.record import Batch
    from importers.rows.layout import Layout
    from importers.sdk.importer import Importer
    from models.progress import ImportWork

MOST = 1_000


async def fail_first(
    db: Connection, work: ImportWork, importer: Importer, layout: Layout, rows: Batch
) -> bool:
    """Write the results of rows that fail by themselves; to be run in a transaction of its own.

    Returns:
        whether any rows have results, from an attempt before this one or from now.
    """
    if await row_numbers(db, work.id):
        return True
    if not rows.numbers:
        return False
    read = [
        ReadRow(number, cells, text=text)
        for (number, cells), text in zip(rows.records(), texts_of(rows.cells), strict=True)
    ]
    await read_rows(importer, layout, read, StoredDirectory(db, work.app_id))
    failed = [failure(row, row.errors) for row in read if row.errors]
    if failed:
        await write_rows(db, work.app_id, work.id, failed)
        await count_first(db, work.id, len(failed))
    return bool(failed)
