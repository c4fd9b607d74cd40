"""The first rows of a large file: those that fail by themselves have their results at once.

What is wrong with a row's own cells is wrong whatever the rest of the file says, and such a row
changes nothing. So clients see it before the file is read to its end, where all may yet be refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers.rows.cell_reader import ReadRow, failed_result, read_rows
from importers.rows.payload import texts_of
from importers.rows.stored_directory import StoredDirectory
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
    """Write the results of rows that fail by themselves, in a transaction of their own.

    Returns:
        whether any rows have results, from this attempt or one before it.
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
    failed = [failed_result(row, row.errors) for row in read if row.errors]
    if failed:
        await write_rows(db, work.app_id, work.id, failed)
        await count_first(db, work.id, len(failed))
    return bool(failed)
