"""Splitting: from the stored file, or from rows that failed, to chunks."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, cast

from importers.base import header_spec
from importers.chunking import Chunker
from importers.errors import ErrorDetail, FileRefusedError, RetryableError
from importers.grouping import group_rows
from importers.header import match_header
from importers.limits import MAX_CHUNK
from importers.read import Layout, ReadRow
from importers.retry import corrected
from importers.stored import StoredDirectory
from importers.table import Limits, open_table
from models.db import allow_long, connection, is_passing, transaction
from models.progress import begin, finish_retry_split, finish_split, lock_split, read_work, refuse
from models.row import RowStatus, failed_page, find_rows
from models.upload import read_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncpg import Connection

    from importers.base import Importer
    from importers.grouping import GroupKeys
    from importers.table import Table
    from models.progress import Work
    from models.row import RowResult

# A split is one transaction; ten million rows take longer than transactions may otherwise.
_SPLIT_SECONDS = 1_800
_IN_MEMORY = 8 * 1024 * 1024
_NOT_CUT = ErrorDetail(
    code="NOT_CUT",
    message="The file could not be worked on, by no fault of its own; the worker's log says why.",
)

logger = logging.getLogger(__name__)


async def split_import(
    import_id: int, importers: Mapping[str, Importer], limits: Limits, *, chunk_rows: int
) -> Work | None:
    """Cut an import's rows into chunks, in one transaction.

    A file that can't be read ends the import as failed, with the reasons.

    Returns:
        None when there was nothing to do, or another worker is at it.

    Raises:
        RetryableError: the database is not well; nothing has been kept.
    """
    async with connection() as db:
        work = await read_work(db, import_id)
        if work is None or work.is_split:
            return None
        await begin(db, import_id)
    try:
        async with transaction() as db:
            if not await _take_over(db, work):
                return None
            await allow_long(db, _SPLIT_SECONDS)
            await _split(db, work, importers, limits, chunk_rows)
    except FileRefusedError as error:
        await _refuse(import_id, error.errors)
    except Exception as error:
        if is_passing(error):
            raise RetryableError(f"import {import_id} is to be cut again: {error}") from error
        logger.exception("import %d can't be cut into chunks; it fails", import_id)
        await _refuse(import_id, [_NOT_CUT])
    return work


async def _take_over(db: Connection, work: Work) -> bool:
    """Lock the work; False when another worker has done it or is at it."""
    if not await lock_split(db, work.id):
        return False
    present = await read_work(db, work.id)
    return present is not None and not present.is_split and present.retry == work.retry


async def _refuse(import_id: int, errors: Sequence[ErrorDetail]) -> None:
    async with transaction() as db:
        if await lock_split(db, import_id):
            await refuse(db, import_id, [asdict(detail) for detail in errors])


async def _split(
    db: Connection,
    work: Work,
    importers: Mapping[str, Importer],
    limits: Limits,
    chunk_rows: int,
) -> None:
    if work.type not in importers:
        raise FileRefusedError([_no_importer(work.type)])
    if work.retry is None:
        await _split_file(db, work, importers, limits, chunk_rows)
    else:
        await _split_failed(db, work, importers[work.type], chunk_rows)


async def _split_file(
    db: Connection,
    work: Work,
    importers: Mapping[str, Importer],
    limits: Limits,
    chunk_rows: int,
) -> None:
    importer = importers[work.type]
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        async for part in read_file(db, work.id):
            file.write(part)
        table = await asyncio.to_thread(_open, cast("BinaryIO", file), work, limits)
        layout = layout_of(table.header, importer, importers)
        chunker = _chunker(db, work, importer, layout, chunk_rows)
        while rows := await asyncio.to_thread(_take, table, chunk_rows):
            await chunker.add(rows)
    await chunker.finish()
    await finish_split(
        db,
        work.id,
        rows=chunker.rows,
        header=table.header,
        encoding=table.encoding,
        delimiter=table.delimiter,
    )


async def _split_failed(db: Connection, work: Work, importer: Importer, chunk_rows: int) -> None:
    header = work.header or []
    layout = layout_of(header, importer, {importer.key: importer})
    retry = work.retry or {}
    chunker = _chunker(db, work, importer, layout, chunk_rows)
    last = 0
    while failed := await failed_page(
        db, work.app_id, work.id, retry["rows"], after=last, most=MAX_CHUNK
    ):
        rows = [_again(result, layout, retry["cells"]) for result in failed]
        await chunker.add([*await _context(db, work, failed, retry["cells"]), *rows])
        last = failed[-1].number
    await chunker.finish()
    await finish_retry_split(db, work.id, rows=chunker.rows)


def layout_of(
    header: Sequence[str], importer: Importer, importers: Mapping[str, Importer]
) -> Layout:
    """Find the importer's columns in a header.

    Raises:
        FileRefusedError: the header isn't one of this importer's files.
    """
    others = [header_spec(other) for key, other in importers.items() if key != importer.key]
    return Layout(positions=match_header(header, header_spec(importer), others), width=len(header))


def _chunker(
    db: Connection, work: Work, importer: Importer, layout: Layout, chunk_rows: int
) -> Chunker:
    directory = StoredDirectory(db, work.app_id)

    async def keys(rows: Sequence[ReadRow]) -> list[GroupKeys]:
        return await group_rows(importer, layout, rows, directory)

    return Chunker(db, work, keys, size=chunk_rows)


def _open(file: BinaryIO, work: Work, limits: Limits) -> Table:
    file.seek(0)
    return open_table(file, filename=work.file_name, encoding=work.declared_encoding, limits=limits)


def _take(table: Table, count: int) -> list[ReadRow]:
    """Read rows for a chunk: fewer than `count` when they are long."""
    rows, size = [], 0
    for number, cells in islice(table.rows, count):
        rows.append(ReadRow(number, cells))
        size += sum(map(len, cells))
        if size >= MAX_CHUNK:
            break
    return rows


def _again(result: RowResult, layout: Layout, cells: Mapping[str, Mapping[str, str]]) -> ReadRow:
    new = cells.get(str(result.number), {})
    return ReadRow(result.number, corrected(result.cells, layout.width, new))


async def _context(
    db: Connection,
    work: Work,
    failed: Sequence[RowResult],
    cells: Mapping[str, Mapping[str, str]],
) -> list[ReadRow]:
    """Find passed rows that unchanged failed rows are in conflict with: they still are."""
    numbers = {
        int(error["value"])
        for result in failed
        if str(result.number) not in cells
        for error in result.errors
        if error["code"] == "CONFLICTS_WITH_ROW"
    }
    found = await find_rows(db, work.id, sorted(numbers))
    return [
        ReadRow(number, result.cells, is_context=True)
        for number, result in sorted(found.items())
        if result.status is RowStatus.PASSED
    ]


def _no_importer(key: str) -> ErrorDetail:
    return ErrorDetail(
        code="UNKNOWN_TYPE",
        message=f"The import type '{key}' is not switched on where this import was to be run.",
    )
