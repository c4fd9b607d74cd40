"""The rows of an export, read page by page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.files.csv_file import csv_blocks
from api.files.export_nouns import FIND
from api.files.table_row import TableRow
from api.files.workbook_file import check_workbook_rows, workbook_blocks
from models.list_facts import count_rows
from models.list_query import Window
from models.page import fetch_pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from asyncpg import Record

    from api.access.scope import Scope
    from api.files.export_form import ExportForm
    from api.schema.importing.plugin_descriptions import ColumnDescription
    from models.list_query import Condition, Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A part of a list, to be written in the form of an import type.

    Args:
        listing: the list.
        parent: what it belongs to: a case, a user or the app.
        conditions: on its rows.
        page_rows: how many rows are read at a time.
    """

    form: ExportForm
    listing: Listing
    parent: int
    conditions: Sequence[Condition]
    page_rows: int

    def as_csv(self, scope: Scope) -> AsyncIterator[bytes]:
        """Write a CSV file, page by page."""
        return csv_blocks(self.form.header, self._pages(scope))

    async def as_workbook(
        self, scope: Scope, described: Sequence[ColumnDescription]
    ) -> AsyncIterator[bytes]:
        """Write a workbook to a temporary file, and return what sends that.

        Args:
            described: what the type says of its columns.

        Raises:
            HttpError: a workbook can't hold so many rows.
        """
        counts = await scope.read(count_rows, self.listing, [self.parent], self.conditions)
        check_workbook_rows(counts[self.parent])
        by_name = {column.name: column for column in described}
        columns = [by_name.get(name) for name in self.form.header]
        return workbook_blocks(self.form.header, columns, self._numbered(scope))

    async def _numbered(self, scope: Scope) -> AsyncIterator[list[TableRow]]:
        """Number the rows as a spreadsheet does, below the header."""
        first = 2
        async for page in self._pages(scope):
            yield [TableRow(number, cells) for number, cells in enumerate(page, first)]
            first += len(page)

    async def _pages(self, scope: Scope) -> AsyncIterator[list[tuple[str, ...]]]:
        """Read rows from a place on: no connection is held while the client takes a page.

        So an export is of no single moment. Each row is as it was when its page was read.
        """
        after = None
        while True:
            pages = await scope.read(
                fetch_pages,
                self.listing,
                [self.parent],
                self.conditions,
                window=Window(self.page_rows, after),
                columns=self.form.reads,
            )
            page = pages[self.parent]
            if page.rows:
                taken = await self._taken_ids(scope, page.rows)
                yield self.form.lay_out(page.rows, taken)
                after = page.rows[-1]["page_key"]
            if not page.has_more:
                return

    async def _taken_ids(self, scope: Scope, rows: Sequence[Record]) -> dict[str, set[str]]:
        """Find IDs of cases and users without Tag IDs that are the Tag ID of others.

        In a file they would name the others, as a Tag ID match wins.
        """
        taken = {}
        for kind, ids in self.form.unnamed(rows).items():
            if ids:
                found = await scope.read(FIND[kind], tags=list(ids), ids=[])
                taken[kind] = {each.tag_id for each in found if each.tag_id}
        return taken
