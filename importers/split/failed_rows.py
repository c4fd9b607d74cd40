"""The rows of an import that failed, to be run again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from importers.reading.limits import MAX_CHUNK
from importers.reading.record import Batch, drop_guards
from importers.sdk.importer import Importer
from models.row import RowStatus, failed_page, find_passed, find_rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from asyncpg import Connection

    from importers.reading.record import Record
    from importers.rows.layout import Layout
    from models.progress import ImportWork
    from models.row import RowResult


class ContextRow(NamedTuple):
    """A passed row that failed rows are judged beside; it is not run again."""

    number: int
    cells: list[str]

    @property
    def record(self) -> Record:
        """The row as batches and chunks have it: under its negative number."""
        return -self.number, self.cells


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRows:
    """The failed rows that an import's retry names, as they are or with corrected cells."""

    db: Connection
    work: ImportWork
    importer: Importer
    layout: Layout

    async def batches(self) -> AsyncIterator[Batch]:
        """Read them page by page, each after the passed rows that are its context."""
        retry: dict[str, Any] = self.work.retry or {}
        # New cells by row number and position, both as text: they come from JSON.
        new_cells: Mapping[str, Mapping[str, str]] = retry["cells"]
        positions = _checked_positions(self.importer, self.layout)
        last = 0
        while failed := await failed_page(
            self.db, self.work.app_id, self.work.id, retry["rows"], after=last, most=MAX_CHUNK
        ):
            rows = [
                (
                    row.number,
                    corrected(row.cells, self.layout.width, new_cells.get(str(row.number))),
                )
                for row in failed
            ]
            unchanged = [row for row in failed if str(row.number) not in new_cells]
            found = await conflicting_passed_rows(self.db, self.work.id, unchanged)
            found += await rows_checked_together(self.db, self.work.id, rows, positions)
            context = {row.number: row.record for row in found}
            yield Batch.of([*context.values(), *rows])
            last = failed[-1].number


def corrected(cells: Sequence[str], width: int, new: Mapping[str, str] | None) -> list[str]:
    """Return a row's cells with the new ones put in; a row that was too short is filled up.

    New cells lose the `'` of a guarded formula as those of a file do, so that downloads guard what
    is stored in one way only.

    Args:
        new: by position, as text.
    """
    if not new:
        return list(cells)
    mended = [*cells, *[""] * (width - len(cells))]
    for position, cell in new.items():
        mended[int(position)] = drop_guards([cell])[0]
    return mended


async def conflicting_passed_rows(
    db: Connection, import_id: int, unchanged: Sequence[RowResult]
) -> list[ContextRow]:
    """Find passed rows that failed rows without new cells are in conflict with: they still are."""
    numbers = {
        int(error["value"])
        for result in unchanged
        for error in result.errors
        if error["code"] == "CONFLICTS_WITH_ROW" and not error["column"] and error["value"]
    }
    found = await find_rows(db, import_id, sorted(numbers))
    return [
        ContextRow(result.number, result.cells)
        for result in found.values()
        if result.status is RowStatus.PASSED
    ]


async def rows_checked_together(
    db: Connection, import_id: int, rows: Sequence[Record], positions: Sequence[int]
) -> list[ContextRow]:
    """Find passed rows that `check_chunk` has to see together with those that failed.

    Args:
        positions: of the cells that make rows be looked at together.
    """
    context = []
    for position in positions:
        cells = {row[position].strip() for _, row in rows if position < len(row)}
        found = await find_passed(db, import_id, position, cells)
        context += [ContextRow(result.number, result.cells) for result in found]
    return context


def _checked_positions(importer: Importer, layout: Layout) -> list[int]:
    """Return the positions of the key columns of an importer that has a `check_chunk`."""
    if type(importer).check_chunk is Importer.check_chunk:
        return []
    keys = [name for name, column in importer.columns.items() if column.is_key]
    return [layout.positions[name] for name in keys if name in layout.positions]
