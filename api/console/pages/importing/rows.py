"""The tab of all rows: what became of each, with its errors at its cells."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from api.console.pages.importing.import_page import load_import_page, show_import_page
from api.console.paging import nodes, page_links, page_variables
from importers.sdk.columns import column_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from starlette.responses import Response

    from api.console.visit import Visit

OUTCOMES = ("CREATED", "UPDATED", "REMOVED", "UNCHANGED")
RESULTS = (*OUTCOMES, "FAILED", "CANCELLED")
"""What can become of a row: a passed one has an outcome, the others a status."""
_OF_ERRORS = ("code", "column", "value")


ShownCell: TypeAlias = "tuple[str, str, Sequence[Mapping[str, Any]]]"
"""A cell: its column, its text, and what is wrong with it. A page has hundreds."""


class ShownRow(NamedTuple):
    """A row.

    Args:
        result: one of `RESULTS`.
        errors: those of no cell of the file.
    """

    number: int
    result: str
    message: str | None
    cells: list[ShownCell]
    errors: list[Mapping[str, Any]]
    warnings: list[Mapping[str, Any]]


class RowFilters(NamedTuple):
    """Which rows an address asks for; None for any.

    Args:
        result: one of `RESULTS`.
    """

    result: str | None
    code: str | None
    column: str | None
    value: str | None
    search: str | None

    @classmethod
    def of(cls, visit: Visit) -> RowFilters:
        filters = cls(*(visit.argument(name) for name in cls._fields))
        # Only failed rows have errors: with another result, the list would always be empty.
        if any(getattr(filters, name) for name in _OF_ERRORS):
            return filters._replace(result="FAILED")
        return filters if filters.result in RESULTS else filters._replace(result=None)

    def variables(self) -> dict[str, Any]:
        """Return the variables of the operation."""
        is_outcome = self.result in OUTCOMES
        return {
            "status": [self.result] if self.result and not is_outcome else None,
            "outcome": [self.result] if is_outcome else None,
            "code": [self.code] if self.code else None,
            "column": [self.column] if self.column else None,
            "value": self.value,
            "search": self.search,
        }

    def is_any(self) -> bool:
        return not any(self)


async def show_rows(visit: Visit) -> Response:
    """Show a page of the rows, filtered as the address says."""
    filters = RowFilters.of(visit)
    data = await load_import_page(
        visit, "import_rows", **filters.variables(), **page_variables(visit)
    )
    item = data["import"]
    rows = [show_row(row) for row in nodes(item["rows"])]
    groups = nodes(item["errorGroups"])
    return show_import_page(
        visit,
        "rows",
        data,
        rows=rows,
        columns=columns_of(rows),
        filters=filters,
        counts={result: item[result.lower()] for result in RESULTS},
        codes={code: code_words(code) for code in sorted(_distinct(groups, "code", filters.code))},
        error_columns=sorted(_distinct(groups, "column", filters.column)),
        links=page_links(visit, item["rows"]),
    )


def code_words(code: str) -> str:
    """Write an error's code as words.

    Example:
        >>> code_words("CASE_CLOSED")
        'Case closed'
    """
    return code.replace("_", " ").capitalize()


def _distinct(groups: Iterable[Mapping[str, Any]], name: str, chosen: str | None) -> set[str]:
    """Return the values that error groups have, and the one that is chosen."""
    return {value for value in [*(group[name] for group in groups), chosen] if value}


def show_row(row: Mapping[str, Any]) -> ShownRow:
    """Put the errors of a row at its cells, as far as they are about one."""
    errors: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for error in row["errors"]:
        errors[column_name(error["column"] or "")].append(error)
    cells = [
        (cell["column"], cell["value"], _take_errors(errors, cell["column"]) if errors else ())
        for cell in row["cells"]
    ]
    return ShownRow(
        number=row["number"],
        result=row["outcome"] or row["status"],
        message=row["message"],
        cells=cells,
        errors=[error for left in errors.values() for error in left],
        warnings=row["warnings"],
    )


def _take_errors(
    errors: dict[str, list[Mapping[str, Any]]], column: str
) -> Sequence[Mapping[str, Any]]:
    """Take what is wrong with a cell; the next cell of the same name gets none of it."""
    return errors.pop(column_name(column), ()) if column else ()


def columns_of(rows: Iterable[ShownRow]) -> list[str]:
    """Return the columns of the widest row; cells beyond the header have no name."""
    widest: ShownRow | None = max(rows, key=lambda row: len(row.cells), default=None)
    return [column for column, _, _ in widest.cells] if widest else []
