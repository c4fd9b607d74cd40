"""Running failed rows again: those that are named, or all that have an error in common."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import UNSET, argument, field

from api.access.context import Info
from api.schema.importing.import_payload import ImportPayload, carry_out, refuse
from api.schema.importing.imports import ImportId
from api.schema.input_errors import UserError, user_error
from importers.retry import Corrections, ErrorFields, request_retry
from importers.sdk.columns import column_name

if TYPE_CHECKING:
    from collections.abc import Sequence


@strawberry.input(description="A new cell of a row that is to be run again.")
class CellInput:
    column: str = field(description="The column's name in the file.")
    value: str = field(description="The cell's new text.")


@strawberry.input(description="A failed row that is to be run again.")
class RowCorrectionInput:
    number: int = field(description="The row's number, as a spreadsheet shows it.")
    cells: list[CellInput] | None = field(
        default=None,
        description="The cells to replace; none: the same data again. Cells of every column of the "
        "file are the whole row: cells beyond the header go.",
    )


@strawberry.input(
    description="Failed rows with an error that has these fields, as in `errorGroups`. A field "
    "that is left out may be anything; null stands for an error without it."
)
class FailedRowsInput:
    column: str | None = field(default=UNSET, description="The column at fault.")
    code: str | None = field(default=UNSET, description="The error's code.")
    value: str | None = field(default=UNSET, description="The cell at fault, as the error has it.")


@strawberry.mutation(
    description="Run failed rows of a finished import again. "
    "Of a dry run, rows that have passed are planned again with them."
)
async def retry_import(
    info: Info,
    node_id: ImportId,
    *,
    rows: Annotated[
        list[RowCorrectionInput] | None,
        argument(description="Which rows, and new cells; none: all failed rows."),
    ] = None,
    where: Annotated[
        FailedRowsInput | None,
        argument(description="Instead of `rows`: all failed rows with such an error."),
    ] = None,
    new_cells: Annotated[
        list[CellInput] | None,
        argument(
            name="set",
            description="With `where`: the cells to replace in all of these rows; none: the same "
            "data again.",
        ),
    ] = None,
    excepted: Annotated[
        list[FailedRowsInput] | None,
        argument(
            name="except",
            description="Without `rows`: failed rows that stay as they are, those with one of "
            "these errors. Not for an import with `atomic`.",
        ),
    ] = None,
) -> ImportPayload:
    if ambiguity := _find_repeated(rows or ()) or _find_repeated_cell(new_cells or ()):
        return refuse(ambiguity)
    return await carry_out(
        info.context,
        node_id,
        request_retry,
        None if rows is None else _corrections(rows),
        where=None if where is None else _given_fields(where),
        cells=None if new_cells is None else {each.column: each.value for each in new_cells},
        excepted=None if excepted is None else [_given_fields(each) for each in excepted],
    )


def _find_repeated(rows: Sequence[RowCorrectionInput]) -> UserError | None:
    """Refuse to choose between two corrections of the same row or cell."""
    numbers = [row.number for row in rows]
    if len(set(numbers)) < len(numbers):
        return user_error("ROW_TWICE", "The list names a row twice.", "rows")
    for row in rows:
        if _has_repeated_column(row.cells or ()):
            message = f"Row {row.number}: the list names a column twice."
            return user_error("COLUMN_TWICE", message, "rows")
    return None


def _find_repeated_cell(cells: Sequence[CellInput]) -> UserError | None:
    if not _has_repeated_column(cells):
        return None
    return user_error("COLUMN_TWICE", "The list names a column twice.", "set")


def _has_repeated_column(cells: Sequence[CellInput]) -> bool:
    columns = [column_name(cell.column) for cell in cells]
    return len(set(columns)) < len(columns)


def _corrections(rows: Sequence[RowCorrectionInput]) -> Corrections:
    return {row.number: {cell.column: cell.value for cell in row.cells or ()} for row in rows}


def _given_fields(where: FailedRowsInput) -> ErrorFields:
    """Return what was not left out; null is a value."""
    fields = {each.name: getattr(where, each.name) for each in dataclasses.fields(where)}
    return {name: value for name, value in fields.items() if value is not UNSET}
