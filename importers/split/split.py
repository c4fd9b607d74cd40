"""Splitting: from the stored file, or from rows that failed, to chunks."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from importers.isolation.attempts import MOST_ATTEMPTS, PATIENCE_SECONDS, is_blameless
from importers.isolation.guard import guard_of, guarding
from importers.reading.limits import MAX_CHUNK, Limits
from importers.reading.record import Batch
from importers.reading.table import open_table
from importers.retry import corrected
from importers.rows.layout import layout_of
from importers.rows.stored_directory import StoredDirectory
from importers.sdk.errors import ErrorDetail, FileRefusedError, RetryableError
from importers.sdk.importer import Importer
from importers.split.chunk_writer import Cutter
from importers.split.early_failures import MOST, fail_first
from importers.split.grouping import UngroupableError, group_rows, one_group
from models.db import allow_long, connection, is_passing, keep_alive, persist, transaction
from models.file_part import read_file
from models.progress import (
    begin,
    finish_retry_split,
    finish_split,
    keep_header,
    lock_split,
    read_work,
    refuse,
    take_back_begin,
)
from models.row import RowStatus, failed_page, find_passed, find_rows, row_numbers

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterator,
        Awaitable,
        Callable,
        Collection,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
    )

    from asyncpg import Connection

    from importers.reading.record import Record
    from importers.reading.table import Table
    from importers.rows.layout import Layout
    from importers.split.grouping import Cells, Groups
    from models.import_end import ImportEnd
    from models.progress import ImportWork
    from models.row import RowResult

# A split is one transaction; ten million rows take longer than transactions may otherwise.
_SPLIT_SECONDS = 1_800
_IN_MEMORY = 8 * 1024 * 1024
_ENDS_WORKERS = ErrorDetail(
    code="IMPORTER_ERROR",
    message=f"The importer has ended its worker {MOST_ATTEMPTS} times while the file was cut into"
    " chunks, or took too long.",
)
_NOT_CUT = ErrorDetail(
    code="NOT_CUT",
    message="The file could not be worked on, by no fault of its own; the worker's log says why.",
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How files are cut into chunks.

    Args:
        importers: those that are on, by key.
        limits: what files may be like.
        chunk_rows: how many rows a chunk has.
        together: `case` or `user`, when validators judge rows about the same one together.
        tell: called when there is something to see before all is cut.
    """

    importers: Mapping[str, Importer]
    limits: Limits
    chunk_rows: int
    together: Collection[str] = ()
    tell: Callable[[ImportWork], Awaitable[None]] | None = None


class SplitEnd(NamedTuple):
    """What has become of an import's split.

    Args:
        app_id: the app of the import.
        import_end: the import's end, if its file was refused or no row waits.
    """

    app_id: int
    import_end: ImportEnd | None


class _TakenError(Exception):
    """Another worker has cut the import, or is at it."""


async def split_import(import_id: int, cut: Cut) -> SplitEnd | None:
    """Cut an import's rows into chunks, which are stored in one transaction.

    A file that can't be read ends the import as failed, with the reasons.

    Returns:
        None when there was nothing to do, or another worker is at it.

    Raises:
        RetryableError: the database is not well; no chunk has been kept.
    """
    async with connection() as db:
        work = await read_work(db, import_id)
    if work is None or work.is_split:
        return None
    # If the database stays out of reach, the attempt stays counted.
    take_back = partial(take_back_begin, import_id=import_id)
    attempts, begun = 0, time.monotonic()
    try:
        async with _holding(work) as db:
            attempts = await begin(db, import_id)
        if cut.tell:
            await cut.tell(work)
        end = await _split_rows(work, cut, attempts)
    except _TakenError:
        if attempts:
            await persist(take_back)
        return None
    except FileRefusedError as error:
        end = await _refuse(work, error.errors)
    except Exception as error:
        if is_passing(error):
            if is_blameless(error, begun):
                await persist(take_back, seconds=PATIENCE_SECONDS)
            raise RetryableError(f"import {import_id} is to be cut again: {error}") from error
        logger.exception("import %d can't be cut into chunks; it fails", import_id)
        end = await _refuse(work, [_NOT_CUT])
    return SplitEnd(work.app_id, end)


@asynccontextmanager
async def _holding(work: ImportWork) -> AsyncIterator[Connection]:
    """Open a transaction that holds the import's lock.

    Raises:
        _TakenError: another worker has done the work, or is at it.
    """
    async with transaction() as db:
        if not await lock_split(db, work.id):
            raise _TakenError
        present = await read_work(db, work.id)
        if present is None or present.is_split or present.retry != work.retry:
            raise _TakenError
        yield db


async def _refuse(work: ImportWork, errors: Sequence[ErrorDetail]) -> ImportEnd | None:
    """End the import, unless another worker has taken it on meanwhile."""
    end = None
    with suppress(_TakenError):
        async with _holding(work) as db:
            end = await refuse(db, work.id, [asdict(detail) for detail in errors])
    return end


async def _split_rows(work: ImportWork, cut: Cut, attempts: int) -> ImportEnd | None:
    importer = cut.importers.get(work.type)
    if importer is None:
        raise FileRefusedError([_no_importer(work.type)])
    guard = guard_of(importer)
    if guard and attempts > MOST_ATTEMPTS:
        raise FileRefusedError([_ENDS_WORKERS])
    with guarding(guard):
        if work.retry is None:
            # When a worker has died of the file, its rows are read in chunks only, where the one
            # that is at fault can be found.
            return await _split_file(work, importer, cut, has_first=attempts <= 1)
        async with _holding(work) as db:
            return await _split_failed(db, work, importer, cut)


async def _split_file(
    work: ImportWork, importer: Importer, cut: Cut, *, has_first: bool
) -> ImportEnd | None:
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        async with connection() as db:
            async for part in read_file(db, work.id):
                file.write(part)
        source = cast("BinaryIO", file)
        table = await asyncio.to_thread(_open, source, work, cut.limits)
        layout = layout_of(table.header, importer, cut.importers.values())
        first, is_all = await asyncio.to_thread(_beginning, table.batches, cut.chunk_rows)
        if not (is_all or work.is_cancelled):
            async with _holding(work) as db:
                most = MOST if has_first else 0
                is_any = await fail_first(db, work, importer, layout, first.part(0, most))
                await keep_header(db, work.id, table.header)
            if is_any and cut.tell:
                await cut.tell(work)
        async with _holding(work) as db:
            # Results of first rows may be another worker's, or those of an attempt before this.
            told = await row_numbers(db, work.id)
            await allow_long(db, _SPLIT_SECONDS)
            passes = iter([chain([first], table.batches), _reread(source, work, cut.limits)])
            rows = await _store(
                db, work, importer, layout, cut, read=lambda: _untold(db, next(passes), told)
            )
            return await finish_split(
                db,
                work.id,
                rows=rows,
                told=len(told),
                header=table.header,
                encoding=table.encoding,
                delimiter=table.delimiter,
            )


async def _split_failed(
    db: Connection, work: ImportWork, importer: Importer, cut: Cut
) -> ImportEnd | None:
    await allow_long(db, _SPLIT_SECONDS)
    layout = layout_of(work.header or [], importer)
    retry = work.retry or {}

    async def read() -> AsyncIterator[Batch]:
        last = 0
        while failed := await failed_page(
            db, work.app_id, work.id, retry["rows"], after=last, most=MAX_CHUNK
        ):
            rows = [_again(result, layout, retry["cells"]) for result in failed]
            context = await _rivals(db, work, failed, retry["cells"])
            context |= await _companions(db, work, rows, _checked_places(importer, layout))
            yield Batch.of([*context.items(), *rows])
            last = failed[-1].number

    rows = await _store(db, work, importer, layout, cut, read=read)
    return await finish_retry_split(db, work.id, rows=rows)


async def _store(
    db: Connection,
    work: ImportWork,
    importer: Importer,
    layout: Layout,
    cut: Cut,
    *,
    read: Callable[[], AsyncIterator[Batch]],
) -> int:
    """Store an import's chunks.

    Args:
        read: reads its rows, as often as it is called.

    Returns:
        how many rows they have.
    """
    directory = StoredDirectory(db, work.app_id)

    async def by_key(rows: Sequence[Cells]) -> Groups:
        # As much time as the importer has for a chunk: files may be large.
        with guarding(guard_of(importer)):
            return await group_rows(importer, layout, rows, directory, cut.together)

    async def together(rows: Sequence[Cells]) -> Groups:
        return one_group(rows)

    async def fill(groups: Callable[[Sequence[Cells]], Awaitable[Groups]]) -> int:
        with closing(Cutter(db, work, groups, size=cut.chunk_rows)) as cutter:
            async for batch in read():
                await cutter.add(batch)
            await cutter.finish()
        return cutter.rows

    try:
        return await fill(by_key)
    except UngroupableError as error:
        logger.warning("the rows of import %d run one after another: %s", work.id, error)
        return await fill(together)


def _open(file: BinaryIO, work: ImportWork, limits: Limits) -> Table:
    file.seek(0)
    return open_table(file, filename=work.file_name, encoding=work.declared_encoding, limits=limits)


def _reread(file: BinaryIO, work: ImportWork, limits: Limits) -> Iterator[Batch]:
    """Read the rows of a file from its beginning."""
    yield from _open(file, work, limits).batches


async def _untold(
    db: Connection, batches: Iterator[Batch], told: Sequence[int]
) -> AsyncIterator[Batch]:
    """Read the rows that have no results yet."""
    while batch := await keep_alive(db, asyncio.to_thread(next, batches, None)):
        yield batch.without(told)


def _beginning(batches: Iterator[Batch], most: int) -> tuple[Batch, bool]:
    """Read the first rows, and tell whether these are all: no more than so many, or than fit."""
    numbers: list[int] = []
    cells: list[list[str]] = []
    size = 0
    for batch in batches:
        numbers += batch.numbers
        cells += batch.cells
        size += sum(map(len, chain.from_iterable(batch.cells)))
        if len(numbers) > most or size > MAX_CHUNK:
            return Batch(numbers, cells), False
    return Batch(numbers, cells), True


def _again(result: RowResult, layout: Layout, cells: Mapping[str, Mapping[str, str]]) -> Record:
    new = cells.get(str(result.number), {})
    return result.number, corrected(result.cells, layout.width, new)


async def _rivals(
    db: Connection,
    work: ImportWork,
    failed: Sequence[RowResult],
    cells: Mapping[str, Mapping[str, str]],
) -> dict[int, list[str]]:
    """Find passed rows that unchanged failed rows are in conflict with: they still are."""
    numbers = {
        int(error["value"])
        for result in failed
        if str(result.number) not in cells
        for error in result.errors
        if error["code"] == "CONFLICTS_WITH_ROW" and not error["column"] and error["value"]
    }
    found = await find_rows(db, work.id, sorted(numbers))
    return _as_context(result for result in found.values() if result.status is RowStatus.PASSED)


async def _companions(
    db: Connection, work: ImportWork, rows: Sequence[Record], places: Sequence[int]
) -> dict[int, list[str]]:
    """Find passed rows that `check_chunk` has to see together with those that failed."""
    context: dict[int, list[str]] = {}
    for place in places:
        cells = {row[place].strip() for _, row in rows if place < len(row)}
        context |= _as_context(await find_passed(db, work.id, place, cells))
    return context


def _checked_places(importer: Importer, layout: Layout) -> list[int]:
    """Return where in a row the cells are whose rows an importer looks at together."""
    if type(importer).check_chunk is Importer.check_chunk:
        return []
    keys = [name for name, column in importer.columns.items() if column.is_key]
    return [layout.positions[name] for name in keys if name in layout.positions]


def _as_context(results: Iterable[RowResult]) -> dict[int, list[str]]:
    """Return the cells of rows by their numbers, negative as those of context are."""
    return {-result.number: result.cells for result in results}


def _no_importer(key: str) -> ErrorDetail:
    return ErrorDetail(
        code="UNKNOWN_TYPE",
        message=f"The import type '{key}' is not switched on where this import was to be run.",
    )
