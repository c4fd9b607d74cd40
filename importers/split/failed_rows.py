"""The rows of an import that failed, to be run again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from importers.reading.limits import MAX_CHUNK
from importers.reading.record import Batch
from importers.sdk.cell_note import shown_text
from importers.sdk.errors import ErrorDetail, FileRefusedError
from importers.sdk.importer import Importer
from importers.split.planned_rows import left_out_rows, looks_at_rows_together
from models.row import (
    RowStatus,
    failed_page,
    find_passed,
    find_rows,
    read_in_order,
    result_page,
)
from models.row_errors import error_pattern
from models.undo import is_undone

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterator,
        Collection,
        ItemsView,
        Iterable,
        Mapping,
        Sequence,
    )

    from asyncpg import Connection

    from importers.reading.record import Record
    from importers.rows.layout import Layout
    from models.progress import ImportWork
    from models.row import RowResult

_UNDONE = (
    "The import was undone, so its other rows are not in effect any more, and *{type}* looks at "
    "rows together. Nothing was run again; upload the whole file."
)


async def failed_rows(
    db: Connection, work: ImportWork, importer: Importer, layout: Layout
) -> AsyncIterator[Batch]:
    """Read the failed rows that an import's retry names, as they are or with corrected cells.

    They come page by page, each after the passed rows that are its context. Where the importer
    takes groups as a whole, all rows that don't run again come at the end, as context.

    Raises:
        FileRefusedError: groups can't be judged any more, as the import was undone.
    """
    if importer.group_by is not None and await is_undone(db, work.id):
        raise FileRefusedError([ErrorDetail.of("UNDONE", _UNDONE, type=importer.label)])
    retry: dict[str, Any] = work.retry or {}
    where = _where(work)
    excepted = [error_pattern(each) for each in retry.get("except", ())]
    positions = _key_positions(importer, layout)
    run_again: set[int] = set()
    if retry["rows"] is None:
        await read_in_order(db)
    last = 0
    while failed := await failed_page(
        db,
        work.app_id,
        work.id,
        retry["rows"],
        after=last,
        most=MAX_CHUNK,
        error=error_pattern(where) if where else "[]",
        excepted=excepted,
    ):
        new_cells = _new_cells(retry, failed)
        rows = [
            (row.number, corrected(row, layout, new))
            for row, new in zip(failed, new_cells, strict=True)
        ]
        last = failed[-1].number
        if importer.group_by is not None:
            run_again.update(number for number, _ in rows)
            yield Batch.of(rows)
            continue
        unchanged = [row for row, new in zip(failed, new_cells, strict=True) if not new]
        context = [
            *await _conflicting_passed_rows(db, work.id, unchanged),
            *await _rows_checked_together(db, work.id, rows, positions),
        ]
        # A row that is only context is known by its negative number, and comes once.
        yield Batch.of([*{-row.number: row.cells for row in context}.items(), *rows])
    if importer.group_by is not None:
        async for batch in _other_rows(db, work, run_again):
            yield batch
        async for batch in left_out_rows(db, work):
            yield batch


def _key_positions(importer: Importer, layout: Layout) -> list[int]:
    """Return where the cells are by which `check_chunk` looks at rows together."""
    if type(importer).check_chunk is Importer.check_chunk:
        return []
    keys = [name for name, column in importer.columns.items() if column.is_key]
    return [layout.positions[name] for name in keys if name in layout.positions]


def _where(work: ImportWork) -> Mapping[str, str | None]:
    """Return what an error of a row has to be like for it to run again."""
    # All or nothing is all: the other failed rows run again with those that are corrected.
    found: Mapping[str, str | None] = {} if work.is_atomic else (work.retry or {}).get("where", {})
    return found


async def rows_planned_again(
    db: Connection, work: ImportWork, importer: Importer, layout: Layout
) -> AsyncIterator[Batch]:
    """Read the rows of a dry run that are planned again, in the order of the file.

    Nothing of a dry run is in effect, so only rows that are planned together see one another: two
    of the same user on the same case, those of a group, those that a validator counts. So its plan
    stays that of one file.
    """
    retry: dict[str, Any] = work.retry or {}
    numbers = None if retry["rows"] is None else frozenset(retry["rows"])
    where = _where(work).items()
    excepted = [each.items() for each in retry.get("except", ())]
    has_context = looks_at_rows_together(importer)
    await read_in_order(db)
    last = 0
    while page := await result_page(db, work.app_id, work.id, after=last, most=MAX_CHUNK):
        last = page[-1].number
        rows: list[Record] = []
        for row, new in zip(page, _new_cells(retry, page), strict=True):
            if row.status is RowStatus.PASSED:
                rows.append((row.number, row.cells))
            elif _is_chosen(row, numbers, where, excepted):
                rows.append((row.number, corrected(row, layout, new)))
            elif has_context:
                rows.append((-row.number, row.cells))
        yield Batch.of(rows)


def _is_chosen(
    row: RowResult,
    numbers: Collection[int] | None,
    where: ItemsView[str, str | None],
    excepted: Iterable[ItemsView[str, str | None]],
) -> bool:
    """Tell whether a retry names a row: by its number, or by an error that it has.

    Args:
        excepted: errors that it must not have.
    """
    if row.status is not RowStatus.FAILED or not (numbers is None or row.number in numbers):
        return False
    if any(each <= error.items() for each in excepted for error in row.errors):
        return False
    return not where or any(where <= error.items() for error in row.errors)


async def _other_rows(
    db: Connection, work: ImportWork, run_again: Collection[int]
) -> AsyncIterator[Batch]:
    """Read all rows of an import as context, but for some."""
    await read_in_order(db)
    last = 0
    while page := await result_page(db, work.app_id, work.id, after=last, most=MAX_CHUNK):
        last = page[-1].number
        yield Batch.of([(-row.number, row.cells) for row in page if row.number not in run_again])


def _new_cells(retry: Mapping[str, Any], rows: Sequence[RowResult]) -> list[Mapping[str, str]]:
    """Return the new cells that a retry has for rows; positions are texts, as keys of JSON are."""
    of_rows, of_kind = retry["cells"], retry.get("set")
    if not (of_rows or of_kind):
        return [{}] * len(rows)
    wanted = retry.get("where", {}).items()
    return [
        of_rows.get(str(row.number))
        or (of_kind if of_kind and any(wanted <= error.items() for error in row.errors) else {})
        for row in rows
    ]


def corrected(row: RowResult, layout: Layout, new: Mapping[str, str] | None) -> list[str]:
    """Return a row's cells with the new ones put in; a row that was too short is filled up.

    New cells for all columns are the whole row: cells beyond the header go.

    Args:
        new: by position, as text.
    """
    cells = row.cells
    if not new:
        return cells
    cells += [""] * (layout.width - len(cells))
    if len(new) == layout.width:
        del cells[layout.width :]
    faulty = {layout.position_of(error["column"]) for error in row.errors}
    for position, cell in ((int(key), cell) for key, cell in new.items()):
        # A client that sends the whole row sends a workbook's day as the sheet shows it. The stored
        # cell says which day that is, and stays. At a cell with an error, the text is meant.
        if position in faulty or cell != shown_text(cells[position]):
            cells[position] = cell
    return cells


async def _conflicting_passed_rows(
    db: Connection, import_id: int, unchanged: Iterable[RowResult]
) -> list[RowResult]:
    """Find passed rows that failed rows without new cells are in conflict with: they still are."""
    numbers = {
        int(error["value"])
        for result in unchanged
        for error in result.errors
        if error["code"] == "CONFLICTS_WITH_ROW" and not error["column"] and error["value"]
    }
    found = await find_rows(db, import_id, sorted(numbers))
    return [result for result in found.values() if result.status is RowStatus.PASSED]


async def _rows_checked_together(
    db: Connection, import_id: int, rows: Sequence[Record], positions: Iterable[int]
) -> list[RowResult]:
    """Find passed rows that `check_chunk` has to see together with those that failed.

    Args:
        positions: of the cells that make rows be looked at together.
    """
    context: list[RowResult] = []
    for position in positions:
        # Rows with a blank cell are about nothing that others are about.
        cells = {row[position].strip() for _, row in rows if position < len(row)} - {""}
        context += await find_passed(db, import_id, position, cells)
    return context
