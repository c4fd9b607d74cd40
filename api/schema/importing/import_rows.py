"""Import rows: what became of each row of a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import strawberry
from strawberry import field

from api.access.context import Context, Info
from api.batch.objects import TOGETHER, Lists, Together, read
from api.batch.row_type import RowColumn, RowType
from api.errors import ApiError
from api.language import translator
from api.schema.importing.field_change import FieldChange
from api.schema.importing.file_fields import fields_of, role_keys
from api.schema.shown_enum import show_enum
from importers.sdk.cell_note import shown_text
from importers.sdk.columns import column_name
from models.assignment import Edit
from models.entity_history import EntityEdit
from models.row import STORED_CHANGES, RowOutcome, RowStatus, changes_of, row_number
from models.row_errors import has_error, mentions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.batch.objects import Items, Selected
    from models.list_query import Condition

# Of a code and a column each; every row is compared with all of them.
_MOST_KINDS = 100


show_enum(RowStatus, description="Whether a row took effect.")
show_enum(RowOutcome, description="What a passed row did.")


@strawberry.type(description="One of the parts that an error's message is made of.")
class Param:
    name: str = field(description="What it is, e.g. `row` or `limit`; the same for a code always.")
    value: str = field(description="The text, or a whole number in digits.")


@strawberry.type(
    name="ImportError", description="One thing that is wrong with a file or with a row."
)
class ImportProblem:
    code: str = field(description="Stable, upper-case name of the kind of error.")
    message: str = field(description="A sentence for the person who made the file.")
    column: str | None = field(
        description="The column at fault; null for an error of the whole row or file."
    )
    value: str | None = field(description="The cell at fault, shortened if long.")
    suggestion: str | None = field(description="What was probably meant.")
    params: list[Param] = field(
        description="What the message is made of beside `value` and `suggestion`, for a message in "
        "another language."
    )

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> ImportProblem:
        values: dict[str, Any] = {field.name: stored.get(field.name) for field in fields(cls)}
        values["message"] = translator().error(stored)
        values["params"] = params_of(stored)
        return cls(**values)


def params_of(stored: Mapping[str, Any]) -> list[Param]:
    given: Mapping[str, str | int] = stored.get("params") or {}
    return [Param(name=name, value=str(value)) for name, value in given.items()]


def problems_of(stored: str | None) -> list[ImportProblem]:
    return [ImportProblem.of(error) for error in json.loads(stored)] if stored else []


@strawberry.type(description="One cell of a row.")
class Cell:
    column: str = field(
        description="The column's name in the file; empty for a cell beyond the header."
    )
    value: str = field(description="The cell's text.")


async def _load_changes(context: Context, rows: Items, _: Selected) -> Lists:
    roles = await role_keys(context)
    return Lists.of(
        [fields_of(roles, *changes) for changes in cast("list[Any]", read(rows, "made"))]
    )


@strawberry.type(description="One row of an import's file, and what became of it.")
class ImportRow:
    made: strawberry.Private[Sequence[Edit | EntityEdit]]
    number: int = field(description="The number that a spreadsheet shows: the header is row 1.")
    cells: list[Cell] = field(description="The row's cells, in the file's own order.")
    status: RowStatus = field(description="Whether the row took effect.")
    outcome: RowOutcome | None = field(description="What it did; null unless it passed.")
    message: str | None = field(
        description="A remark on a row that passed, e.g. that it repeats another."
    )
    errors: list[ImportProblem] = field(description="Everything wrong with the row.")
    warnings: list[ImportProblem] = field(
        description="What to look at in a row that took effect, e.g. a Tag ID that is much like "
        "another one."
    )

    @strawberry.field(
        description="What it has changed, or would change if the import is a dry run.",
        metadata={TOGETHER: Together(_load_changes, ("made",))},
    )
    async def changes(self, info: Info) -> list[FieldChange]:
        return fields_of(await role_keys(info.context), *self.made)


def _changes_made(*columns: Any) -> Sequence[Edit | EntityEdit]:
    assignments, others = changes_of(dict(zip(STORED_CHANGES, columns, strict=True)))
    return [*assignments, *others]


def _cells_of_row(header: Sequence[str], stored: str) -> list[Cell]:
    """Pair a row's cells, which are stored as JSON, with the columns of its file."""
    values = json.loads(stored)
    names = [*header, *[""] * (len(values) - len(header))]
    return [
        Cell(column=name, value=shown_text(value))
        for name, value in zip(names, values, strict=False)
    ]


def row_type_for(header: Sequence[str]) -> RowType[ImportRow]:
    """Return how rows of a file with this header are made."""
    return RowType(
        ImportRow,
        made=RowColumn(STORED_CHANGES, _changes_made),
        number=RowColumn(("id",), row_number),
        cells=RowColumn(("cells",), partial(_cells_of_row, header)),
        status=RowColumn(("status",), RowStatus),
        outcome=RowColumn(("outcome",), lambda stored: RowOutcome(stored) if stored else None),
        message=RowColumn(("message",), lambda stored: translator().remark(stored)),
        errors=RowColumn(("errors",), problems_of),
        warnings=RowColumn(("warnings",), problems_of),
    )


def row_filters(
    code: Sequence[str] | None, column: Sequence[str] | None, value: str | None, search: str | None
) -> list[Condition]:
    """Return the conditions on the errors and texts of rows."""
    conditions = []
    if not (code is None and column is None and value is None):
        columns = None if column is None else [column_name(each) for each in column]
        if max(1, len(code or ())) * max(1, len(columns or ())) > _MOST_KINDS:
            raise ApiError("TOO_COMPLEX", f"code and column name more than {_MOST_KINDS} kinds.")
        conditions.append(has_error(code, columns, value))
    if search and search.strip():
        conditions.append(mentions(search))
    return conditions
